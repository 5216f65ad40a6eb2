"""E1041: exported model gives something else."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1041",
    title="exported model gives something else",
    message="{format} gives something else than PyTorch: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
Before a model is written, it is run beside the checkpoint, by PyTorch, on the same pictures, and what
the task makes of the outputs is compared: shares of classes, or vectors. They differ in their last
digits, since each runtime adds up in another order. Where they differ by more, nothing is written.

With `--half`, numbers have three digits, and a network whose maps hold large numbers may lose more than
that: leave it out. Otherwise this is an error of the format's converter or runtime, or of ours: please
report it, with the network.
""",
)
