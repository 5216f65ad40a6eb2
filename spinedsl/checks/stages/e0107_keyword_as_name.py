"""E0107: keyword used as a name."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0107",
    title="keyword used as a name",
    message="`{word}` is a keyword and cannot be a name",
    label="expected a name",
    fix="choose another name, say `{word}_`",
    default=Default.ERROR,
    explanation="""\
The words that build rows and statements, such as `input`, `level`, `from` and `repeat`, are
reserved. If a block could be called `level`, then `level from b0` could be read in two ways, and
the messages about it would be guesses. `channels` is no keyword: definitions need it as the name of
a parameter.
""",
    wrong="""\
spine 1

def reduce(x, level) {
    return conv(x, level, kernel = 1)
}
""",
    right="""\
spine 1

def reduce(x, width) {
    return conv(x, width, kernel = 1)
}
""",
)
