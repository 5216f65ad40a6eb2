"""Figures of `benchmarks.detected`: average precision of the test pictures, by size, with cost; tables and a plot.

In: finished runs. Out: configuration, logs and figures of each, `figures.md` and `order.svg` in `benchmarks/detected`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import spinedsl
from benchmarks.learned import EXAMPLES
from spinedsl.analysis import costs
from spinedsl.data.boxes import open_boxes
from spinedsl.data.loader import Recipe
from spinedsl.ops.graph import flatten
from spinedsl.settings import to_toml
from spinedsl.source import Source
from spinedsl.tasks.detection.precision import Judged, results_of, truth_of
from spinedsl.tasks.detection.task import DETECTION
from spinedsl.training.build import open_trained
from spinedsl.training.truth import scenes_of

if TYPE_CHECKING:
    from benchmarks.detected import Case

SPINENET = "Permuted"
PAPER = {"R50FPN": 37.8, "R23SP30": 39.6, "R0SP53": 40.7, SPINENET: 40.8}  # AP, Table 3
NAMES = {
    "R50FPN": "R50-FPN",
    "Narrowed": "R50-FPN, narrowed",
    "R23SP30": "R23-SP30",
    "R0SP53": "R0-SP53",
    SPINENET: "SpineNet-49",
    "Residual": "basic blocks + FPN",
    "Basic": "basic blocks, permuted",
}
BANDS = ((0, 24), (24, 48), (48, 96), (96, 10_000))  # sides of a square as large as the box, in pixels
BATCH, RESAMPLED = 30, 200


def figures_of(root: Path, case: Case) -> dict[str, Any]:
    """Average precision of the last checkpoint's average on the test pictures; kept, with configuration and logs."""
    if not case.result():
        found, there = results(root, case)
        judged = Judged(found, there, 1)
        draw = np.random.default_rng(0)
        drawn = [judged.precision(draw.integers(len(there), size=len(there)).tolist()) for _ in range(RESAMPLED)]
        whole = judged.precision()
        figures: dict[str, Any] = {name: getattr(whole, name) for name in ("ap", "ap_50", "small", "medium", "large")}
        for name in ("ap", "ap_50"):
            figures[f"{name}_interval"] = np.quantile([getattr(one, name) for one in drawn], (0.025, 0.975)).tolist()
        keep(root, case, {**figures, "bands": bands(found, there)})
    return case.result()


def keep(root: Path, case: Case, figures: dict[str, Any]) -> None:
    """Put what is known of a run into the folder of results."""
    stem = str(case.kept_as().with_suffix(""))
    Path(f"{stem}.toml").write_text(to_toml(case.whole()), encoding="utf-8")
    for name in ("validation", "log"):
        shutil.copy(case.folder(root) / f"{name}.csv", f"{stem}-{name}.csv")
    case.keep(root, figures)


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
    figures = {case: figures_of(root, case) for case in cases}
    lines = [*_means(figures), "", *_each(figures), "", *_crowns(figures)]
    print("\n".join(lines))
    folder = cases[0].kept_as().parent
    (folder / "figures.md").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (folder / "order.svg").write_text(plot(figures), encoding="utf-8")


MEANS = (
    "network", "trained for", "seeds", "AP", "AP minus SpineNet-49's", "AP50", "AP small", "medium", "large",
    "M multiply-adds", "M parameters", "CPU minutes", "paper's AP",
)  # fmt: skip
STUDENT = (12.706, 4.303, 3.182)  # 97.5% of Student's t with one, two and three degrees of freedom


def spread(values: Sequence[float]) -> str:
    """The mean of two to four, and the half of its 95% interval by Student's t."""
    if len(values) < 2:
        return f"{values[0]:.3f}"
    return f"{mean(values):.3f} ± {STUDENT[len(values) - 2] * stdev(values) / len(values) ** 0.5:.3f}"


