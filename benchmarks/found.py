"""A search on real images: what cheap figures tell, whether engines beat chance, and what the best one found is worth.

    python -m benchmarks.found --folder DIR

On objects of many sizes (`examples/learning/many_sizes`), around SpineNet-49 at a quarter of its width. First some
random candidates are trained for a short while: the table of their values and figures in closed form is kept in
`benchmarks/found`, with how far each figure, and each number of steps, orders them as the whole training does. By that
table a regression stands for a training, and the engines search by it at equal budget, with several seeds. At last the
best one found and SpineNet-49, at the same multiply-adds, are trained for longer, and measured on the test images. What
was interrupted goes on, what is finished stays; each training has one thread.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
import time
from pathlib import Path

from benchmarks.figures import ROOT, measured
from benchmarks.learned import made_ready
from spinedsl import search

KEPT = ROOT / "benchmarks" / "found"
EXAMPLE, SPACE = "many_sizes", "Around"
CLOCK = "clock.csv"


def few(data: Path, count: int = 200) -> None:
    """The first validation pictures: to look at all of them would take as long as the training."""
    whole = json.loads((data / "validation.json").read_text(encoding="utf-8"))
    whole["images"] = whole["images"][:count]
    there = {one["id"] for one in whole["images"]}
    whole["annotations"] = [one for one in whole["annotations"] if one["image_id"] in there]
    (data / "few.json").write_text(json.dumps(whole), encoding="utf-8")


def table(root: Path, candidates: int) -> search.Study:
    """Random candidates, each trained to the end of the short configuration; goes on where it stopped."""
    place = root / EXAMPLE
    for name in ("around.spine", "short.toml"):
        shutil.copy(KEPT / name, place)
    few(place / "data")
    before = time.process_time()

    def hear(one: search.Finished) -> None:
        nonlocal before
        now = time.process_time()
        shown = ", ".join(f"{step}: {value:.4f}" for step, value in one.curve.items())
        print(f"candidate {one.slot}: {shown or one.why}  ({now - before:.0f} s)", flush=True)
        with (root / CLOCK).open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow([one.slot, f"{now - before:.1f}"])
        before = now

    return search.run(
        place / "around.spine", name=SPACE, engine="random", train=place / "short.toml", budget=candidates,
        study=root / "trained.db", hear=hear,
    )  # fmt: skip


def main() -> int:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--candidates", type=int, default=32)
    options = parser.parse_args()
    made_ready(options.folder, EXAMPLE)
    table(options.folder, options.candidates)
    return 0


if __name__ == "__main__":
    sys.exit(measured("found", main))
