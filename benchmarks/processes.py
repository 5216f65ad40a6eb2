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

from benchmarks.figures import ROOT, measured

CODE = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from spinedsl.training.loop import train
from tests.training.running import Squares, settings
folder = Path(sys.argv[1])
train(settings(folder, run={{"steps": {steps}, "accumulate": {parts}, "threads": 1}}, task={task!r}), data=Squares())
"""
TASKS: dict[str, dict[str, object]] = {
    "classification": {},
    "embedding": {"kind": "embedding", "margin_warm_up": 10, "scale": 8.0},
}


def losses(folder: Path, steps: int, processes: int, task: dict[str, object]) -> list[float]:
    """The loss of each step, of so many processes that take the two halves of each batch."""
    folder.mkdir(parents=True)
    (folder / "net").mkdir()
    script = folder / "run.py"
    script.write_text(CODE.format(root=str(ROOT), steps=steps, parts=2 // processes, task=task), encoding="utf-8")
    several = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    words = [*(several if processes > 1 else []), str(script), str(folder / "net")]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    with (folder / "net/run/log.csv").open(newline="", encoding="utf-8") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def largest(steps: int, task: dict[str, object]) -> float:
    """The largest difference between the losses of two processes and of one."""
    with tempfile.TemporaryDirectory() as root:
        one, two = (losses(Path(root) / str(count), steps, count, task) for count in (1, 2))
    assert len(one) == len(two) == steps, (len(one), len(two))
    return max(abs(a - b) for a, b in zip(one, two, strict=True))


def main() -> int:
    """Run both, for each task; 1 if they differ by more than 1e-5."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=50)
    options = parser.parse_args()
    worst = 0.0
    for name, task in TASKS.items():
        found = largest(options.steps, task)
        worst = max(worst, found)
        print(f"{name}: {options.steps} steps, losses differ by {found:.1e} at most", flush=True)
    return 0 if worst <= 1e-5 else 1


if __name__ == "__main__":
    sys.exit(measured("processes", main))
