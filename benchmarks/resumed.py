"""Kill training runs at random steps, resume them, and compare: `python -m benchmarks.resumed --kills 50 --folder DIR`.

One run goes through; each of the others is killed by SIGKILL after a random step, and resumed. At its end all tensors,
and the losses in its log, have to be equal to the last bit. The state is kept in the folder, so that the benchmark
itself may be interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks.figures import ROOT, measured

STEPS = 50
CODE = """
import os, signal, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from spinedsl.training.loop import train
from spinedsl.training.progress import Watcher
from tests.training.{module} import {images} as Images, settings

class Killer(Watcher):
    def steps(self, line):
        if line.step == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

run = {{"steps": {steps}, "save_every": 1, "average": 0.9, "validate_every": 7, "recalibrate": 2, "threads": 1}}
data, others = Images(), Images(9, seed=1)
train(settings(Path(sys.argv[1]), run=run), data=data, validation=others, watch=[Killer()], resume=True)
"""


TASKS = {"classification": ("running", "Squares"), "detection": ("finding", "Shapes")}


def ran(folder: Path, kill: int, task: str) -> int:
    """Run until the end, or until it is killed after a step; the exit status."""
    folder.mkdir(parents=True, exist_ok=True)
    module, images = TASKS[task]
    code = CODE.format(root=str(ROOT), steps=STEPS, module=module, images=images)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code, str(folder), str(kill)], env=environment, check=False)
    return done.returncode


def differences(one: Path, other: Path) -> list[str]:
    """Tensors of two checkpoints, and columns of two logs, that are not equal to the last bit."""
    import torch

    from spinedsl.training.checkpoint import read

    first, second = (read(folder / "run/last.safetensors").value for folder in (one, other))
    assert first is not None
    assert second is not None
    found = [
        f"{kind}/{name}"
        for kind, named in first.sets.items()
        for name, tensor in named.items()
        if not torch.equal(tensor, second.sets[kind][name])
    ]
    logs = [(folder / "run/log.csv").read_text(encoding="utf-8").splitlines() for folder in (one, other)]
    same = [row.split(",")[:3] for row in logs[0]] == [row.split(",")[:3] for row in logs[1]]
    return found + ([] if same else ["losses"])


def main() -> int:
    """Kill, resume and compare; 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--task", choices=TASKS, default="classification")
    options = parser.parse_args()
    pick = random.Random(options.seed)  # noqa: S311  moments, not secrets
    moments = [pick.randint(1, STEPS) for _ in range(options.kills)]
    state = options.folder / "done.json"
    done = json.loads(state.read_text()) if state.exists() else []
    if ran(options.folder / "whole", 0, options.task):
        return 1
    for number, kill in enumerate(moments):
        if number < len(done):
            continue
        # Killed after this step; what comes later than the checkpoint is made again.
        folder = options.folder / f"killed{number}"
        if ran(folder, kill, options.task) != -signal.SIGKILL or ran(folder, 0, options.task):
            return 1
        done.append([kill, differences(options.folder / "whole", folder)])
        state.write_text(json.dumps(done))
    wrong = [one for one in done if one[1]]
    what = f"{options.task}: {len(done)} runs of {STEPS} steps killed at random steps and resumed"
    print(f"{what}: {len(wrong)} differ {wrong[:3]}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(measured("resumed", main))
