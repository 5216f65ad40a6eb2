"""E0111: hidden character."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0111",
    title="hidden character",
    message="{character} is not allowed in a file",
    label="hidden here",
    fix="take it away",
    default=Default.ERROR,
    explanation="""\
Zero-width characters and control characters cannot be seen, yet they make two names differ that
look the same. They come with text copied from web pages and chats. The example shows the character
by its number.
""",
    wrong="""\
spine 1

def f(x) {
    return re\\u{200b}lu(x)
}
""",
    right="""\
spine 1

def f(x) {
    return relu(x)
}
""",
)
