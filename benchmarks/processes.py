"""Two processes by torchrun beside one that takes the two halves in turn: `python -m benchmarks.processes --steps 50`.

The losses of each step have to be the same to 1e-5; the largest difference is printed.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import ROOT, measured

CODE = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from spinedsl.training.loop import train
from tests.training.{module} import {images}, settings
folder = Path(sys.argv[1])
run = {{"steps": {steps}, "accumulate": {parts}, "threads": 1}}
train(settings(folder, run=run, **{sections!r}), data={images}())
"""


class Case(NamedTuple):
    """Settings of a run, and what of the tests has its network and its images."""

    sections: dict[str, object]
    module: str = "running"
    images: str = "Squares"


# The halves of a batch have unequal numbers of objects, in detection.
SMALL = {"rate": 0.0003}
TASKS = {
    "classification": Case({}),
    "embedding": Case({"task": {"kind": "embedding", "margin_warm_up": 10, "scale": 8.0}}),
    "points": Case({"kind": "points", "optimizer": SMALL}, "finding", "Shapes"),
    "anchors": Case({"kind": "anchors", "optimizer": SMALL}, "finding", "Shapes"),
}


def losses(folder: Path, steps: int, processes: int, case: Case) -> list[float]:
    """The loss of each step, of so many processes that take the two halves of each batch."""
    folder.mkdir(parents=True)
    (folder / "net").mkdir()
    script = folder / "run.py"
    code = CODE.format(root=str(ROOT), steps=steps, parts=2 // processes, **case._asdict())
    script.write_text(code, encoding="utf-8")
    several = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    words = [*(several if processes > 1 else []), str(script), str(folder / "net")]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    with (folder / "net/run/log.csv").open(newline="", encoding="utf-8") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def largest(steps: int, case: Case) -> float:
    """The largest difference between the losses of two processes and of one."""
    with tempfile.TemporaryDirectory() as root:
        one, two = (losses(Path(root) / str(count), steps, count, case) for count in (1, 2))
    assert len(one) == len(two) == steps, (len(one), len(two))
    return max(abs(a - b) for a, b in zip(one, two, strict=True))


def main() -> int:
    """Run both, for each task; 1 if they differ by more than 1e-5."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=50)
    options = parser.parse_args()
    worst = 0.0
    for name, case in TASKS.items():
        found = largest(options.steps, case)
        worst = max(worst, found)
        print(f"{name}: {options.steps} steps, losses differ by {found:.1e} at most", flush=True)
    return 0 if worst <= 1e-5 else 1


if __name__ == "__main__":
    sys.exit(measured("processes", main))
