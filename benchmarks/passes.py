"""What exact passes are worth to runtimes: `python -m benchmarks.passes`.

Models of `-O0`, `-O1` and `-O2` of the same network and weights run in turns in one process, one thread, by CPU time:
the median of the ratios of pairs, and the ratio of the best. With `--passes` one pass at a time is left out as well: a
ratio above 1 there says what the pass is worth. With `--legacy` they run beside what `torch.onnx.export` of the older
kind makes of the generated module, with the same weights, and nothing is left out. Differences under 3% are noise on a
machine that does other things.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import measured
from spinedsl import api
from spinedsl.agreement import Size, image
from spinedsl.backends.onnx import emit_model
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.program import Program
from spinedsl.passes import FOR, PASSES, levels

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NETWORKS = (
    ("spinenet.spine", "SpineNet49S"),
    ("spinenet.spine", "SpineNet49"),
    ("spinenet_mobile.spine", "SpineNetMobile49S"),
    ("resnet.spine", "ResNet50"),
    ("fpn.spine", "ResNet50FPN"),
)
WORTH = ("fold", "below", "order", "pair")
Run = Callable[[], Any]


def onnx_runtime(model: bytes, x: Any) -> Run:
    """ONNX Runtime on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {session.get_inputs()[0].name: x})


def openvino(model: bytes, x: Any) -> Run:
    """OpenVINO on one thread, in float32."""
    import openvino as package

    core = package.Core()
    how = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = core.compile_model(core.read_model(model), "CPU", how)
    return lambda: list(compiled(x).values())


NAMES = {"ONNX Runtime": "onnxruntime", "OpenVINO": "openvino"}
RUNTIMES: Mapping[str, Callable[[bytes, Any], Run]] = {"ONNX Runtime": onnx_runtime, "OpenVINO": openvino}


def paired(first: Run, second: Run, pairs: int) -> tuple[float, float]:
    """Time of the second over that of the first: the median of pairs, and of the best of each."""
    times: tuple[list[float], list[float]] = ([], [])
    for run in (first, second):
        run()
    for pair in range(pairs):
        for at in (0, 1) if pair % 2 else (1, 0):  # neither is always the one that comes first
            start = time.process_time()
            (first, second)[at]()
            times[at].append(time.process_time() - start)
    ratios = [two / one for one, two in zip(*times, strict=True)]
    return statistics.median(ratios), min(times[1]) / min(times[0])


def legacy(program: Program, weights: Mapping[str, Any], x: Any) -> bytes:
    """What `torch.onnx.export` makes by TorchScript of the generated module."""
    import torch

    from spinedsl.agreement.witnesses import module_of

    module = module_of(program, weights, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            given = (torch.from_numpy(x),)
            torch.onnx.export(module, given, file.name, dynamo=False, output_names=list(program.outputs))
            return Path(file.name).read_bytes()


def main() -> int:
    """Print a line for each network and runtime."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256, metavar="N", help="height and width (default 256)")
    parser.add_argument("--pairs", type=int, default=20, metavar="N", help="runs of each (default 20)")
    parser.add_argument("--passes", action="store_true", help="leave out one pass at a time too")
    parser.add_argument("--legacy", action="store_true", help="measure against torch.onnx.export, of the older kind")
    parser.add_argument("--runtime", choices=[*RUNTIMES], help="only one of both")
    parser.add_argument("networks", nargs="*", help="only networks whose name has one of these")
    options = parser.parse_args()
    for file, network in NETWORKS:
        if options.networks and not any(word in network for word in options.networks):
            continue
        program = api.program(EXAMPLES / file, network=network, size=(options.size, options.size))
        weights = seeded(flatten(program).parameters, 0)
        x = image(program, Size(1, options.size, options.size))
        plain = emit_model(program, weights)
        models = {"-O0": plain} if options.legacy else {}
        models["-O1"] = emit_model(program, weights, level=1)
        for one in FOR:
            models[f"-O2 {one}"] = emit_model(program, weights, level=2, runtime=one)
        for name in WORTH if options.passes and not options.legacy else ():
            kept = dict(PASSES)
            levels.PASSES = {one: run for one, run in kept.items() if one != name}
            models[f"-O1 without {name}"] = emit_model(program, weights, level=1)
            levels.PASSES = kept
        for title, runtime in RUNTIMES.items():
            if options.runtime not in (None, title):
                continue
            base = runtime(legacy(program, weights, x) if options.legacy else plain, x)
            fast = runtime(models["-O1"], x)
            for what, model in models.items():
                if what.startswith("-O2") and what != f"-O2 {NAMES[title]}":
                    continue
                run = fast if what == "-O1" else runtime(model, x)
                against = "-O1" if "without" in what else "legacy" if options.legacy else "-O0"
                median, best = paired(fast if against == "-O1" else base, run, options.pairs)
                far = max(
                    float(np.abs(one - two).max() / np.abs(one).max()) for one, two in zip(base(), run(), strict=True)
                )
                print(f"{network:18} {title:13} {what:19} {median:.3f} of {against}, best {best:.3f}, error {far:.0e}")
    return 0


if __name__ == "__main__":
    sys.exit(measured("passes", main))
