"""E1005: no such choice."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1005",
    title="no such choice",
    message="`{name}` cannot be {got}: there is {expected}",
    label="expected {expected}",
    default=Default.ERROR,
    explanation="""\
Such a setting is one of a few words, which the message lists. Letters count as they stand: `SGD` is
`"sgd"`.
""",
)
