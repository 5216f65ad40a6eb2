"""W1102: one picture in two classes."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1102",
    title="one picture in two classes",
    message="`{path}` and `{other}` are the same picture, of the classes `{second}` and `{first}`",
    label="{label}",
    default=Default.WARNING,
    explanation="""\
Two files have the same pixels and different classes: one label is wrong, or the picture shows both.
No network can learn to tell them apart, and each costs accuracy.

Decide for one class, and take the other file away.
""",
)
