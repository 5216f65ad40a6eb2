"""E0942: a model of another network."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0942",
    title="a model of another network",
    message="`{path}` cannot be compared with network `{network}`: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A model is measured beside the network that it was made of, at the same size of the input and the same
number of images. The one that is given is of another network, or takes images of another size.

`spine quantize` makes an int8 model of a network; `--input` and `--batch` choose the size that is
measured.
""",
)
