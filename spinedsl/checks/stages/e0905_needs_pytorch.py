"""E0905: PyTorch needed."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0905",
    title="PyTorch needed",
    message="reading `{path}` needs PyTorch, which is not installed",
    label="",
    fix="install `torch`, or save the tensors as `.safetensors`",
    default=Default.ERROR,
    explanation="""\
A `.pt` or `.pth` file is PyTorch's own format, and only PyTorch can read it. It is not installed
here, because the compiler does without it otherwise: a `.safetensors` file, for one, needs no
PyTorch.

Install it (`pip install 'spinedsl[torch]'`), or convert the weights on a machine that has it:
`save_file(torch.load("model.pt"), "model.safetensors")`.
""",
)
