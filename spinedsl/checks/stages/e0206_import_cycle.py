"""E0206: imports in a circle."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0206",
    title="imports in a circle",
    message="these files import each other: {way}",
    label="this import closes the circle",
    fix="move what both files need into a third, and import that",
    default=Default.ERROR,
    explanation="""\
An import brings in what the other file defines, so that file is read first. When files import each
other, each would have to come before the other. Move what both need into a third file that imports
neither.
""",
    wrong="""\
spine 1
import "net.spine"

def twice(x) { return relu(relu(x)) }
""",
    right="""\
spine 1

def twice(x) { return relu(relu(x)) }
""",
)
