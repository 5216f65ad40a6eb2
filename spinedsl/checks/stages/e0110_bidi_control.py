"""E0110: bidirectional control."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0110",
    title="bidirectional control",
    message="{character} reorders the displayed text",
    label="hidden here",
    fix="take it away",
    default=Default.ERROR,
    explanation="""\
A bidirectional control character changes the order in which text is displayed, not the order in
which it is read. With one of them a file can show a reviewer something else than the compiler sees;
the attack is known as Trojan Source (Boucher and Anderson, 2021). So there is none anywhere in a
file, not even in a comment. The example shows it by its number.
""",
    wrong="""\
spine 1

# The width is \\u{202e}652
def f(x) { return relu(x) }
""",
    right="""\
spine 1

# The width is 256
def f(x) { return relu(x) }
""",
)
