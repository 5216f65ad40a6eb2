"""E0106: missing brace."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0106",
    title="missing brace",
    message="the `{{` of this `{what}` is missing",
    label="expected `{{` here",
    fix="open it with `{{`",
    default=Default.ERROR,
    explanation="""\
What belongs to a network, a definition, an `if` or a loop stands between braces; indentation is for
the reader only. The closing brace is there, so only the opening one is missing.
""",
    wrong="""\
spine 1

def f(x, deep = true) {
    var y = x
    if deep
        y = relu(y)
    }
    return y
}
""",
    right="""\
spine 1

def f(x, deep = true) {
    var y = x
    if deep {
        y = relu(y)
    }
    return y
}
""",
)
