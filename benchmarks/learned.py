"""Train the examples of `examples/learning` and compute their figures: `python -m benchmarks.learned --folder DIR`.

Examples, images and runs are kept in the folder, so that what was interrupted goes on, and what is finished stays. Each
run has one thread, and counts its CPU time from its start, images included. Figures are those of test images that no
choice was made by; they stay in `benchmarks/learned`, and what has some there is not trained again. With `--pictures`,
the pictures of docs/training.md are drawn anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, commit, measured
from spinedsl.record import Record

EXAMPLES = ROOT / "examples" / "learning"
NAMES = ("fashion_mnist", "drawing_styles", "solar_cells")
RESULTS = ROOT / "benchmarks" / "learned"
KEPT = "clock.json"


def trains_anew(config: Path, own: Mapping[str, Mapping[str, Any]], up: Path, name: str) -> dict[str, dict[str, Any]]:
    """A configuration with settings of a run's own, whose data and output are in the folder of its example, `up`."""
    with config.open("rb") as file:
        whole: dict[str, dict[str, Any]] = tomllib.load(file)
    found = {title: {**section, **own.get(title, {})} for title, section in whole.items()}
    found["data"] |= {kind: str(up / found["data"][kind]) for kind in ("train", "validation")}
    found["run"]["output"] = str(up / "runs" / f"again-{name}")
    return found


class Trial(Record):
    """A run of an example, with a network and a seed, that goes on where it stopped."""

    example: str
    network: str
    seed: int
    epochs: float = 0.0

    @property
    def config(self) -> str:
        """The name of its configuration."""
        return f"{self.network}.toml"

    @property
    def networks(self) -> str:
        """The name of the file that has its network."""
        return "networks.spine"

    def folder(self, root: Path) -> Path:
        """Where its checkpoints go."""
        return root / self.example / "runs" / str(self)

    def kept(self, root: Path) -> dict[str, Any]:
        """What is known of it: commit, steps, CPU seconds."""
        path = self.folder(root) / KEPT
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return found if found.get("digest") == self.digest() else {}

    def digest(self) -> str:
        """What it is a run of: the texts that say how it trains."""
        place = EXAMPLES / self.example
        text = (place / self.config).read_bytes() + (place / self.networks).read_bytes()
        return hashlib.sha256(text + repr(self).encode()).hexdigest()[:16]

    def kept_as(self) -> Path:
        """Where its figures stay, with the code."""
        return RESULTS / self.example / f"{self}.json"

    def result(self) -> dict[str, Any]:
        """The figures of a run of the same, perhaps on another machine."""
        path = self.kept_as()
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return found if found.get("digest") == self.digest() else {}

    def keep(self, root: Path, figures: Mapping[str, Any]) -> None:
        """Let figures of it stay, with what is known of the run."""
        about = {name: self.kept(root)[name] for name in ("digest", "commit", "cpu_seconds", "steps")}
        self.kept_as().parent.mkdir(parents=True, exist_ok=True)
        self.kept_as().write_text(json.dumps({**about, **figures}, indent=1) + "\n", encoding="utf-8")

    def finished(self, root: Path) -> bool:
        """It came to its end, here or where its figures are from."""
        about = self.kept(root)
        return bool(self.result()) or (bool(about) and about.get("step") == about.get("steps"))

    def minutes(self, root: Path) -> float:
        """The CPU minutes that it took."""
        return float((self.result() or self.kept(root))["cpu_seconds"]) / 60


class Case(Trial):
    """A trial; with `epochs` other than its configuration's."""

    def __str__(self) -> str:
        longer = f"-{self.epochs:g}" if self.epochs else ""
        return f"{self.network}{longer}-{self.seed}"


# ---- one run, in a process of its own ----


def run(root: Path, case: Case) -> None:
    """Train to the end, or go on with it."""
    settings: dict[str, Any] = {"epochs": case.epochs} if case.epochs else {}
    config = root / case.example / f"{case.network}.toml"
    kept_run(case.folder(root), case.kept(root), case.digest(), config, {"run": {"seed": case.seed, **settings}})


