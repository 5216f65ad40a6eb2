"""W1108: boxes around many objects."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1108",
    title="boxes around many objects",
    message="`{path}` has {count} around many objects at once, or marked as difficult",
    label="",
    default=Default.WARNING,
    explanation="""\
COCO's crowds (`iscrowd`) are boxes around many objects that nobody told apart; VOC marks objects that
are difficult. A detector is taught neither to find them nor to be silent there, and what it finds in
them counts neither as right nor as wrong.

If every object of a data set is marked so, nothing is learned: mostly the mark was set by mistake.
""",
)
