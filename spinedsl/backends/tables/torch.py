"""What the PyTorch backend takes."""

from spinedsl.backends import ADAPTERS
from spinedsl.backends.option import FINDING, VERIFY, Declared, Option

DECLARED = Declared(
    "PyTorch",
    packages=(),
    options=(
        Option(
            "adapter", "choice", f"what a host expects of a backbone, in the same file: {', '.join(ADAPTERS)}",
            metavar="HOST", choices=ADAPTERS, what="host",
        ),
        Option("inference", "flag", "a file that only runs: norms folded, least memory, channels last"),
        *FINDING,
        VERIFY,
    ),
    instead={
        "weights": "a PyTorch file takes them when it is run, by `model.load_state_dict(…)`",
        "seed": "a PyTorch file draws its values when it is run: `model.reset({value})`",
        "dynamic": "a PyTorch file takes every size that fits, as it is",
        "opset": "a PyTorch file is made of PyTorch's own operations",
        "batch": "a PyTorch file takes any number of images",
        "half": "a PyTorch module is turned when it is run: `model.half()`",
        "runtime": "a PyTorch file is run by PyTorch",
        "optimise": "a PyTorch file is as the definitions say, to be trained: `inference` writes one that only runs",
        "external_data": "a PyTorch file holds no tensors",
    },
)  # fmt: skip
