"""What finding boxes adds to a network in ONNX Runtime: `python -m benchmarks.detection_time`.

The network alone and the one compiled with `--detect` run in turns in one process, on one thread, by CPU time: the
median of the ratios of pairs, and the ratio of the best. Networks are those of `examples/learning/many_sizes` at their
size, with points as they are and with RetinaNet's nine anchors; weights are drawn. What it costs hangs on how many of
their candidates are above the threshold, so there are three: that of the options; one that 200 candidates are above,
as of a network that knows; and 0, which all are above.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import ROOT, measured
from benchmarks.passes import onnx_runtime, paired
from spinedsl import api
from spinedsl.agreement import Size, image
from spinedsl.ops.detection import SCORE, Detector, detector
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.program import Program
from spinedsl.source import Source
from spinedsl.weights import Weights

FILE = ROOT / "examples/learning/many_sizes/networks.spine"
ANCHORS = """\
    head scores: retina_tower(outputs = 9 * classes, depth = depth, start = -4.6) from P3, P4, P5, P6, P7 channels tower
    head boxes: retina_tower(outputs = 9 * 4, depth = depth) from P3, P4, P5, P6, P7 channels tower
    task find: detection(classes = classes, ratios = [0.5, 1, 2], scales = 3, size = 4) classes scores boxes boxes
}
"""
FEW = 200


def source(anchored: bool, classes: int) -> Source:
    """The networks of the example, as they are or with anchors, for so many classes."""
    text = FILE.read_text(encoding="utf-8").replace("classes = 1,\n    size", f"classes = {classes},\n    size")
    if anchored:
        while (start := text.find("    head found: fcos")) >= 0:
            end = text.index("}\n", start) + 2
            text = text[:start] + ANCHORS + text[end:]
    return Source.from_text(text, "networks.spine")


def scores_of(what: Detector, outputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """The scores of all candidates of an image."""

    def sigmoid(names: tuple[str, ...]) -> list[NDArray[Any]]:
        return [1 / (1 + np.exp(-outputs[name].astype(np.float64))) for name in names]

    classes = sigmoid(what.scores)
    if what.quality:
        classes = [np.sqrt(one * other) for one, other in zip(classes, sigmoid(what.quality), strict=True)]
    return np.concatenate([one.ravel() for one in classes])


def thresholds(program: Program, outputs: Mapping[str, NDArray[Any]]) -> dict[str, float]:
    """The scores that boxes are found above, by how they are called."""
    scores = scores_of(detector(program), outputs)
    share = float((scores > SCORE).mean())
    few = float(np.sort(scores)[-FEW - 1])
    return {f"{share:.0%} above {SCORE}": SCORE, f"{FEW} above {few:.3f}": few, "100% above 0": 0.0}


def model(networks: Source, given: Mapping[str, Any]) -> bytes:
    """The one file of a compilation."""
    (data,) = api.compile(networks, **given).values()
    return data


def main() -> int:
    """Print a line for each network and threshold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=60, metavar="N", help="runs of each (default 60)")
    parser.add_argument("--dynamic", default="", metavar="AXES", help="axes that stay open, such as batch,height,width")
    options = parser.parse_args()
    for name, anchored, classes in (
        ("Permuted", False, 1), ("R50FPN", False, 1), ("Permuted", False, 8), ("Permuted", True, 1),
        ("R50FPN", True, 1), ("Permuted", True, 8),
    ):  # fmt: skip
        networks = source(anchored, classes)
        program = api.program(networks, network=name)
        weights = Weights("drawn", seeded(flatten(program).parameters, 0))
        given: dict[str, Any] = {
            "network": name, "weights": weights, "to": "onnx", "dynamic": [*filter(None, options.dynamic.split(","))],
        }  # fmt: skip
        x = image(program, Size(1, 256, 256))
        alone = onnx_runtime(model(networks, given), x)
        for called, score in thresholds(program, dict(zip(program.outputs, alone(), strict=True))).items():
            finding = onnx_runtime(model(networks, {**given, "detect": True, "score": score}), x)
            median, best = paired(alone, finding, options.pairs)
            kind = f"{'anchors' if anchored else 'points'}, {classes} {'class' if classes == 1 else 'classes'}"
            print(f"{name:8} {kind:18} {called:19} {median:.3f} of the network alone, best {best:.3f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(measured("detection_time", main))
