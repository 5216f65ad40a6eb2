"""Run the examples' models in old ONNX Runtimes: `python -m benchmarks.runtimes --cache FOLDER`.

Each runtime is installed in an environment of its own below the cache, once. A network is written for every opset that
the runtime has, by the compiler of this checkout, and must load there and give what the reference interpreter gives
in float64, up to 1e-5 of the largest value. Of each example the smallest network is tried in every opset, with
`--every` all networks of it in the oldest, the usual and the newest. What was found before is kept in the cache by the
model's digest, so an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.environments import environment
from benchmarks.figures import measured
from spinedsl import api, driver
from spinedsl.agreement import Size, image, lively_weights, usual_sizes
from spinedsl.backends import DEFAULT_OPSET, OPSETS
from spinedsl.backends.onnx import emit_model
from spinedsl.backends.onnx.target import Target
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Program

ROOT = Path(__file__).resolve().parent.parent
MOST = 1e-5  # of the largest value of an output


class Runtime(NamedTuple):
    """A version of ONNX Runtime: what it needs beside itself, and the newest opset that it has whole."""

    version: str
    packages: tuple[str, ...]
    newest: int


RUNTIMES = (
    Runtime("1.15.1", ("numpy<2",), 18),  # of opset 19 it lacks Cast and Identity for some types
    Runtime("1.17.3", ("numpy<2",), 20),
    Runtime("", (), OPSETS[-1]),  # the one that is installed here
)
# Runs in the other environment: models and images in, outputs beside them.
RUNNER = """
import sys, numpy as np, onnxruntime as ort
options = ort.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3
for line in sys.stdin:
    folder = line.strip()
    try:
        session = ort.InferenceSession(folder + "/model.onnx", options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        found = session.run(names, {session.get_inputs()[0].name: np.load(folder + "/image.npy")})
        np.savez(folder + "/outputs.npz", **dict(zip(names, found)))
        print("ok", flush=True)
    except Exception as error:
        print(type(error).__name__ + ": " + str(error).replace("\\n", " ")[:300], flush=True)
"""


def python_of(runtime: Runtime, cache: Path) -> Path:
    """The Python that has the runtime, installed where it is not yet."""
    if not runtime.version:
        return Path(sys.executable)
    packages = (f"onnxruntime=={runtime.version}", *runtime.packages)
    return environment(cache, f"onnxruntime-{runtime.version}", packages)


def networks(pattern: str, *, every: bool) -> Iterator[tuple[Program, tuple[int, ...]]]:
    """Networks of the examples at the smallest size that they take, and the opsets to write each for."""
    for path in sorted((ROOT / "examples").rglob("*.spine")):
        if pattern not in str(path.relative_to(ROOT)):
            continue
        analysis = driver.analyse(api.source(path)).value
        if analysis is None or not analysis.checked:
            continue
        programs = [smallest(path, name) for name in analysis.checked]
        programs.sort(key=lambda made: sum(p.elements for p in flatten(made).parameters.values()))
        yield programs[0], tuple(OPSETS)
        for made in programs[1:] if every else ():
            yield made, (OPSETS[0], DEFAULT_OPSET, OPSETS[-1])


def smallest(path: Path, name: str) -> Program:
    """A network at the smallest of the sizes that it is usually compared at, or at its own where that is fixed."""
    made = api.program(path, network=name)
    size = usual_sizes(made)[0]
    return made if made.static_axes else api.program(path, network=name, size=(size.height, size.width))


class Found(NamedTuple):
    """A network in one runtime and opset: how far it was off, or what was reported."""

    network: str
    opset: int
    far: float
    problem: str


def tried(python: Path, newest: int, cache: Path, pattern: str, *, every: bool) -> Iterator[Found]:
    """Each network by the runtime of that Python, in each opset that both have."""
    known = cache / "found.json"
    before: dict[str, Any] = json.loads(known.read_text()) if known.exists() else {}
    process = subprocess.Popen([python, "-c", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for made, opsets in networks(pattern, every=every):
            graph = flatten(made)
            weights = lively_weights(graph.parameters, 0)
            given = image(made, Size(1, made.input_type.height, made.input_type.width), 0)
            expected: dict[str, Any] = {}
            for opset in opsets:
                if opset > newest:
                    continue
                model = emit_model(made, weights, target=Target(opset))
                key = f"{python} {hashlib.sha256(model).hexdigest()}"
                if key not in before:
                    values = expected or run(graph, weights, given, dtype=np.float64)
                    expected = {name: values[name] for name in made.outputs}
                    (folder / "model.onnx").write_bytes(model)
                    np.save(folder / "image.npy", given)
                    before[key] = _answer(process, folder, expected)
                    known.write_text(json.dumps(before))
                yield Found(made.name, opset, *before[key])
        assert process.stdin is not None
        process.stdin.close()


def _answer(process: subprocess.Popen[str], folder: Path, expected: dict[str, Any]) -> tuple[float, str]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{folder}\n")
    process.stdin.flush()
    said = process.stdout.readline().strip()
    if said != "ok":
        return float("inf"), said or "the process ended"
    with np.load(folder / "outputs.npz") as outputs:
        far = max(
            float(np.abs(outputs[name] - value).max() / max(np.abs(value).max(), 1e-30))
            for name, value in expected.items()
        )
    return far, "" if far <= MOST else "differs"


def main() -> int:
    """Print a line for each runtime and what went wrong; exit status 1 if anything did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "spinedsl")
    parser.add_argument("--only", default="", metavar="TEXT", help="examples with this in their path")
    parser.add_argument("--every", action="store_true", help="every network of an example, not only the smallest")
    options = parser.parse_args()
    cache = options.cache.expanduser().resolve()
    cache.mkdir(parents=True, exist_ok=True)
    failed = 0
    for runtime in RUNTIMES:
        python = python_of(runtime, cache)
        found = list(tried(python, runtime.newest, cache, options.only, every=options.every))
        bad = [one for one in found if one.problem]
        failed += len(bad)
        worst = max((one.far for one in found if not one.problem), default=0.0)
        names = len({one.network for one in found})
        opsets = sorted({one.opset for one in found})
        what = f"ONNX Runtime {runtime.version or 'of this environment'}"
        print(
            f"{what}: {len(found)} models of {names} networks, opsets {opsets[0]} to {opsets[-1]}: "
            f"{len(found) - len(bad)} agree, the farthest {worst:.1e}; {len(bad)} do not",
            flush=True,
        )
        for one in bad:
            print(f"  {one.network}, opset {one.opset}: {one.problem} {one.far:.1e}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(measured("runtimes", main))
