"""E0910: not a backbone for this host."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0910",
    title="not a backbone for this host",
    message="network `{network}` cannot be a backbone of {host}: {reason}",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
With `--adapter` the PyTorch file also has what a host, such as timm or torchvision, expects of a
backbone. A backbone gives feature maps, and the host brings the heads; so a network with heads of
its own has no place there. Each host uses names of its own on the module, which no row may have,
and torchvision's detectors read all maps with one head, so all must have the same channels.

Take the network that the heads stand on, rename the row, or let every output end in an `endpoint`
of the same width. Without `--adapter` the file is written as it is, and needs only PyTorch.
""",
)
