"""The engines of `spine quantize` in turns: `python -m benchmarks.int8 --checkpoint PATH --calibrate PATH`.

Each makes a model of everything in int8 but the last convolutions. Printed are its error on pictures that it was not
calibrated on, what it takes to store, how many convolutions ONNX Runtime computes in int8, and its time by that of the
float model of `-O1`: both run in turns in one process, one thread, by CPU time, on one picture. With labelled images
there are the figures of the task. Differences of time under 3% are noise on a machine that does other things.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import onnx
from onnx import ModelProto

from benchmarks.figures import measured
from benchmarks.passes import onnx_runtime, paired
from spinedsl import extras
from spinedsl.agreement import Size, image
from spinedsl.performance.given import of_checkpoint
from spinedsl.performance.quantize import Wanted, quantized
from spinedsl.quantise.engines import ENGINES, PACKAGES, version
from spinedsl.quantise.network import HEAVY, Float


def main() -> int:
    """Print a line for each engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        metavar="PATH",
        help="a checkpoint of `spine train`, or the folder of its run",
    )
    parser.add_argument("--calibrate", required=True, metavar="PATH", help="pictures")
    parser.add_argument("--data", metavar="PATH", help="images with labels")
    parser.add_argument("--images", type=int, default=64, metavar="N", help="how many of the pictures (default 64)")
    parser.add_argument("--pairs", type=int, default=30, metavar="N", help="runs of each (default 30)")
    options = parser.parse_args()
    given = of_checkpoint(options.checkpoint)
    network = Float(given.program, given.tensors, Wanted(options.calibrate).opset)
    shape = given.program.input_type
    x = image(given.program, Size(1, shape.height, shape.width))
    base = onnx_runtime(network.model.SerializeToString(), x)
    heavy = sum(node.op_type in HEAVY for node in network.model.graph.node)
    print(f"{given.program.name} at {shape.height} x {shape.width}, {heavy} convolutions and linear layers")
    for engine in ENGINES:
        if lacking := extras.missing(PACKAGES[engine]):
            print(f"{engine}: not installed: {', '.join(lacking)}")
            continue
        wanted = Wanted(options.calibrate, options.images, options.data, error=1, engine=engine)
        found = quantized(given, wanted, lambda text: None)
        model = found.choice.model
        median, best = paired(base, onnx_runtime(model.SerializeToString(), x), options.pairs)
        print(
            f"{version(engine):20} error {found.error:.4f}, {len(found.model) / 2**20:.2f} MiB, "
            f"{in_int8(model)} in int8, {median:.3f} of float, best {best:.3f}"
        )
        for name, before, after, difference in found.compared()[1:]:
            print(f"  {name:18} {before} in float, {after}, {difference}")
    return 0


def in_int8(model: ModelProto) -> int:
    """How many convolutions and linear layers ONNX Runtime computes in int8."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "optimised.onnx")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        found = (node.op_type for node in onnx.load(path).graph.node)
        return sum(operator in ("QLinearConv", "QGemm", "QLinearMatMul", "MatMulInteger") for operator in found)


if __name__ == "__main__":
    sys.exit(measured("int8", main))
