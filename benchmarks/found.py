"""A search on real images: what cheap figures tell, whether engines beat chance, and what the best one found is worth.

    python -m benchmarks.found --folder DIR               # the table, its ranks, and the engines
    python -m benchmarks.found --folder DIR --longer      # then the best one found against SpineNet-49

On objects of many sizes (`examples/learning/many_sizes`), around SpineNet-49 at a quarter of its width. First some
random candidates are trained for a short while: the table of their values and figures in closed form is kept in
`benchmarks/found`, with how far each figure, and each number of steps, orders them as the whole training does. By that
table a regression stands for a training, and the engines search by it at equal budget, with several seeds, within the
multiply-adds of SpineNet-49. At last the best one found, the best of the table within the same bound, and SpineNet-49
are trained for longer, and measured on the test images. What was interrupted goes on, what is finished stays; each
training has one thread.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, measured
from benchmarks.learned import Trial, kept_run, made_ready, trains_anew
from spinedsl import search
from spinedsl.search.fitness import TRAINED, objective
from spinedsl.search.running import setup_of, trainer_of, work_on
from spinedsl.search.study import create

KEPT = ROOT / "benchmarks" / "found"
EXAMPLE, SPACE, WITHIN = "many_sizes", "Around", "Within"
STUDY, CLOCK = "trained.db", "clock.csv"
FEW = 200  # validation pictures of a short training: to look at all of them would take as long as the training
SPINENET, FOUND, DRAWN = "spinenet", "found", "drawn"
STEPS = 1500  # of a longer training


class Longer(Trial):
    """A longer training, by the short configuration but for its length; `network` is the name of a file."""

    without: str = ""

    def __str__(self) -> str:
        return f"{self.network}-{self.seed}"

    @property
    def file(self) -> Path:
        """The network."""
        return KEPT / f"{self.network}.spine"

    def kept_as(self) -> Path:
        """Where its figures stay."""
        return KEPT / f"{self}.json"

    def digest(self) -> str:
        """What it is a run of."""
        text = (KEPT / "short.toml").read_bytes() + self.file.read_bytes()
        return hashlib.sha256(text + f"{self!r} {STEPS}".encode()).hexdigest()[:16]

    def changes(self) -> dict[str, dict[str, Any]]:
        """The settings that are its own."""
        return {
            "network": {"file": str(self.file), "name": "Candidate"},
            "data": {"validation": "data/validation.json"},
            "schedule": {"warm_up": 100},
            "run": {"seed": self.seed, "steps": STEPS, "validate_every": STEPS // 6, "average": 0.99},
        }

    def whole(self) -> dict[str, dict[str, Any]]:
        """The configuration that trains it from the folder of results, once the example has its images."""
        up = Path("..", "..", "examples", "learning", EXAMPLE)
        found = trains_anew(KEPT / "short.toml", self.changes(), up, str(self))
        found["network"]["file"] = self.file.name
        return found


# ---- the table ----


def space_beside() -> str:
    """The file of the space, for a folder that has a copy of the example's networks."""
    return (KEPT / "around.spine").read_text(encoding="utf-8").replace(f"../../examples/learning/{EXAMPLE}/", "")


def laid_out(root: Path) -> Path:
    """The space, the configuration, and the images that it compares by, beside the example; its folder."""
    place = root / EXAMPLE
    shutil.copy(KEPT / "short.toml", place)
    (place / "around.spine").write_text(space_beside(), encoding="utf-8")
    whole = json.loads((place / "data" / "validation.json").read_text(encoding="utf-8"))
    whole["images"] = whole["images"][:FEW]
    there = {one["id"] for one in whole["images"]}
    whole["annotations"] = [one for one in whole["annotations"] if one["image_id"] in there]
    (place / "data" / "few.json").write_text(json.dumps(whole), encoding="utf-8")
    return place


def table(root: Path, candidates: int) -> search.Study:
    """Random candidates, each trained to the end of the short configuration; goes on where it stopped.

    A study that is begun anew takes over what the table has that is kept, so that any machine goes on with the rest.
    """
    from benchmarks.found_figures import carried, clocked

    place = laid_out(root)
    known = clocked(root / CLOCK)
    before = time.process_time()

    def hear(one: search.Finished) -> None:
        nonlocal before
        if str(one.slot) in known:  # it was trained before
            return
        now = time.process_time()
        shown = ", ".join(f"{step}: {value:.4f}" for step, value in one.curve.items())
        sys.stderr.write(f"candidate {one.slot}: {shown or one.why}  ({now - before:.0f} s)\n")
        with (root / CLOCK).open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow([one.slot, f"{now - before:.1f}"])
        before = now

    space = search.open_space(place / "around.spine", SPACE)
    trainer = trainer_of(place / "short.toml", space)
    measured_by = (objective(TRAINED),)
    setup = setup_of(space, "random", candidates, 0, measured_by, None, None, trainer.training)
    study = create(str(root / STUDY), None, setup, space)
    carried(study)
    work_on(study, None, hear, trainer=trainer)
    return study


# ---- longer trainings ----


def longer(root: Path, seeds: int) -> list[Longer]:
    """Train what is not finished, one after another, each in a process of its own."""
    every = [Longer(EXAMPLE, name, seed) for seed in range(seeds) for name in (SPINENET, FOUND, DRAWN)]
    for one in every:
        if one.finished(root):
            continue
        words = [sys.executable, "-m", "benchmarks.found", "--folder", str(root), "--one", one.network, str(one.seed)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        if status := subprocess.run(words, cwd=ROOT, env=environment, check=False).returncode:
            raise SystemExit(f"{one} ended with status {status}")
    return every


def main() -> int:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--candidates", type=int, default=32)
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--longer", action="store_true", help="train the best ones for longer too: hours")
    parser.add_argument("--as-it-is", action="store_true", help="train nothing: figures of the table that is kept")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    root: Path = options.folder
    if options.one:
        one = Longer(EXAMPLE, options.one[0], int(options.one[1]))
        config = root / EXAMPLE / "short.toml"
        kept_run(one.folder(root), one.kept(root), one.digest(), config, one.changes())
        return 0
    from benchmarks import found_figures

    made_ready(root, EXAMPLE)
    if not options.as_it_is:
        study = table(root, options.candidates)
        found_figures.keep_table(study, root / CLOCK)
        print(found_figures.ranks(study))
    space = search.open_space(laid_out(root) / "around.spine", WITHIN)
    print(found_figures.engines(space, options.budget, options.seeds))
    found_figures.keep_networks(space, options.budget, options.seeds)
    if options.longer:
        print(found_figures.compared(root, longer(root, 3)))
    return 0


if __name__ == "__main__":
    if "--one" in sys.argv:
        main()
    else:
        sys.exit(measured("found", main))
