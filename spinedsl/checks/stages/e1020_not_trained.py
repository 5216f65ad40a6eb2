"""E1020: not a trained network."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1020",
    title="not a trained network",
    message="`{path}` is no trained network: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A trained network is a checkpoint that `spine train` wrote, or an ONNX model that `spine export` made
of one. Both hold what their use needs beside the weights: the preprocessing, the task, the classes.
Weights alone, or an ONNX model of another code, do not say what their numbers mean.

The folder of a run may be named too: its best checkpoint is taken.
""",
)
