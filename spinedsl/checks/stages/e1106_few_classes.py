"""E1106: too few classes."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1106",
    title="too few classes",
    message="`{path}` has {got}: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A classifier of one class answers before it has seen anything, and its loss is 0 from the first step
on. Images for training have at least two classes, each with a picture.

It happens when the path names the folder of one class, and not the folder that holds all of them.
""",
)
