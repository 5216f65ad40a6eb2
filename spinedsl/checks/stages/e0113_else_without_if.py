"""E0113: else without if."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0113",
    title="else without if",
    message="this `else` belongs to no `if`",
    label="expected after the `}}` of an `if`",
    default=Default.ERROR,
    explanation="""\
An `else` belongs to the `if` whose brace closes just before it. This one follows something else:
another statement stands between, or there never was an `if`.
""",
    wrong="""\
spine 1

def f(x, deep = true) {
    var y = x
    if deep { y = relu(y) }
    y = relu(y)
    else { y = relu6(y) }
    return y
}
""",
    right="""\
spine 1

def f(x, deep = true) {
    var y = x
    if deep { y = relu(y) } else { y = relu6(y) }
    return y
}
""",
)
