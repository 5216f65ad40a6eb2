"""The SpineNet paper's comparison at a small scale: `python -m benchmarks.detected --folder DIR`.

The four networks of its Table 3, two of as many multiply-adds as SpineNet-49, which are ResNet-50 with FPN, narrowed,
and a residual one, and basic blocks in a scale-permuted order. On objects of many sizes, at a quarter of the width:
each with some seeds, as many steps, and once more for as long as SpineNet-49 takes. Tree crowns besides, with each
picture held out in turn. Each run has one thread.
What was interrupted goes on, what is finished stays, and so does what `benchmarks/detected` has the figures of: there
`detected_figures` puts configurations, logs, figures, tables and a plot.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, measured
from benchmarks.learned import EXAMPLES, Trial, kept_run, made_ready, trains_anew

SPINENET = "Permuted"
NETWORKS = (SPINENET, "R50FPN", "Narrowed", "R23SP30", "R0SP53", "Residual", "Basic")
FILES = {"Basic": "basic.spine"}  # where it is not `networks.spine`
MADE: dict[str, tuple[str, dict[str, float]]] = {"Narrowed": ("R50FPN", {"widen": 0.8125})}
CROWNS = ("yellowstone_1", "yellowstone_2", "ordway", "soaproot")
RESULTS = ROOT / "benchmarks" / "detected"
CONFIG = "permuted.toml"  # of both examples: every network is trained by it


class Case(Trial):
    """A trial; for other epochs than its configuration's, or with a picture left out."""

    without: str = ""

    @property
    def config(self) -> str:
        """That of its example: every network is trained by it."""
        return CONFIG

    def __str__(self) -> str:
        words = [self.network, self.without, f"{self.epochs:g}" if self.epochs else "", str(self.seed)]
        return "-".join(word for word in words if word)

    @property
    def made(self) -> tuple[str, dict[str, float]]:
        """The network of the file that it is, and its arguments."""
        return MADE.get(self.network, (self.network, {}))

    @property
    def networks(self) -> str:
        """That of the file which has its network."""
        return FILES.get(self.network, super().networks)

    def kept_as(self) -> Path:
        """Where its figures stay."""
        return RESULTS / f"{self.example}-{self}.json"

    def changes(self) -> dict[str, dict[str, Any]]:
        """The settings that are its own."""
        run: dict[str, Any] = {"seed": self.seed}
        if self.epochs:
            run["epochs"] = self.epochs
        name, arguments = self.made
        chosen: dict[str, Any] = {"name": name, "arguments": arguments} if arguments else {"name": name}
        if self.network in FILES:
            chosen["file"] = self.networks
        found: dict[str, dict[str, Any]] = {"network": chosen, "run": run}
        if self.without:
            paths = {"train": f"data/without_{self.without}.json", "validation": f"data/{self.without}.json"}
            found["data"] = paths
        return found

    def whole(self) -> dict[str, dict[str, Any]]:
        """The configuration that trains it from the folder of results, once the example has its images."""
        place = EXAMPLES / self.example
        up = Path("..", "..", place.relative_to(ROOT))
        found = trains_anew(place / CONFIG, self.changes(), up, str(self))
        found["network"]["file"] = str(up / found["network"]["file"])
        found["run"] |= {"threads": 1, "workers": 0}
        return found


def run(root: Path, case: Case) -> None:
    """Train to the end, or go on with it."""
    config = root / case.example / CONFIG
    kept_run(case.folder(root), case.kept(root), case.digest(), config, case.changes())


def trained(root: Path, cases: Sequence[Case]) -> None:
    """Train what is not finished, one after another, each in a process of its own."""
    for case in cases:
        if case.finished(root):
            continue
        words = [case.example, case.network, case.seed, case.epochs, case.without or "-"]
        command = [sys.executable, "-m", "benchmarks.detected", "--folder", root, "--one", *words]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        if status := subprocess.run([*map(str, command)], cwd=ROOT, env=environment, check=False).returncode:
            raise SystemExit(f"{case.example} {case} ended with status {status}")


def of_equal_steps(seeds: int) -> list[Case]:
    """First all seeds of one network, which tell how much a seed does; then the others, seed by seed."""
    first = [Case("many_sizes", SPINENET, seed) for seed in range(seeds)]
    return first + [Case("many_sizes", name, seed) for seed in range(seeds) for name in NETWORKS if name != SPINENET]


def of_equal_time(root: Path, seeds: int) -> list[Case]:
    """The other networks, with as many epochs as SpineNet-49's CPU time of that seed gives them."""
    with (EXAMPLES / "many_sizes" / CONFIG).open("rb") as file:
        epochs = tomllib.load(file)["run"]["epochs"]
    found = []
    for seed in range(seeds):
        longest = Case("many_sizes", SPINENET, seed)
        for name in NETWORKS[1:]:
            known = Case("many_sizes", name, seed)
            if longest.finished(root) and known.finished(root):
                share = longest.minutes(root) / known.minutes(root)
                found.append(Case("many_sizes", name, seed, round(20 * epochs * share) / 20))
    return found


def of_crowns(seeds: int) -> list[Case]:
    """Both networks, without each picture in turn."""
    networks = (SPINENET, "Residual")
    return [
        Case("tree_crowns", name, seed, without=left) for seed in range(seeds) for left in CROWNS for name in networks
    ]


def main() -> None:
    """Train what is missing, and write the figures of what is finished."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--as-it-is", action="store_true", help="train nothing: the figures of what is finished")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    root = options.folder
    if options.one:
        example, network, seed, epochs, without = options.one
        run(root, Case(example, network, int(seed), float(epochs), without.strip("-")))
        return
    from benchmarks import detected_figures

    if not options.as_it_is:
        for example in ("many_sizes", "tree_crowns"):
            made_ready(root, example)
        trained(root, of_equal_steps(1) + of_crowns(1) + of_equal_steps(options.seeds))
        trained(root, of_equal_time(root, options.seeds))
    every = [*of_equal_steps(options.seeds), *of_equal_time(root, options.seeds), *of_crowns(1)]
    detected_figures.report(root, [case for case in every if case.finished(root)])


if __name__ == "__main__":
    if "--one" in sys.argv:
        main()
    else:
        sys.exit(measured("detected", main))
