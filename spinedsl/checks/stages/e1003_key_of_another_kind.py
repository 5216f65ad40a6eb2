"""E1003: setting of another kind."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1003",
    title="setting of another kind",
    message="`{name}` must be {expected}, got {got}",
    label="expected {expected}",
    default=Default.ERROR,
    explanation="""\
A setting holds a value of one kind: a number, a text, true or false, a list. Nothing is converted in
silence: `"0.1"` is a text, though it looks like a number, and `"yes"` is a text too.

Leave out the quotes of a number, and write `true` or `false` where there are two answers.
""",
)
