"""W1113: boxes without area."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1113",
    title="boxes without area",
    message="{count} of `{path}` {have} no area, and {are} not learned",
    label="",
    default=Default.WARNING,
    explanation="""\
Such a box is 0 pixels wide or high. COCO's own training set has a few, whose objects are thinner than
a pixel. No place can be taught to find one, so training leaves it out.

Average precision counts its object all the same, as pycocotools does: as one that is not found. Take
the box out if it is there by mistake.
""",
)
