"""E0108: stray character."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0108",
    title="stray character",
    message="{character} has no meaning here",
    label="not part of the language",
    default=Default.ERROR,
    explanation="""\
This character is no part of the language. There are no semicolons, `and` and `or` are written as
words, and names are made of ASCII letters, digits and `_`, since they become names in Python and of
tensors. In comments every readable character is welcome.
""",
    wrong="""\
spine 1

def f(x) {
    let y = relu(x);
    return y
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
