"""E0602: nested too deep."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0602",
    title="nested too deep",
    message="{what} is nested too deep",
    label="{limit}",
    default=Default.ERROR,
    explanation="""\
Expressions go at most 64 levels deep and the braces of a definition 20. No person writes deeper
ones, but programs do, and each level costs the compiler some of its stack; so the limit is a
message with a place and not a crash. Give parts of the expression names by `let`, add up a list by
`sum([a, b, c])`, or put inner loops into a `def`.
""",
    wrong="""\
spine 1

def f(x) {
    return x * ----------------------------------------------------------------------1
}
""",
    right="""\
spine 1

def f(x) {
    return x * -1
}
""",
)
