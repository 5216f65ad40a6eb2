"""E0902: unknown kind of weights."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0902",
    title="unknown kind of weights",
    message="`{path}` is no weights file: it is {what}",
    label="",
    default=Default.ERROR,
    explanation="""\
What is in a file decides what it is, not what it is called. This one is none of what weights are
read from: safetensors, what PyTorch saves, an `.npz` archive of NumPy, an ONNX model, an index of
several of these, or a folder with one of them.

Files of Keras and TensorFlow become one by a dump of their variables to `.npz`, which
`spine weights convert --help` shows. A pointer of Git LFS or a web page in place of the weights means
that they were not fetched yet.
""",
)
