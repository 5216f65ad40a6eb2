"""E1024: no data to evaluate on."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1024",
    title="no data to evaluate on",
    message="there is nothing to evaluate `{path}` on: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
Without `--data`, a checkpoint is evaluated on the validation images of the configuration that it was
trained by. The checkpoint keeps that configuration, and the way to its folder, but no images.

`--data` names a folder, a list, idx files, or a configuration whose validation images are taken.
""",
)
