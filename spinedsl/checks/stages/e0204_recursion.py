"""E0204: recursive definition."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0204",
    title="recursive definition",
    message="`{name}` calls itself{way}",
    label="this call closes the circle",
    fix="do it a known number of times instead: `repeat n {{ … }}`",
    default=Default.ERROR,
    explanation="""\
Definitions are written out in full when a network is compiled, and a definition that reaches itself
would never end. So none may, directly or by way of others, and every file is sure to finish. What
would be recursion is a loop of known length: `repeat n { … }`.
""",
    wrong="""\
spine 1

def deep(x, depth) {
    return deep(relu(x), depth - 1)
}
""",
    right="""\
spine 1

def deep(x, depth) {
    var y = x
    repeat depth { y = relu(y) }
    return y
}
""",
)
