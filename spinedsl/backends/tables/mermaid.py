"""What the Mermaid backend takes: nothing."""

from spinedsl.backends.option import FINDING, Declared

DECLARED = Declared(
    "Mermaid",
    packages=(),
    options=(),
    instead={
        "weights": "a chart shows no values",
        "seed": "a chart shows no values",
        "dynamic": "a chart is of one size",
        "opset": "a chart has no operators",
        "batch": "a chart is of one image",
        "half": "a chart shows no values",
        "external_data": "a chart holds no tensors",
        "runtime": "a chart cannot be run",
        "optimise": "a chart shows the rows as written",
        "inference": "a chart shows the rows as written",
        "adapter": "hosts take PyTorch modules",
        **dict.fromkeys((option.name for option in FINDING), "a chart finds nothing"),
        "verify": "a chart cannot be run",
    },
)
