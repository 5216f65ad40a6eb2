"""E0102: statement ends too early."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0102",
    title="statement ends too early",
    message="this statement ends too early",
    label="after `{last}`, expected {expected}",
    default=Default.ERROR,
    explanation="""\
A statement ends with its line, unless the line cannot end there: after a comma or an operator, or
in an open bracket. Here the next line begins a statement of its own, so what this one still needs
is missing. The message names what could stand there.
""",
    wrong="""\
spine 1

def twice(x) {
    let both =
    return both
}
""",
    right="""\
spine 1

def twice(x) {
    let both = x + x
    return both
}
""",
)
