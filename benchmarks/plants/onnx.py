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
        "ONNX: places of a square before the channels",
        "backends/onnx/reductions.py",
        "step.numbers(-1, 1, 0, 0), tensor=Tensor((maps, 1, *sides))",
        "step.numbers(0, 0, 0, 0), tensor=Tensor((maps, 1, *sides))",
        ("tests/backends/onnx",),
    ),
    Plant(
        "ONNX: epsilon of a batch norm",
        "backends/onnx/operators.py",
        "epsilon=epsilon, momentum=momentum",
        "epsilon=1e-5, momentum=momentum",
        ("tests/backends/onnx", AGREE),
    ),
    Plant(
        "ONNX: momentum is the share taken in",
        "backends/onnx/operators.py",
        "epsilon=epsilon, momentum=momentum",
        "epsilon=epsilon, momentum=1 - momentum",
        ("tests/backends/onnx/test_emit.py::test_momentum_is_the_share_of_the_statistics_that_stays",),
    ),
    Plant(
        "ONNX: slope of hard_swish before opset 14",
        "backends/onnx/operators.py",
        "alpha=1 / 6, beta=0.5))",
        "alpha=0.2, beta=0.5))",
        ("tests/backends/onnx/test_target.py::test_every_primitive_in_every_opset",),
    ),
    Plant(
        "ONNX: epsilon of a layer norm before opset 17",
        "backends/onnx/operators.py",
        'safe = step.part("safe", "Add", variance, step.above_zero(_real(step, "epsilon"))',
        'safe = step.part("safe", "Add", variance, step.above_zero(0.1)',
        ("tests/backends/onnx/test_target.py::test_every_primitive_in_every_opset",),
    ),
    Plant(
        "ONNX: a number that float32 does not hold",
        "backends/onnx/sketch.py",
        "_held(number, HALF_MOST if half else SINGLE_MOST)",
        "_held(number, HALF_MOST) if half else number",
        ("tests/backends/onnx/test_target.py::test_numbers_that_no_type_holds",),
    ),
    Plant(
        "ONNX: small epsilons become 0",
        "backends/onnx/sketch.py",
        "self.number(max(float(value), self.sketch.target.least))",
        "self.number(value)",
        ("tests/backends/onnx/test_target.py::test_nothing_divides_by_a_zero_that_only_the_type_has",),
    ),
    Plant(
        "ONNX: tensors of a second file without their pages",
        "backends/onnx/assemble.py",
        "for piece in (array.data, bytes(-array.nbytes % PAGE)):",
        "for piece in (array.data,):",
        ("tests/backends/onnx/test_target.py::test_tensors_in_a_second_file",),
    ),
    Plant(
        "ONNX: properties in any order",
        "backends/onnx/emit.py",
        "*sorted(metadata.items())",
        "*metadata.items()",
        ("tests/backends/onnx/test_emit.py::test_metadata",),
    ),
    Plant(
        "ONNX: a digest of the first source only",
        "backends/onnx/emit.py",
        "    for source in program.sources:\n        digest.update",
        "    for source in program.sources[:1]:\n        digest.update",
        ("tests/backends/onnx/test_emit.py::test_metadata",),
    ),
    Plant(
        "ONNX: bilinear from corner to corner",
        "backends/onnx/sizes.py",
        '"half_pixel"}',
        '"align_corners"}',
        ("tests/backends/onnx/test_emit.py::test_as_the_interpreter",),
    ),
    Plant(
        "agreement: what overflows in float32 is a fault of an engine",
        "agreement/compare.py",
        'return _begins(program, name, self.infinite_in_float32, "float32")',
        "return None",
        ("tests/agreement/test_compare.py",),
    ),
    Plant(
        "quantise: a network that gives no numbers is quantised",
        "performance/quantize.py",
        "    _see_finite(given, wanted, network, pictures)\n",
        "",
        ("tests/performance/test_python.py",),
    ),
)
