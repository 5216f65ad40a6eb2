"""Write a model of over 2 GB, load it, and kill its writers: `python -m benchmarks.large --folder FOLDER`.

SpineNet-190 more than twice as wide is compiled from two seeds. ONNX Runtime loads the first from the disk and has to
give what the reference interpreter gives, at 128 pixels. Then the two are written over each other by processes that get
SIGKILL: `spine compile` itself, at any moment from its start on; its last stage, which has the bytes and writes them,
at any moment of that; and the same as soon as names in the folder change. What is there afterwards must be the old
model or the new one, with its tensors beside it, to the last bit, and the next write must leave no temporary file of a
killed one. Processes that ended before they were killed are not counted. What was found is kept in FOLDER, where an
interrupted run goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.figures import commit, measured
from spinedsl import api
from spinedsl.agreement import Size, image
from spinedsl.backends.onnx import MOST_BYTES
from spinedsl.cli.output import write_files
from spinedsl.cli.voice import MANNER
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.interpret import run
from spinedsl.source import Source
from spinedsl.writing import ENDING

ROOT = Path(__file__).resolve().parent.parent
WIDE = "network Wide = SpineNet190(width = {width}, size = 128)\n"
MOST = 1e-5  # of the largest value of an output
PIECE = 2**24  # bytes that are compared at once
# Of ten kills: the whole command, moments of the writing, and the moments after a file got another name.
KINDS = ("command", "writing", "rename", "writing", "rename", "writing", "rename", "writing", "rename", "writing")
TRIED = ("spinedsl/cli/output.py", "spinedsl/writing.py", "benchmarks/large.py")

Files = Mapping[str, bytes]


class Version(NamedTuple):
    """A model as it has to be: its bytes, and the name and bytes of its tensors."""

    model: bytes
    beside: str
    data: bytes


class Bench(NamedTuple):
    """What the kills need: where the model is, its source and its two versions."""

    path: Path
    source: Path
    versions: tuple[Version, Version]


# ---- the model ----


def compiled(source: Path) -> tuple[Version, Version]:
    """The model from two seeds."""
    made = api.program(source, network="Wide")
    both = [api.emit(made, to="onnx", external_data="always", seed=seed) for seed in (0, 1)]
    first, second = (Version(files["Wide.onnx"], *next(reversed(files.items()))) for files in both)
    return first, second


def distance(source: Path, version: Version, folder: Path) -> float:
    """How far ONNX Runtime is from the interpreter on a version, beside the largest value of an output."""
    import onnxruntime

    made = api.program(source, network="Wide")
    graph, given = flatten(made), image(made, Size(1, 128, 128), 0)
    expected = run(graph, seeded(graph.parameters, 0), given)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        path = Path(name) / "model.onnx"
        assert write_files(str(path), {path.name: version.model, version.beside: version.data}) == 0
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        outputs = dict(zip(made.outputs, session.run(list(made.outputs), {made.input_name: given}), strict=True))
    return max(float(np.abs(outputs[n] - expected[n]).max() / np.abs(expected[n]).max()) for n in made.outputs)


def found_in(bench: Bench) -> str:
    """Which version is there: `0` or `1`, or `torn`, also where its tensors are not beside it to the last bit."""
    model = bench.path.read_bytes() if bench.path.exists() else b""
    for name, version in enumerate(bench.versions):
        if model == version.model:
            return str(name) if _same(bench.path.with_name(version.beside), version.data) else "torn"
    return "torn"


def _same(path: Path, data: bytes) -> bool:
    if not path.exists() or path.stat().st_size != len(data):
        return False
    expected = memoryview(data)
    with path.open("rb") as file:
        return all(file.read(PIECE) == expected[at : at + PIECE] for at in range(0, len(data), PIECE))


# ---- the kills ----


def command(bench: Bench, seed: int) -> int:
    """Start `spine compile`; the id of its process."""
    words = ["compile", str(bench.source), "--network", "Wide", "--to", "onnx", "--external-data", "always"]
    words += ["--seed", str(seed), "-o", str(bench.path), "--force", "-q"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-m", "spinedsl", *words], env=env).pid


def writer(bench: Bench, seed: int) -> int:
    """A process that has the bytes and does the last stage of `spine compile`; its id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        version = bench.versions[seed]
        files = {bench.path.name: version.model, version.beside: version.data}
        os._exit(write_files(str(bench.path), files, force=True))
    finally:
        os._exit(1)  # whatever went wrong: the folder is the parent's


def kill(bench: Bench, kind: str, seed: int, usual: Mapping[str, float], pick: random.Random) -> bool:
    """Start what writes a version, and kill it; whether it had ended before."""
    names = set(os.listdir(bench.path.parent))  # noqa: PTH208
    starts: Callable[[Bench, int], int] = command if kind == "command" else writer
    pid = starts(bench, seed)
    if kind == "rename":
        changes = pick.randint(1, 5)  # leftovers go, a temporary file comes, the tensors have their name; so the model
        _wait_for(bench.path, names, changes, pid)
        time.sleep(pick.random() ** 4 * 0.02)
    else:
        time.sleep(pick.random() * usual[kind] * 1.5)  # on a busy machine it takes longer than usual
    os.kill(pid, signal.SIGKILL)
    return not os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def _wait_for(path: Path, names: set[str], changes: int, pid: int) -> None:
    """Until the names in the model's folder have changed so often, or the process has ended."""
    while changes and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        now = set(os.listdir(path.parent))  # noqa: PTH208
        changes -= now != names
        names = now


