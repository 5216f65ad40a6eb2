"""E1107: head of another number of classes."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1107",
    title="head of another number of classes",
    message="the network has {outputs}, and `{path}` has {classes}",
    label="",
    default=Default.ERROR,
    explanation="""\
A classifier gives one number for each class. With fewer outputs than classes some labels have none,
and with more of them some never get a picture.

Write the number of classes where the network's head says it, as in `classifier(classes = 10)`, or
name the classes in the configuration. A folder that is no class, such as one of rejected pictures,
counts as one: move it elsewhere.
""",
)
