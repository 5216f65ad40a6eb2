"""Bugs in the ONNX that is written."""

from benchmarks.plants.plant import AGREE, Plant

PLANTS: tuple[Plant, ...] = (
    Plant(
        "ONNX: concat in the other order",
        "backends/onnx/operators.py",
        'step.last("Concat", *inputs, axis=1)',
        'step.last("Concat", *inputs[::-1], axis=1)',
        ("tests/backends/onnx",),
    ),
    Plant(
        "ONNX: epsilon of a batch norm",
        "backends/onnx/operators.py",
        "epsilon=epsilon, momentum=momentum",
        "epsilon=1e-5, momentum=momentum",
        ("tests/backends/onnx", AGREE),
    ),
)
