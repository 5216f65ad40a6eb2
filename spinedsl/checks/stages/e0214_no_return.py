"""E0214: missing return."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0214",
    title="missing return",
    message="`{name}` does not return on every path",
    label="expected a `return`{where}",
    default=Default.ERROR,
    explanation="""\
A definition gives what its `return` says. Here at least one way through it ends without one: often
the `return` stands in an `if`, and the other case was forgotten. Both arms are looked at, whatever
the condition is today, since another use of the definition may take the other one.
""",
    wrong="""\
spine 1

def f(x, deep = true) {
    if deep { return relu(x) }
}
""",
    right="""\
spine 1

def f(x, deep = true) {
    if deep { return relu(x) }
    return x
}
""",
)
