"""E0917: model that cannot be filled."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0917",
    title="model that cannot be filled",
    message="`{path}` cannot be filled with `{weights}`: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
`spine weights put` writes other tensors into an ONNX model that `spine compile` wrote, and leaves the
graph as it is. That is refused where compiling would give another graph, and for a model that
something else wrote or changed.

Which batch norms become part of a kernel depends on the weights: a norm stays where a number of
that kernel would be beyond the largest of float32, or with `--half` of float16. A model in which one
stays is for its own weights, and one in which all are folded is for weights that can be folded.
Compile the network with the other weights.
""",
)
