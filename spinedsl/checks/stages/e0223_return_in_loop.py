"""E0223: return in a loop."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0223",
    title="return in a loop",
    message="a `return` cannot stand in a loop",
    label="every iteration runs to its end",
    fix="set a `var` in the loop, and return it below",
    default=Default.ERROR,
    explanation="""\
A loop is written out before the network exists: every iteration becomes operations, and there is
none that could leave early. A `return` among them would cut the rest off. Keep the value in a `var`
and return it below the loop.
""",
    wrong="""\
spine 1

def f(x) {
    var y = x
    repeat 3 {
        y = relu(y)
        return y
    }
    return y
}
""",
    right="""\
spine 1

def f(x) {
    var y = x
    repeat 3 {
        y = relu(y)
    }
    return y
}
""",
)
