"""Bugs in the bench, in int8 models, and in what rows wait for."""

from benchmarks.plants.plant import Plant

BENCH, INT8 = ("tests/timing/test_measure.py",), ("tests/quantise/test_quantise.py",)
WINOGRAD = ("tests/passes/test_winograd.py",)
ENGINES = ("tests/quantise/test_engines.py",)

PLANTS: tuple[Plant, ...] = (
    Plant(
        "bench: one engine is always the first",
        "timing/measure.py",
        "at = (number + turn) % len(engines)",
        "at = turn",
        BENCH,
    ),
    Plant(
        "bench: ratios of medians instead of rounds",
        "timing/report.py",
        "return statistics.median(mine / (first or 1e-9) for mine, first in pairs)",
        "return one.best / self.timings[0].best",
        BENCH,
    ),
    Plant(
        "bench: OpenVINO computes in whatever it likes",
        "timing/engines.py",
        '{FLOAT: "f32", BFLOAT: "bf16"}[precision]',
        '"bf16"',
        BENCH,
    ),
    Plant(
        "int8: predictions too",
        "quantise/network.py",
        "if node.name not in self.predictions and (row := row_of(node)):",
        "if row := row_of(node):",
        INT8,
    ),
    Plant(
        "int8: the best rows stay float, not the worst",
        "quantise/choose.py",
        "key=lambda row: -alone[row]",
        "key=lambda row: alone[row]",
        INT8,
    ),
    Plant(
        "int8: kernels have one scale for all channels",
        "quantise/engines/onnxruntime.py",
        "model, True, reduce_range, QuantType.QInt8",
        "model, False, reduce_range, QuantType.QInt8",
        INT8,
    ),
    Plant(
        "int8: the kernel of a convolution along the channels is no tensor",
        "quantise/network.py",
        'if node.op_type == "Unsqueeze" and',
        'if node.op_type == "None" and',
        ENGINES,
    ),
    Plant(
        "int8: by NNCF a depthwise convolution takes a scale for each channel, which ONNX Runtime does not run",
        "quantise/engines/nncf.py",
        "QuantizationParameters(per_channel=False)",
        "QuantizationParameters(per_channel=True)",
        ENGINES,
    ),
    Plant(
        "int8: by NNCF what a norm takes is a float number",
        "quantise/engines/nncf.py",
        "            if others:\n",
        "            if not others:\n",
        ENGINES,
    ),
    Plant(
        "traffic: activations move maps",
        "analysis/traffic.py",
        "if activation or node.primitive in",
        "if node.primitive in",
        ("tests/analysis/test_traffic.py",),
    ),
    Plant(
        "winograd: the last tile of a height that four do not divide begins a row too late",
        "backends/onnx/winograd.py",
        '"pads": [1 - first, 0, last - ROWS + self.below, 0]',
        '"pads": [1 - first, 0, last - ROWS, 0]',
        WINOGRAD,
    ),
    Plant(
        "winograd: the bias is left out of the third row of each tile",
        "backends/onnx/winograd.py",
        'self.times("fourfold", far, 4, *self.bias)',
        'self.times("fourfold", far, 4)',
        WINOGRAD,
    ),
    Plant(
        "winograd: kernels are shared by convolutions of other tensors",
        "backends/onnx/winograd.py",
        'return self._once(made, "kernel", weight, index)',
        'return self._once(made, "kernel", shape, index)',
        WINOGRAD,
    ),
    Plant(
        "winograd: an open height that four do not divide",
        "passes/winograd.py",
        "and program.divisor // x.strides[0] % ROWS == 0",
        "and program.divisor // x.strides[0] > 1",
        WINOGRAD,
    ),
)
