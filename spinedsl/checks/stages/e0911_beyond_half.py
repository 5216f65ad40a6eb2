"""E0911: number beyond float16."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0911",
    title="number beyond float16",
    message="{what} is beyond float16, whose largest number is 65,504",
    label="it would become infinite",
    default=Default.ERROR,
    explanation="""\
With `--half` every number of an ONNX model is a float16, whose largest is 65,504. A number in the
file, or in the weights, is larger; it would become infinite, and the outputs with it.

Numbers that are nearly 0 lose digits, and that is not reported: it is what one asks for. Keep float32,
or, where single numbers of a tensor are that large, look at the training: a running variance of a
million mostly says that something went wrong.
""",
)
