"""E0901: weights do not fit."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0901",
    title="weights do not fit",
    message="the weights in `{path}` do not fit network `{network}`",
    label="",
    default=Default.ERROR,
    explanation="""\
The weights were trained for a network with other parameters. Tensors are matched by name, which is
the path in the file (`b5.from_b2.reduce.conv.weight`), and by shape, and all of them have to fit: a
model with some weights at random runs as well, and its numbers are worthless. The message lists
what is missing, unexpected or of another shape.

It happens with `spine compile net.spine --to onnx --weights old.safetensors` after a block was
added or renamed, or with another `--network` of the same file than the one that was trained:
SpineNet49 has other shapes than SpineNet49S. A checkpoint of another implementation has other names
and needs them changed first.
""",
)