def kept_run(
    folder: Path, about: dict[str, Any], digest: str, config: Path, changes: Mapping[str, Mapping[str, Any]]
) -> None:
    """Train in a folder to the end, or go on with it where `about` says that it is a run of the same; keep its cost."""
    from spinedsl.training.loop import train
    from spinedsl.training.progress import Watcher

    if not about:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        about = {"digest": digest, "commit": commit(), "cpu_seconds": 0.0}

    class Clock(Watcher):
        """Keeps what a run cost beside its last checkpoint."""

        before = about["cpu_seconds"]

        def begins(self, run: Any) -> None:
            self.run = run

        def validates(self, step: int, figures: Mapping[str, float]) -> None:
            shown = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
            print(f"{folder.parent.parent.name} {folder.name}: step {step} of {self.run.steps}  {shown}", flush=True)

        def saves(self, path: Path) -> None:
            if path.name == "last.safetensors":
                state = {"cpu_seconds": self.before + time.process_time(), "step": self.run.state.step}
                (folder / KEPT).write_text(json.dumps({**about, **state, "steps": self.run.steps}), encoding="utf-8")

    own = {**changes.get("run", {}), "output": str(folder), "threads": 1, "workers": 0}
    train(config, changes={**changes, "run": own}, resume=True, watch=[Clock()])


# ---- all of them ----


def made_ready(root: Path, example: str) -> None:
    """The example and its images in the folder, or the end of it all, where the images cannot be had."""
    place = root / example
    place.mkdir(parents=True, exist_ok=True)
    for file in [*(EXAMPLES / example).glob("*.toml"), *(EXAMPLES / example).glob("*.spine")]:
        shutil.copy(file, place)
    getter = [sys.executable, str(EXAMPLES / "get_data.py"), example, "--to", str(place / "data")]
    if status := subprocess.run(getter, check=False).returncode:
        raise SystemExit(status)


def trained(root: Path, cases: Sequence[Case], jobs: int) -> None:
    """Train what is not finished, so many at a time."""

    def one(case: Case) -> int:
        words = [case.example, case.network, case.seed, case.epochs]
        command = [sys.executable, "-m", "benchmarks.learned", "--folder", root, "--one", *words]
        return subprocess.run(
            [*map(str, command)], cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
        ).returncode

    left = [case for case in cases if not case.finished(root)]
    with ThreadPoolExecutor(jobs) as crew:
        for case, status in zip(left, crew.map(one, left), strict=True):
            if status:
                raise SystemExit(f"{case.example} {case} ended with status {status}")


def cases_of(example: str, seeds: int) -> list[Case]:
    """The runs of an example: both networks with each seed."""
    return [Case(example, network, seed) for seed in range(seeds) for network in ("permuted", "residual")]


def as_long(root: Path, seed: int) -> Case:
    """The residual network for Fashion-MNIST, with as many epochs as the permuted one's CPU time gives it."""
    first, second = (Case("fashion_mnist", network, seed).minutes(root) for network in ("permuted", "residual"))
    with (EXAMPLES / "fashion_mnist" / "residual.toml").open("rb") as file:
        epochs = tomllib.load(file)["run"]["epochs"]
    return Case("fashion_mnist", "residual", seed, round(2 * epochs * first / second) / 2)


def main() -> None:
    """Train what is missing, and print the figures of each example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--only", choices=NAMES)
    parser.add_argument("--as-it-is", action="store_true", help="train nothing: the figures of what is finished")
    parser.add_argument("--pictures", type=Path, help="a folder for the pictures of the documentation")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        example, network, seed, epochs = options.one
        run(options.folder, Case(example, network, int(seed), float(epochs)))
        return
    from benchmarks import learned_figures

    for example in [options.only] if options.only else NAMES:
        cases = cases_of(example, options.seeds)
        if not options.as_it_is:
            made_ready(options.folder, example)
            trained(options.folder, cases, options.jobs)
        if example == "fashion_mnist":
            longer = [
                as_long(options.folder, seed)
                for seed in range(options.seeds)
                if all(Case(example, network, seed).finished(options.folder) for network in ("permuted", "residual"))
            ]
            if not options.as_it_is:
                trained(options.folder, longer, options.jobs)
            cases += longer
        learned_figures.report(options.folder, example, [case for case in cases if case.finished(options.folder)])
    if options.pictures:
        from benchmarks import learned_pictures

        learned_pictures.draw(options.folder, options.pictures)


if __name__ == "__main__":
    if "--one" in sys.argv:
        main()
    else:
        sys.exit(measured("learned", main))
