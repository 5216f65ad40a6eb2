"""Figures of `benchmarks.detected`: average precision of the test pictures, by size, with cost; a table and a plot.

In: finished runs. Out: `benchmarks/detected/figures.md`, `order.svg`, and the configuration and logs of each run.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import spinedsl
from benchmarks.figures import ROOT
from benchmarks.learned import EXAMPLES
from spinedsl.analysis import costs
from spinedsl.data.boxes import open_boxes
from spinedsl.data.loader import Recipe
from spinedsl.ops.graph import flatten
from spinedsl.settings import to_toml
from spinedsl.tasks.detection.precision import Judged, results_of, truth_of
from spinedsl.tasks.detection.task import DETECTION
from spinedsl.training.build import open_trained
from spinedsl.training.truth import scenes_of

if TYPE_CHECKING:
    from benchmarks.detected import Case

KEPT = ROOT / "benchmarks" / "detected"
PAPER = {"R50FPN": 37.8, "R23SP30": 39.6, "R0SP53": 40.7, "Permuted": 40.8}  # AP, Table 3
NAMES = {"Permuted": "SpineNet-49", "Residual": "basic blocks + FPN"}
BANDS = ((0, 24), (24, 48), (48, 96), (96, 10_000))  # sides of a square as large as the box, in pixels
BATCH, RESAMPLED = 30, 200


def figures_of(root: Path, case: Case) -> dict[str, Any]:
    """Average precision of the last checkpoint's average on the test pictures, kept beside the checkpoint."""
    folder = case.folder(root)
    path = folder / "test.json"
    if not path.exists() or path.stat().st_mtime < (folder / "last.safetensors").stat().st_mtime:
        found, there = results(root, case)
        judged = Judged(found, there, 1)
        draw = np.random.default_rng(0)
        drawn = [judged.precision(draw.integers(len(there), size=len(there)).tolist()) for _ in range(RESAMPLED)]
        whole = judged.precision()
        figures: dict[str, Any] = {name: getattr(whole, name) for name in ("ap", "ap_50", "small", "medium", "large")}
        for name in ("ap", "ap_50"):
            figures[f"{name}_interval"] = np.quantile([getattr(one, name) for one in drawn], (0.025, 0.975)).tolist()
        path.write_text(json.dumps({**figures, "bands": bands(found, there)}), encoding="utf-8")
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return known | {"cpu_minutes": case.kept(root)["cpu_seconds"] / 60}


def results(root: Path, case: Case) -> tuple[list[Any], list[Any]]:
    """What the network finds in each test picture, and what is there, in the picture's pixels."""
    trained = open_trained(case.folder(root) / "last.safetensors").value
    opened = open_boxes(root / case.example / "data" / f"{case.without or 'test'}.json").value
    assert trained is not None
    assert opened is not None
    recipe, found, there = Recipe(opened, trained.preprocessing), [], []
    for start in range(0, len(opened), BATCH):
        batch = recipe.batch(0, 0, np.arange(start, min(start + BATCH, len(opened))))
        images = torch.stack([torch.from_numpy(trained.preprocessing.apply(one)) for one in batch.pictures])
        with torch.no_grad():
            parts = DETECTION.apart(trained.decode(trained.module(images)), scenes_of(batch, "cpu"))
        found += parts[0]
        there += [scene.original for scene in parts[1]]
    return found, there


def bands(found: Sequence[Any], there: Sequence[Any]) -> list[float]:
    """AP50 of the objects of each band."""
    from faster_coco_eval import COCO, COCOeval_faster

    truth = truth_of([type(one)(one.boxes, one.labels, one.crowds) for one in there], 1)  # sizes are those of boxes
    known = COCO(truth)
    compared = COCOeval_faster(known, known.loadRes(results_of(found)), "bbox")
    compared.params.areaRng = [[low**2, high**2] for low, high in BANDS]
    compared.params.areaRngLbl = [f"{low}-{high}" for low, high in BANDS]
    compared.params.iouThrs = np.array([0.5])
    compared.evaluate()
    compared.accumulate()
    precision = compared.eval["precision"][0, :, 0, :, -1]
    return [float(precision[:, number].mean()) for number in range(len(BANDS))]


def report(root: Path, cases: Sequence[Case]) -> None:
    """Print and keep the figures."""
    KEPT.mkdir(exist_ok=True)
    figures = {case: figures_of(root, case) for case in cases}
    lines = [*_table(figures), "", *_crowns(figures)]
    print("\n".join(lines))
    (KEPT / "figures.md").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (KEPT / "order.svg").write_text(plot(figures), encoding="utf-8")
    for case in cases:
        stem = KEPT / f"{case.example}-{case}"
        stem.with_name(f"{stem.name}.toml").write_text(to_toml(case.changes()), encoding="utf-8")
        shutil.copy(case.folder(root) / "validation.csv", f"{stem}-validation.csv")
        shutil.copy(case.folder(root) / "log.csv", f"{stem}-log.csv")