def _means(figures: dict[Case, dict[str, Any]]) -> list[str]:
    """Over the seeds, and how much less than SpineNet-49 of the same seed."""
    own = {case: found for case, found in figures.items() if case.example == "many_sizes"}
    base = {case.seed: found["ap"] for case, found in own.items() if case.network == SPINENET}
    lines = [
        f"| {' | '.join(MEANS)} |",
        "|---" * len(MEANS) + "|",
    ]
    for network, timed in [(name, timed) for timed in (False, True) for name in NAMES]:
        of = {case: found for case, found in own.items() if case.network == network and bool(case.epochs) == timed}
        if not of:
            continue
        less = [found["ap"] - base[case.seed] for case, found in of.items() if case.seed in base]
        cells = [
            NAMES[network], "equal time" if timed else "equal steps", f"{len(of)}",
            spread([found["ap"] for found in of.values()]), "" if network == SPINENET or not less else spread(less),
            *(spread([found[name] for found in of.values()]) for name in ("ap_50", "small", "medium", "large")),
            *_cost(next(iter(of))), f"{mean(found['cpu_seconds'] for found in of.values()) / 60:.1f}",
            f"{PAPER.get(network, '')}",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _cost(case: Case) -> tuple[str, str]:
    """Millions of multiply-adds and of parameters."""
    name, arguments = case.made
    given = ", ".join(f"{key} = {value}" for key, value in arguments.items())
    text = f'spine 1\nimport "{case.networks}"\nnetwork Measured = {name}({given})\n'
    source = Source.from_text(text, origin=str(EXAMPLES / "many_sizes" / "measured.spine"))
    cost = costs(flatten(spinedsl.program(source, network="Measured")))
    return f"{cost.multiply_adds / 1e6:.0f}", f"{cost.parameters / 1e6:.2f}"


def _each(figures: dict[Case, dict[str, Any]]) -> list[str]:
    """Each run, with intervals over the test pictures."""
    lines = [
        "| network | seed | epochs | AP (95%) | AP50 (95%) | of boxes below 24, to 48, to 96, larger | CPU minutes |",
        "|---" * 7 + "|",
    ]
    for case, found in figures.items():
        if case.example == "many_sizes":
            ranges = {name: "{:.3f} to {:.3f}".format(*found[f"{name}_interval"]) for name in ("ap", "ap_50")}
            cells = [
                NAMES[case.network], f"{case.seed}", f"{case.epochs or 3:g}",
                *(f"{found[name]:.3f} ({shown})" for name, shown in ranges.items()),
                " ".join(f"{value:.3f}" for value in found["bands"]), f"{found['cpu_seconds'] / 60:.1f}",
            ]  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def _crowns(figures: dict[Case, dict[str, Any]]) -> list[str]:
    lines = ["| tree crowns, left out | network | AP50 |", "|---|---|---|"]
    for name in (SPINENET, "Residual"):
        own = {case.without: found["ap_50"] for case, found in figures.items() if case.without and case.network == name}
        lines += [f"| {left} | {NAMES[name]} | {value:.3f} |" for left, value in own.items()]
        if len(own) > 1:
            lines.append(f"| mean | {NAMES[name]} | {spread([*own.values()])} |")
    return lines


WIDTH, HEIGHT, LEFT, BELOW, ABOVE = 560, 300, 50, 46, 26  # of the plot, in pixels


def plot(figures: dict[Case, dict[str, Any]]) -> str:
    """AP of each seed here, and the paper's, for its four networks in its order; each on a scale of its own."""

    def of(network: str) -> Iterable[float]:
        return (
            found["ap"]
            for case, found in figures.items()
            if (case.network, case.epochs, case.without) == (network, 0, "")
        )

    own = {name: [*of(name)] for name in PAPER}
    letters = 'font-family="sans-serif" font-size="12" fill="#555"'
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {letters}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    inner = HEIGHT - BELOW - ABOVE
    every = [value for values in own.values() for value in values]
    for values, shown, colour, words, shift in (
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
        reach = (high - low) or 1.0
        for place, name in enumerate(PAPER):
            x = LEFT + (place + 0.5) * (WIDTH - 2 * LEFT) / len(PAPER)
            for value in shown[name]:
                y = ABOVE + inner * (0.9 - 0.8 * (value - low) / reach)
                parts.append(f'<circle cx="{x + shift:.1f}" cy="{y:.1f}" r="4" fill="{colour}" fill-opacity="0.7"/>')
        side, anchor = (LEFT - 8, "end") if shift < 0 else (WIDTH - LEFT + 8, "start")
        for value in (low, high):
            y = ABOVE + inner * (0.9 - 0.8 * (value - low) / reach)
            number = f"{value:.3f}" if high < 1 else f"{value:.1f}"
            parts.append(f'<text x="{side}" y="{y + 4:.1f}" text-anchor="{anchor}" fill="{colour}">{number}</text>')
        middle = WIDTH / 4 if shift < 0 else 3 * WIDTH / 4
        parts.append(f'<text x="{middle}" y="16" text-anchor="middle" fill="{colour}">{words}</text>')
    for place, name in enumerate(PAPER):
        x = LEFT + (place + 0.5) * (WIDTH - 2 * LEFT) / len(PAPER)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 20}" text-anchor="middle">{NAMES.get(name, name)}</text>')
    return "\n".join([*parts, "</svg>", ""])
