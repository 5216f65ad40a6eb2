"""Bugs in the bench, in int8 models, and in what rows wait for."""

from benchmarks.plants.plant import Plant

BENCH, INT8 = ("tests/timing/test_measure.py",), ("tests/quantise/test_quantise.py",)

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
        "quantise/engine.py",
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
        "quantise/engine.py",
        "model, True, reduce_range, QuantType.QInt8",
        "model, False, reduce_range, QuantType.QInt8",
        INT8,
    ),
    Plant(
        "traffic: activations move maps",
        "analysis/traffic.py",
        "if activation or node.primitive in",
        "if node.primitive in",
        ("tests/analysis/test_traffic.py",),
    ),
)
