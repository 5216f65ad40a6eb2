"""E1208: no candidate found."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1208",
    title="no candidate found",
    message="of {tried} decisions of space `{name}`, none is a candidate",
    label="{why}",
    default=Default.ERROR,
    explanation="""\
Decisions are drawn until one is a candidate: no block is left unread that `orphans` exclude, and each
`keep` holds. If so many are none, the bounds leave next to nothing of the space. The message says how
near the nearest came.
""",
)
