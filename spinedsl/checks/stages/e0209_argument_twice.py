"""E0209: argument given twice."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0209",
    title="argument given twice",
    message="`{name}` is given twice to `{callee}`",
    label="given again here",
    default=Default.ERROR,
    explanation="""\
Each parameter takes one value, and the second of two would have to win or lose silently. Arguments
without a name fill the parameters in order, so a name may repeat what stands in order before it:
`conv(x, 64, channels = 32)`.
""",
    wrong="""\
spine 1

def f(x) {
    return conv(x, 64, kernel = 3, kernel = 5)
}
""",
    right="""\
spine 1

def f(x) {
    return conv(x, 64, kernel = 3)
}
""",
)
