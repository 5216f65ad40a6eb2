"""What the compiler costs, beside what one would do instead: `make bench`, or `python -m benchmarks.bench [NAME …]`.

Whole processes are timed by the CPU time that the operating system counts for them, and alternate with their peers,
so that a machine that slows down slows both; in-process figures by CPU time too. Medians; a ratio says more than a
second.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

from benchmarks.figures import measured

ROOT = Path(__file__).resolve().parent.parent
SPINENET = ROOT / "examples" / "spinenet.spine"
PYTHON = sys.executable
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}

EXPORT = f"""
import sys, torch, spinedsl

module = spinedsl.load({str(SPINENET)!r}, network="SpineNet49").eval()
torch.onnx.export(module, (torch.zeros(1, 3, 640, 640),), sys.argv[1], dynamo=DYNAMO)
"""


def main() -> None:
    """Run the benchmarks named, or all of them."""
    chosen = sys.argv[1:]
    for name, benchmark in BENCHMARKS.items():
        if not chosen or name in chosen:
            print(f"\n{name}: {(benchmark.__doc__ or '').strip()}", flush=True)
            benchmark()


# ---- whole processes ----


def cpu_of(command: Sequence[str]) -> tuple[float, float]:
    """CPU seconds and peak MiB of a command."""
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"exit status {process.returncode} of {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def processes(commands: dict[str, Sequence[str]], runs: int) -> None:
    """Time commands in turn; the first is what the others are compared with."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for run in range(runs + 1):
        for name, command in commands.items():
            measured = cpu_of(command)
            if run:  # the first round warms the caches of the file system
                seen[name].append(measured)
    base = statistics.median(cpu for cpu, _ in next(iter(seen.values())))
    for name, values in seen.items():
        cpu = statistics.median(cpu for cpu, _ in values)
        memory = statistics.median(memory for _, memory in values)
        print(f"  {name:44} {cpu:7.3f} s CPU  {memory:6.0f} MiB   {cpu / base:6.2f}x")


def cold_check() -> None:
    """`spine check examples/spinenet.spine`, seven networks, from nothing."""
    processes(
        {
            "spine check": [PYTHON, "-m", "spinedsl", "check", str(SPINENET)],
            "python, doing nothing": [PYTHON, "-c", "pass"],
            "python, import torch": [PYTHON, "-c", "import torch"],
        },
        runs=9,
    )


def cold_onnx() -> None:
    """SpineNet-49 and SpineNet-190 to ONNX with seeded weights, from nothing: 83 and 483 MiB of weights."""
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder) / "m.onnx")
        compile_ = [PYTHON, "-m", "spinedsl", "compile", str(SPINENET), "--to", "onnx", "-o", target, "--force"]
        processes(
            {
                "spine compile --to onnx, SpineNet-49": [*compile_, "--network", "SpineNet49"],
                "the same, SpineNet-190": [*compile_, "--network", "SpineNet190"],
                "torch.onnx.export of SpineNet-49": [PYTHON, "-c", EXPORT.replace("DYNAMO", "False"), target],
            },
            runs=3,
        )


def start() -> None:
    """`spine --version` and `spine --help`, from nothing."""
    processes(
        {
            "python, doing nothing": [PYTHON, "-c", "pass"],
            "spine --version": [PYTHON, "-m", "spinedsl", "--version"],
            "spine --help": [PYTHON, "-m", "spinedsl", "--help"],
        },
        runs=9,
    )


def figure() -> None:
    """`spine draw` of networks of 1,000 and 2,000 blocks, from nothing, beside `spine check` of 1,000."""
    with tempfile.TemporaryDirectory() as folder:
        commands: dict[str, Sequence[str]] = {}
        for count in (1_000, 2_000):
            path = Path(folder) / f"net{count}.spine"
            path.write_text(rows(count))
            commands[f"draw, {count:,} blocks"] = ["draw", str(path), "-o", str(path.with_suffix(".svg"))]
        commands = {"check, 1,000 blocks": ["check", str(Path(folder) / "net1000.spine")], **commands}
        processes({name: [PYTHON, "-m", "spinedsl", *command] for name, command in commands.items()}, runs=3)


GROWING = {
    "check": "check new.spine",
    "fmt": "fmt new.spine",
    "show": "show new.spine",
    "stats": "stats new.spine",
    "draw": "draw new.spine -o figure.svg --force",
    "diff": "diff old.spine new.spine",
    "compile --to torch": "compile new.spine --to torch -o model.py --force",
    "compile --to onnx": "compile new.spine --to onnx -o model.onnx --force",
}


def per_block() -> None:
    """What a block costs each command in networks of 1,000 and of 10,000, less what ten blocks take."""
    with tempfile.TemporaryDirectory() as folder:
        for name, command in GROWING.items():
            spent: dict[int, float] = {}
            for count in (10, 1_000, 10_000):
                text = rows(count).replace("256 * width", "4").replace("128 * width", "4").replace("64 * width", "4")
                (Path(folder) / "new.spine").write_text(text)
                (Path(folder) / "old.spine").write_text(text.replace("b9: residual", "b9: bottleneck"))
                words = [str(Path(folder) / word) if "." in word else word for word in command.split()]
                spent[count] = cpu_of([PYTHON, "-m", "spinedsl", *words])[0]
            few, many = ((spent[count] - spent[10]) / (count - 10) for count in (1_000, 10_000))
            print(f"  {name:20} {1000 * few:6.2f} ms   of 10,000 {1000 * many:6.2f} ms   {many / few:5.2f}x")