def one(bench: Bench, turn: int, old: int, usual: Mapping[str, float]) -> dict[str, Any]:
    """Kill who writes the other version over `old`, and say what is there.

    Three times of four the tensors of the other one are not there; they may be, from a run that was interrupted.
    """
    pick = random.Random(turn)  # noqa: S311  moments, not secrets
    kind, beside = KINDS[turn % len(KINDS)], bench.path.with_name(bench.versions[1 - old].beside)
    if pick.random() < 0.75:
        beside.unlink(missing_ok=True)
    ready = beside.exists()
    ended = kill(bench, kind, 1 - old, usual, pick)
    found = found_in(bench)
    between = beside.exists() and not ready
    what = "torn" if found == "torn" else "new" if found != str(old) else "between" if between else "old"
    return {"turn": turn, "kind": kind, "found": what, "version": found, "ended": ended, "left": len(left_in(bench))}


def left_in(bench: Bench) -> list[str]:
    """Temporary files beside the model."""
    return [name for name in os.listdir(bench.path.parent) if name.endswith(ENDING)]  # noqa: PTH208


def usual_times(bench: Bench) -> dict[str, float]:
    """Seconds that the writing takes, and the whole command."""
    took = {}
    for kind, start in (("writing", writer), ("command", command)):
        begin = time.monotonic()
        assert os.waitpid(start(bench, 0), 0)[1] == 0
        took[kind] = time.monotonic() - begin
        bench.path.with_name(bench.versions[0].beside).unlink()
    assert os.waitpid(writer(bench, 0), 0)[1] == 0
    return took


def left_after_a_write(bench: Bench) -> int:
    """Temporary files that stay when the model is written once more, by a new process."""
    assert os.waitpid(writer(bench, 0), 0)[1] == 0
    return len(left_in(bench))


# ---- a run ----


def tried() -> str:
    """Whether what was found before still holds: a digest of what writes, and of this."""
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in TRIED)).hexdigest()[:16]


def main() -> int:
    """Print what was found; exit status 1 if a model was torn, differed, or left something behind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--width", default="3", help="of the network; the published one has 1.3")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "spinedsl-large",
                        help="where to write, with room for five models")  # fmt: skip
    options = parser.parse_args()
    MANNER.quiet = True
    work = options.folder / "models"
    work.mkdir(parents=True, exist_ok=True)
    kept = options.folder / "found.json"
    state: dict[str, Any] = {"tried": tried(), "width": options.width, "commit": commit(), "turns": []}
    if kept.exists() and (before := json.loads(kept.read_text())).get("tried") == state["tried"]:
        state = before if before["width"] == options.width else state
    source = options.folder / "wide.spine"
    text = (ROOT / "examples/spinenet.spine").read_text(encoding="utf-8") + WIDE.format(width=options.width)
    source.write_text(Source.from_text(text).text, encoding="utf-8")
    bench = Bench(work / "wide.onnx", source, compiled(source))
    size = len(bench.versions[0].model) + len(bench.versions[0].data)
    large = "more" if size > MOST_BYTES else "no more"
    if "far" not in state:
        state["far"] = distance(source, bench.versions[0], options.folder)
        kept.write_text(json.dumps(state))
    print(f"{size / 2**30:.2f} GiB, {large} than one file holds; "
          f"ONNX Runtime is {state['far']:.1e} from the interpreter", flush=True)  # fmt: skip
    for old in work.iterdir():
        old.unlink()
    usual = usual_times(bench)
    print(f"the command takes {usual['command']:.0f} s, the writing {usual['writing']:.1f} s of it", flush=True)
    there = 0
    while (done := _killed(state)) < options.kills:
        state["turns"].append(one(bench, len(state["turns"]), there, usual))
        there = int(state["turns"][-1]["version"].replace("torn", "0"))
        kept.write_text(json.dumps(state))
        if _killed(state) > done and (done + 1) % 10 == 0:
            print(f"  {_counts(state)}", flush=True)
    after = left_after_a_write(bench)
    torn = sum(turn["found"] == "torn" for turn in state["turns"])
    print(f"commit {state['commit']}: {_counts(state)}; {torn} torn; {after} temporary files after the next write")
    for old in work.iterdir():
        old.unlink()
    return 1 if torn or after or state["far"] > MOST else 0


def _killed(state: Mapping[str, Any]) -> int:
    return sum(not turn["ended"] for turn in state["turns"])


def _counts(state: Mapping[str, Any]) -> str:
    """What was found after each kind of kill, and how many left a temporary file until the next write."""
    killed = [turn for turn in state["turns"] if not turn["ended"]]
    counts = Counter((turn["kind"], turn["found"]) for turn in killed)
    said = [f"{count} {kind} {what}" for (kind, what), count in sorted(counts.items())]
    return f"{len(killed)} killed: {', '.join(said)}; {sum(turn['left'] > 0 for turn in killed)} left a temporary file"


if __name__ == "__main__":
    sys.exit(measured("large", main))
