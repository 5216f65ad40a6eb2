"""E1004: setting out of range."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1004",
    title="setting out of range",
    message="`{name}` must be {expected}, got {got}",
    label="expected {expected}",
    default=Default.ERROR,
    explanation="""\
The value is of the right kind and cannot be meant: a batch of no images, a share above 1, a negative
learning rate. The message has the range.
""",
)
