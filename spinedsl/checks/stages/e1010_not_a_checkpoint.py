"""E1010: not a checkpoint."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1010",
    title="not a checkpoint",
    message="`{path}` is no checkpoint of a training: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A run is resumed, and a trained network is used, from a checkpoint that `spine train` wrote: besides
the weights it holds the network's text, the preprocessing, the task and, to resume, the state of the
optimizer. A file of weights alone has none of that.

To begin with such weights, give them as `--weights`.
""",
)