# ---- in one process ----


def median_of(action: Callable[[], object], runs: int) -> float:
    """Median CPU seconds of an action, after one run to warm up."""
    action()
    times = []
    for _ in range(runs):
        start = process_time()
        action()
        times.append(process_time() - start)
    return statistics.median(times)


def one_network() -> None:
    """Parse, elaborate and check SpineNet-49 in process, prelude warm."""
    from spinedsl import api
    from spinedsl.source import Source
    from spinedsl.syntax.parse import parse

    source = Source.from_text(SPINENET.read_text(), "spinenet.spine", str(SPINENET))
    whole = median_of(lambda: api.check(source, network="SpineNet49"), 40)
    parsed = median_of(lambda: parse(source), 40)
    print(f"  parse, elaborate, check {whole * 1000:14.1f} ms")
    print(f"  of it, parse            {parsed * 1000:14.1f} ms   {whole / parsed:6.2f}x")


def rows(count: int) -> str:
    """A network with `count` blocks."""
    head = SPINENET.read_text().split("    stem s:")[0].replace("network SpineNet(", "network Long(")
    blocks = [f"    block b{i}: residual level {2 + i % 4} from b{i - 1}, b{i - 2}" for i in range(2, count)]
    first = ["    stem s: resnet_stem channels 64", *(f"    block b{i}: residual level 2 after s" for i in (0, 1))]
    return "\n".join([head, *first, *blocks, f"    output P: endpoint from b{count - 1} channels 8", "}"])


def growth() -> None:
    """Parse and check of networks of 1,000 to 8,000 blocks, and the ONNX graph of 1,000, without weights."""
    from spinedsl import api
    from spinedsl.backends import onnx as onnx_backend
    from spinedsl.source import Source

    before = 0.0
    for count in (1_000, 2_000, 4_000, 8_000):
        source = Source.from_text(rows(count))
        start = process_time()
        outcome = api.check(source)
        spent = process_time() - start
        if not outcome.ok:
            raise RuntimeError(outcome.diagnostics[0].message)
        print(
            f"  {count:5} blocks: check {spent:6.2f} s"
            + (f"   {spent / before:5.2f}x of half as many" if before else "")
        )
        before = spent
    source = Source.from_text(rows(1_000))
    start = process_time()
    onnx_backend.to_text(api.program(source))
    print(f"   1000 blocks: text to ONNX graph {process_time() - start:6.2f} s")


def heaps() -> None:
    """The answer to the worst texts of 64 KiB, beside a loop of a million rounds, and how many functions it calls."""
    from spinedsl import driver
    from spinedsl.diagnostics.render import render
    from spinedsl.source import Source
    from spinedsl.testing.steps import stepped
    from tests.syntax.heaps import HEAPS

    def answer(text: str) -> None:
        render(driver.analyse(Source.from_text(text, "any.spine")).diagnostics)

    loop = median_of(lambda: [None for _ in range(1_000_000)], 5)
    found = sorted(((median_of(partial(answer, HEAPS[name]), 1), name) for name in HEAPS), reverse=True)
    for seconds, name in found[:8]:
        steps = stepped(partial(answer, HEAPS[name]))[1]
        print(f"  {name:34} {seconds:7.3f} s CPU   {seconds / loop:6.1f}x   {steps:12,} steps")


def loading() -> None:
    """`load` of SpineNet-190 with weights that were read, the same without, whose values are drawn, and `reset`."""
    from spinedsl import api
    from spinedsl.ops.graph import flatten
    from spinedsl.ops.initial import seeded
    from spinedsl.weights import Weights

    program = api.program(SPINENET, network="SpineNet190")
    weights = Weights("w.npz", seeded(flatten(program).parameters, 1))
    given = median_of(lambda: api.load(SPINENET, network="SpineNet190", weights=weights), 3)
    drawn = median_of(lambda: api.load(SPINENET, network="SpineNet190"), 3)
    module: Any = api.load(SPINENET, network="SpineNet190")
    reset = median_of(lambda: module.reset(1), 3)
    print(f"  with weights    {given:7.2f} s CPU")
    print(f"  without         {drawn:7.2f} s CPU   {drawn / given:6.1f}x")
    print(f"  reset           {reset:7.2f} s CPU   {reset / given:6.1f}x")


BENCHMARKS: dict[str, Callable[[], None]] = {
    "check": cold_check,
    "onnx": cold_onnx,
    "start": start,
    "figure": figure,
    "one": one_network,
    "growth": growth,
    "blocks": per_block,
    "heaps": heaps,
    "load": loading,
}

if __name__ == "__main__":
    sys.exit(measured("bench", main))
