"""E0215: unreachable statement."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0215",
    title="unreachable statement",
    message="nothing after a `return` is reached",
    label="take this away, or the `return`",
    default=Default.ERROR,
    explanation="""\
A `return` ends the definition, so what follows it never becomes part of the network. It is no
harmless leftover: a reader would think it counts.
""",
    wrong="""\
spine 1

def f(x) {
    let y = relu(x)
    return y
    let z = relu6(y)
}
""",
    right="""\
spine 1

def f(x) {
    let y = relu(x)
    return y
}
""",
)
