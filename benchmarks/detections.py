"""The same boxes from PyTorch, a generated file and ONNX Runtime: `make detections`.

Random numbers of heads, of points and anchors, with and without a quality, of one class and of five: one to four
images, few and many boxes, ties, boxes turned over or without area, numbers that are infinite or none. The tests do the
first 48 of them each time. Boxes, scores, classes and counts have to be the same to the last bit, in the same order.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.figures import measured
from tests.backends.heads import case, differing, of_pytorch


def main() -> int:
    """Compare all of them; 1 if one differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=500, metavar="N", help="how many (default 500)")
    options = parser.parse_args()
    wrong: list[str] = []
    images = boxes = 0
    for seed in range(options.cases):
        wrong += differing(seed)
        count = of_pytorch(case(seed))["count"]
        images, boxes = images + len(count), boxes + int(count.sum())
    cases = len({line.partition(":")[0] for line in wrong})
    print(f"{options.cases} heads, {images:,} images, {boxes:,} boxes: {cases} differ")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(measured("detections", main))
