"""E1012: batch norm of one value."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1012",
    title="batch norm of one value",
    message="batch norm `{name}` would see one number for each channel",
    label="",
    default=Default.ERROR,
    explanation="""\
In training a batch norm computes the mean and variance of each channel over all images of a part of
the batch and all places of the map. Of a map of 1x1 and a single image there is one number, whose
variance is 0: nothing could be learned behind it.

Take more images at once (a larger `batch`, a smaller `accumulate`, fewer processes), larger images,
or freeze the batch norms.
""",
)
