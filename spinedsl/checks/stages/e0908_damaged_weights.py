"""E0908: damaged weights file."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0908",
    title="damaged weights file",
    message="`{path}` is damaged: {reason}",
    label="",
    fix="fetch it again, or write it again with the command that wrote it",
    default=Default.ERROR,
    explanation="""\
What spine writes has a digest of every tensor and of the header, or of the whole ONNX model: a bit
that flips on a disk or in a transfer would otherwise load as wrong numbers, and nobody would
notice. The message says which tensors have changed, or that the header has. The file cannot be
repaired: fetch it again, or write it again. Of a training there are other checkpoints in its folder.

It is also reported where another program changed a file and kept our digests: write it without the
metadata that begins with `spine.`, and `spine weights convert` gives new ones.
""",
)
