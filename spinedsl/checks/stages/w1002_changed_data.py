"""W1002: data that changed."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1002",
    title="data that changed",
    message="the training data are not those that the checkpoint `{path}` was trained on",
    label="",
    default=Default.WARNING,
    explanation="""\
A resumed run goes on with the images where it stopped. Files were added, removed or changed since, so
that it is another run from here on: an image may come twice in an epoch, and one may have moved from
training to validation.
""",
)
