"""E0213: not a var."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0213",
    title="not a var",
    message="`{name}` cannot be assigned: it is {what}",
    label="only a `var` changes its value",
    default=Default.ERROR,
    explanation="""\
`let` names a value once and for all, and that name is part of its parameters' names in a
checkpoint; parameters of a definition keep what they were given. So neither can change. A value
that changes in a loop or a branch is a `var`.
""",
    wrong="""\
spine 1

def f(x) {
    let y = relu(x)
    repeat 2 { y = relu(y) }
    return y
}
""",
    right="""\
spine 1

def f(x) {
    var y = relu(x)
    repeat 2 { y = relu(y) }
    return y
}
""",
)
