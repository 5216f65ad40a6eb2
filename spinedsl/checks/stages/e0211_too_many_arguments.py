"""E0211: too many arguments."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0211",
    title="too many arguments",
    message="`{callee}` takes {most} in order, got {got}",
    label="one too many from here",
    default=Default.ERROR,
    explanation="""\
Arguments without a name fill the parameters that take them, in order, and here are more than there
are places. Of a primitive, only what it cannot do without goes in order, as in `conv(x, 64, 3)`;
`stride`, `padding` and the like have names, so that a reader need not know their order.
""",
    wrong="""\
spine 1

def f(x) {
    return relu(x, 6)
}
""",
    right="""\
spine 1

def f(x) {
    return relu6(x)
}
""",
)
