"""Train the examples of `examples/learning` on their real pictures: `python -m benchmarks.learned --folder DIR`."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, commit

EXAMPLES = ROOT / "examples" / "learning"


def clock_class() -> Any:
    """A watcher that keeps what a run cost, in CPU seconds, beside its last checkpoint."""
    from spinedsl.training.progress import Watcher

    class Clock(Watcher):
        def __init__(self, path: Path, about: dict[str, Any]) -> None:
            self.path, self.about = path, about
            self.before = about.get("cpu_seconds", 0.0)

        def begins(self, run: Any) -> None:
            self.run = run

        def validates(self, step: int, figures: Any) -> None:
            print(step, {k: round(v, 4) for k, v in figures.items()}, round(time.process_time()), flush=True)

        def saves(self, path: Path) -> None:
            if path.name == "last.safetensors":
                self.about["cpu_seconds"] = self.before + time.process_time()
                self.about["step"] = self.run.state.step
                self.path.write_text(json.dumps(self.about))

    return Clock


def one(folder: Path, example: str, name: str, seed: int, label: str, changes: dict[str, dict[str, Any]]) -> None:
    """Train one run to its end, or go on with it."""
    from spinedsl.training.loop import train

    place = folder / example
    for file in [*(EXAMPLES / example).glob("*.toml"), *(EXAMPLES / example).glob("*.spine")]:
        shutil.copy(file, place / file.name)
    output = place / "runs" / f"{label or name}-{seed}"
    output.mkdir(parents=True, exist_ok=True)
    text = (place / f"{name}.toml").read_bytes() + (place / "networks.spine").read_bytes()
    digest = hashlib.sha256(text + repr(changes).encode()).hexdigest()[:16]
    kept = output / "clock.json"
    about = json.loads(kept.read_text()) if kept.exists() else {}
    if about.get("digest") != digest:
        shutil.rmtree(output)
        output.mkdir()
        about = {"digest": digest, "commit": commit(), "example": example, "name": name, "seed": seed}
    run = {"seed": seed, "output": str(output), "threads": 1, "workers": 0, **changes.get("run", {})}
    clock = clock_class()(kept, about)
    train(place / f"{name}.toml", changes={**changes, "run": run}, resume=True, watch=[clock])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--label", default="")
    parser.add_argument("--epochs", type=float)
    parser.add_argument("run", nargs=3)
    options = parser.parse_args()
    one(options.folder, options.run[0], options.run[1], int(options.run[2]), options.label,
        {"run": {"epochs": options.epochs}} if options.epochs else {})
