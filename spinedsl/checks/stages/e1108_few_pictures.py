"""E1108: fewer pictures than a batch."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1108",
    title="fewer pictures than a batch",
    message="`{path}` has {pictures}, fewer than a batch of {batch}",
    label="",
    default=Default.ERROR,
    explanation="""\
Every batch of training is full, so that steps are alike whatever the number of pictures. With fewer
pictures than one batch there is no step.

Make `batch` in [run] smaller; with `accumulate`, it is that of all parts together.
""",
)
