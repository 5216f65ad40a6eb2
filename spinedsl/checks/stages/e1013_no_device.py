"""E1013: no such device."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1013",
    title="no such device",
    message="there is no GPU to run on: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
The settings ask for a GPU, and PyTorch has none to give: it may be built without CUDA, or no driver
or GPU is visible to this process. `device = "auto"` takes a GPU where there is one, and else the
processor.
""",
)
