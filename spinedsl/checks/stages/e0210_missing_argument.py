"""E0210: missing argument."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0210",
    title="missing argument",
    message="`{callee}` needs `{name}`",
    label="`{name}` has no default and is not given",
    default=Default.ERROR,
    explanation="""\
This parameter has no default, so it has to be given. Where no value is right more often than
others, the language has none: a convolution says its channels and its kernel. Parameters of your
own get a default by `name = value` in the definition.
""",
    wrong="""\
spine 1

def f(x) {
    return conv(x, 64)
}
""",
    right="""\
spine 1

def f(x) {
    return conv(x, 64, kernel = 3)
}
""",
)
