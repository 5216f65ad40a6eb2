"""E0603: number too long."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0603",
    title="number too long",
    message="a number has at most {digits} digits and an exponent of at most {exponent}",
    label="too long",
    fix="nothing in a network needs numbers of that size",
    default=Default.ERROR,
    explanation="""\
A number has at most 30 digits, and an exponent is at most 30. Compile-time numbers are exact, never
rounded, so a short text such as `1e999999` would need a million digits. Nothing in a network needs
such a number; most likely a digit or the point was mistyped.
""",
    wrong="""\
spine 1

def f(x) {
    return conv(x, 1e999999, kernel = 1)
}
""",
    right="""\
spine 1

def f(x) {
    return conv(x, 1e3, kernel = 1)
}
""",
)
