"""E0904: not a state dict."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0904",
    title="not a state dict",
    message="`{path}` is not a plain state dict: {reason}",
    label="",
    fix="save `model.state_dict()` and nothing else, best as `.safetensors`",
    default=Default.ERROR,
    explanation="""\
A pickled file can run any code when it is opened, and checkpoints are passed around a lot. So of
what PyTorch saved only tensors by name are read, with `weights_only`. Objects of a trainer's own
classes, such as its settings, are not looked up and left out; a file that asks for a function of
Python or of PyTorch itself is refused, and nothing in it is run.

It happens with a file from `torch.save(model)`, which holds the whole module. Where you trust the
file, open it yourself and save the part that counts, best as safetensors:
`save_file(model.state_dict(), "model.safetensors")`.
""",
)
