"""E0944: the network takes no pictures."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0944",
    title="the network takes no pictures",
    message="network `{network}` takes {channels} channels, and pictures have 1 or 3",
    label="",
    default=Default.ERROR,
    explanation="""\
The ranges of an int8 model are measured on real pictures, which are read from files with three
channels, or one for grey. This network takes another number of channels, so nothing says how a picture
becomes its input.

ONNX Runtime's own quantiser takes inputs of any kind: give it the model of `spine compile --to onnx
-O1`.
""",
)
