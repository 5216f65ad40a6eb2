"""W0902: changed since it was written."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W0902",
    title="changed since it was written",
    message="`{path}` has changed since it was written: {what}",
    label="",
    default=Default.WARNING,
    explanation="""\
The ONNX model was written by `spine compile`, and another tool has changed it since: its format
version, its graph, the type of its tensors, or where they stand. That is no damage, so it is read.

Where the tensors are as they were, their digest still holds. Where they have other names, shapes or
types, nothing vouches for their numbers any more. A model whose tensors keep their form and have
other numbers is damaged (E0908).
""",
)
