"""W1004: file of a run not written."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1004",
    title="file of a run not written",
    message="`{path}` could not be written: {reason}",
    label="",
    default=Default.WARNING,
    explanation="""\
The run goes on. A checkpoint that was there before stands as it was, and the next one is tried at its
time: until then, a run that ends would lose the steps since. Of a log, the lines that there was no
room for are missing; nothing more is written for TensorBoard. The last checkpoint of a run has to be
written: where that fails, the run ends with an error.
""",
)
