"""W1004: checkpoint not written."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1004",
    title="checkpoint not written",
    message="the checkpoint `{path}` could not be written: {reason}",
    label="",
    default=Default.WARNING,
    explanation="""\
The run goes on, and the checkpoint that was there before stands as it was. The next one is tried at
its time: until then, a run that ends would lose the steps since.
""",
)
