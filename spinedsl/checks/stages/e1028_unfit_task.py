"""E1028: unfit task."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1028",
    title="unfit task",
    message="{what}, and `{path}` is for {task}",
    label="",
    default=Default.ERROR,
    explanation="""\
A gallery holds vectors, which a network gives that was trained to embed; a classifier gives shares of
the classes that it knows, and nobody else can be told by them. Top-k, in turn, is of classes.
""",
)
