"""E1206: candidate that does not compile."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1206",
    title="candidate that does not compile",
    message="space `{name}` has a candidate with a mistake, {code}: {message}",
    label="it allows such a candidate",
    default=Default.ERROR,
    explanation="""\
Orders, parents, levels and names of types are checked where the space is. What a type of one's own
makes of the channels or the level that it is given shows when it is expanded: when a candidate is
drawn. Another one is drawn then, and `spine space` says how many are refused. Where the compiler
refuses every one, the space is to blame, and the first mistake is reported. A candidate whose mistake
shows only when it is measured has no value, and the search goes on.
""",
)