def _table(figures: dict[Case, dict[str, Any]]) -> list[str]:
    head = "| network | steps of | seed | AP (95%) | AP50 (95%) | AP small, medium, large | AP50 of boxes below 24, "
    lines = [
        head + "to 48, to 96, larger | M multiply-adds | M parameters | CPU minutes | paper's AP |",
        "|---" * 11 + "|",
    ]
    for case, found in figures.items():
        if case.example != "many_sizes":
            continue
        cost = costs(flatten(spinedsl.program(EXAMPLES / "many_sizes" / "networks.spine", network=case.network)))
        low, high = found["ap_interval"], found["ap_50_interval"]
        cells = [
            NAMES.get(case.network, case.network), f"{case.epochs:g} epochs" if case.epochs else "the protocol",
            f"{case.seed}", f"{found['ap']:.3f} ({low[0]:.3f} to {low[1]:.3f})",
            f"{found['ap_50']:.3f} ({high[0]:.3f} to {high[1]:.3f})",
            " ".join(f"{found[size]:.3f}" for size in ("small", "medium", "large")),
            " ".join(f"{value:.3f}" for value in found["bands"]), f"{cost.multiply_adds / 1e6:.0f}",
            f"{cost.parameters / 1e6:.2f}", f"{found['cpu_minutes']:.1f}", f"{PAPER.get(case.network, '')}",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _crowns(figures: dict[Case, dict[str, Any]]) -> list[str]:
    lines = ["| tree crowns, left out | network | AP50 |", "|---|---|---|"]
    for name in ("Permuted", "Residual"):
        own = {case.without: found["ap_50"] for case, found in figures.items() if case.without and case.network == name}
        lines += [f"| {left} | {name} | {value:.3f} |" for left, value in own.items()]
        if len(own) > 1:
            half = 3.182 * stdev(own.values()) / len(own) ** 0.5  # Student's t of three degrees of freedom, 95%
            lines.append(f"| mean | {name} | {mean(own.values()):.3f} ± {half:.3f} |")
    return lines


WIDTH, HEIGHT, LEFT, BELOW, ABOVE = 560, 300, 50, 46, 26  # of the plot, in pixels


def plot(figures: dict[Case, dict[str, Any]]) -> str:
    """AP of each seed here, and the paper's, for its four networks in its order; each on a scale of its own."""
    own = {
        name: [
            found["ap"] for case, found in figures.items() if (case.network, case.epochs, case.without) == (name, 0, "")
        ]
        for name in PAPER
    }
    letters = 'font-family="sans-serif" font-size="12" fill="#555"'
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {letters}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    inner = HEIGHT - BELOW - ABOVE
    every = [value for values in own.values() for value in values]
    for values, of, colour, words, shift in (
        (every, own, "#0b6e99", "here: AP of each seed, left", -8),
        (
            [*PAPER.values()],
            {name: [value] for name, value in PAPER.items()},
            "#c2571a",
            "the paper: AP in %, right",
            8,
        ),
    ):
        if not values:
            continue
        low, high = min(values), max(values)
        spread = (high - low) or 1.0
        for place, name in enumerate(PAPER):
            x = LEFT + (place + 0.5) * (WIDTH - 2 * LEFT) / len(PAPER)
            for value in of[name]:
                y = ABOVE + inner * (0.9 - 0.8 * (value - low) / spread)
                parts.append(f'<circle cx="{x + shift:.1f}" cy="{y:.1f}" r="4" fill="{colour}" fill-opacity="0.7"/>')
        side, anchor = (LEFT - 8, "end") if shift < 0 else (WIDTH - LEFT + 8, "start")
        for value in (low, high):
            y = ABOVE + inner * (0.9 - 0.8 * (value - low) / spread)
            shown = f"{value:.3f}" if high < 1 else f"{value:.1f}"
            parts.append(f'<text x="{side}" y="{y + 4:.1f}" text-anchor="{anchor}" fill="{colour}">{shown}</text>')
        middle = WIDTH / 4 if shift < 0 else 3 * WIDTH / 4
        parts.append(f'<text x="{middle}" y="16" text-anchor="middle" fill="{colour}">{words}</text>')
    for place, name in enumerate(PAPER):
        x = LEFT + (place + 0.5) * (WIDTH - 2 * LEFT) / len(PAPER)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 20}" text-anchor="middle">{NAMES.get(name, name)}</text>')
    return "\n".join([*parts, "</svg>", ""])
