"""W1020: images of one class."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1020",
    title="images of one class",
    message="all images of `{path}` are of the class `{name}`",
    label="",
    default=Default.WARNING,
    explanation="""\
The figures are then the recall of that class: a network that answers nothing else would have 100%.

It happens when the path names the folder of one class, and not the folder that holds all of them.
""",
)
