"""E0115: version not first."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0115",
    title="version not first",
    message="the version must come first in a file",
    label="move it above everything else",
    default=Default.ERROR,
    explanation="""\
The version says how everything after it is to be read, so it stands above everything else; only
comments may come before it. The file is read as that version all the same, so the other messages
hold.
""",
    wrong="""\
import std.blocks
spine 1

def f(x) { return relu(x) }
""",
    right="""\
spine 1
import std.blocks

def f(x) { return relu(x) }
""",
)
