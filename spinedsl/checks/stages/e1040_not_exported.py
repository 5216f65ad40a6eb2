"""E1040: not an exported model."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1040",
    title="not an exported model",
    message="`{path}` is no exported model: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A model that `spine export --to onnx` wrote says in its property `spinedsl.trained` what it is for: its
task, the names of its classes, the preprocessing that it does, and the digest of the network that it was
made of. An ONNX model of `spine compile` is a network alone, which takes numbers and not pictures.

The model is refused where any bit of it has changed since it was written.
""",
)
