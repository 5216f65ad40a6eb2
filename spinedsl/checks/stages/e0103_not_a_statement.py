"""E0103: not a statement."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0103",
    title="not a statement",
    message="`{found}` does not begin a statement {where}",
    label="expected {expected}",
    default=Default.ERROR,
    explanation="""\
Every statement begins with a keyword that says what it is, and each place has its own few: networks
and definitions at the top of a file, rows and settings in a network, `let`, `var`, `if` and loops
in a definition. The message lists those of this place. Words of Python are not among them: a loop
over numbers is `repeat i in 3 { … }`, over feature maps `each p in maps { … }`.
""",
    wrong="""\
spine 1

def deep(x) {
    var y = x
    for i in 3 { y = relu(conv(y, 64, kernel = 3)) }
    return y
}
""",
    right="""\
spine 1

def deep(x) {
    var y = x
    repeat i in 3 { y = relu(conv(y, 64, kernel = 3)) }
    return y
}
""",
)
