"""E0940: the engine failed."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0940",
    title="the engine failed",
    message="{engine} does not run network `{network}`: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
An engine that was to run the network stopped with an error of its own, which the message repeats. The
network is sound, as `spine check` says; engines differ in what they can do: in versions of ONNX, in
memory, in what they compile for. `torch-compiled` needs a C++ compiler on the machine.

Leave the engine out (`--engines` names the others), bring its package up to date, or choose a smaller
size of the input. `spine verify` tells whether engines agree at small sizes.
""",
)
