"""E1015: loss of one's own that cannot be followed."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1015",
    title="loss of one's own that cannot be followed",
    message="the loss that was given returns {got}",
    label="",
    default=Default.ERROR,
    explanation="""\
A loss given from Python gets the outputs by name, the labels and the step, and returns one number for
the whole batch: a tensor without axes that was computed from the outputs, so that gradients lead back
into the network.

A number for each image needs `.mean()`. A Python number, or a tensor that went through `.item()`,
`.detach()` or NumPy, has no gradient any more.
""",
)
