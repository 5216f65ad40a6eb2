"""E0116: not UTF-8."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0116",
    title="not UTF-8",
    message="the file is not UTF-8: byte {byte} at offset {offset}",
    label="valid up to here",
    fix="save the file as UTF-8",
    default=Default.ERROR,
    explanation="""\
A `.spine` file is text in UTF-8, everywhere and whatever the system's settings, so that it means
the same on every machine. A byte here fits no UTF-8 text: the file was saved in another encoding,
or it is not text at all. Save it as UTF-8; most editors have a menu entry for it. The example shows
the byte by its number.
""",
    wrong="""\
spine 1

# By Zo\\x{eb}
def f(x) { return relu(x) }
""",
    right="""\
spine 1

# By Zoë
def f(x) { return relu(x) }
""",
)
