"""E0907: model too large."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0907",
    title="model too large",
    message="the tensors of network `{network}` take {size} GiB: {reason}",
    label="larger than one file can be",
    default=Default.ERROR,
    explanation="""\
The tensors of this network are too many for what was asked. An ONNX model is one protobuf message,
which holds at most 2 GiB; a larger one keeps its tensors in a second file beside it, whose name the
model knows. That needs a file: not standard output, and not `--external-data never`. And putting
them together takes twice the room that they take themselves.

With `--half` they take half of it. The largest published SpineNet has 127 million parameters, half
a GiB, so perhaps a width or a number of repeats is larger than it was meant to be: `spine stats`
shows which rows have the parameters.
""",
)
