"""Figures of the examples' test images, beside simple baselines, and the pictures of the documentation.

In: finished runs of `benchmarks.learned`. Out: printed tables, `curves.svg` and sheets of test images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor

from spinedsl.data.dataset import Dataset
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.sources import Options, open_dataset
from spinedsl.inference.engine import Engine, open_checkpoint
from spinedsl.record import Record
from spinedsl.tasks import classification, embedding
from spinedsl.tasks.intervals import bootstrap, mean_interval

if TYPE_CHECKING:
    from benchmarks.learned import Case

BATCH = 128
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)  # of the linear model; the validation images choose one
# Which checkpoint of a run is looked at: the best on the validation images, but where those are too few to choose by.
LOOKED_AT = {"fashion_mnist": "best", "solar_cells": "best", "drawing_styles": "last"}
TEST = {
    "fashion_mnist": "data/test-images-idx3-ubyte.gz",
    "solar_cells": "data/test.csv",
    "drawing_styles": "data/test",
}


class Outputs(Record, eq=False):
    """What a network gives for each test image, and the labels."""

    values: Tensor
    labels: Tensor


# ---- outputs ----


def images(root: Path, example: str, name: str = "", classes: Sequence[str] = ()) -> Dataset:
    """The images for the test, or those for `train` or `validation`."""
    path = root / example / (TEST[example].replace("test", name) if name else TEST[example])
    found = open_dataset(path, options=Options(classes=tuple(classes)))
    assert found.value is not None, found.diagnostics
    return found.value


def outputs(root: Path, case: Case) -> Outputs:
    """What a checkpoint of a run gives for the test images; kept beside it."""
    path = case.folder(root) / f"{LOOKED_AT[case.example]}.safetensors"
    kept = case.folder(root) / "test.pt"
    engine = opened(path)
    dataset = images(root, case.example, classes=engine.classes if engine.kind == "classification" else ())
    if not kept.exists() or kept.stat().st_mtime < path.stat().st_mtime:
        numbers = range(len(dataset))
        parts = [
            engine.run([dataset.read(number)[0] for number in numbers[start : start + BATCH]])
            for start in range(0, len(dataset), BATCH)
        ]
        torch.save(torch.from_numpy(np.concatenate(parts)), kept)
    return Outputs(torch.load(kept), torch.from_numpy(dataset.labels))


def opened(path: Path) -> Engine:
    """The trained network of a checkpoint, ready for use."""
    outcome = open_checkpoint(path, "cpu")
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


# ---- figures of one run, by example ----


def auc(scores: Tensor, positive: Tensor) -> float:
    """The share of pairs of a positive and a negative case in which the positive scores higher; half for equal ones."""
    right, wrong = scores[positive].double(), scores[~positive].double().sort().values
    if not len(right) or not len(wrong):
        return math.nan
    twice = torch.searchsorted(wrong, right, right=False) + torch.searchsorted(wrong, right, right=True)
    return float(twice.double().sum() / (2 * len(right) * len(wrong)))


def of_clothes(root: Path, found: Outputs) -> str:
    """Top-1, with an interval over images."""
    right = found.values.argmax(1) == found.labels
    return f"top-1 {mean_interval(right)}"


def of_cells(root: Path, found: Outputs) -> str:
    """Balanced accuracy and the area under the ROC curve, with intervals over modules."""
    return " ".join(_of_cells(found.values[:, 0], found.labels == 0, _modules(root)))


def _of_cells(scores: Tensor, defective: Tensor, modules: Tensor) -> list[str]:
    def balanced(cases: Tensor) -> float:
        counts = classification.confusion((scores[cases] < 0.5).long(), (~defective[cases]).long(), 2)
        return classification.balanced_accuracy(counts)

    def area(cases: Tensor) -> float:
        return auc(scores[cases], defective[cases])

    both = {"balanced accuracy": balanced, "AUC": area}
    return [f"{name} {bootstrap(figure, len(scores), groups=modules)}" for name, figure in both.items()]


def _modules(root: Path) -> Tensor:
    """The module of each test image."""
    rows = (root / "solar_cells" / TEST["solar_cells"]).read_text(encoding="utf-8").splitlines()[1:]
    return torch.tensor([int(row.split(",")[4]) for row in rows])


def of_things(root: Path, found: Outputs) -> str:
    """Verification of the 1,000 pairs, and how many are accepted at one false one in a hundred."""
    scores, same, fold = _scores(root, found.values)
    right = embedding.verification(scores, same, fold)
    rate = bootstrap(
        lambda cases: embedding.tar_at_far(scores[cases], same[cases], 0.01).rate, len(scores), groups=fold
    )
    return f"verification {right.mean:.4f} +- {right.deviation:.4f}  TAR at FAR 1% {rate}"


def _scores(root: Path, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The cosines of the pairs, whether they are of one thing, and the fold of each: things of two folds never meet."""
    pairs = images(root, "drawing_styles").pairs
    first, second, fold = (
        torch.tensor([getattr(pair, name) for pair in pairs]) for name in ("first", "second", "fold")
    )
    same = torch.tensor([pair.same for pair in pairs])
    return embedding.similarities(vectors[first], vectors[second]), same, fold


FIGURES: dict[str, Callable[[Path, Outputs], str]] = {
    "fashion_mnist": of_clothes,
    "solar_cells": of_cells,
    "drawing_styles": of_things,
}


# ---- baselines without a network ----


def pooled(dataset: Dataset, side: int, channels: int) -> Tensor:
    """Pixels from 0 to 1, as means over a grid: (images, side * side * channels)."""
    small = Preprocessing(side, side, interpolation="box", channels=channels)
    numbers = [torch.from_numpy(small.fit(dataset.read(number)[0]).copy()) for number in range(len(dataset))]
    return torch.stack(numbers).float().flatten(1) / 255


def linear_cells(root: Path) -> str:
    """A linear model on pooled pixels: logistic regression, whose penalty the validation images choose."""
    sets = {name: images(root, "solar_cells", name) for name in ("train", "validation", "")}
    grids = {name: pooled(dataset, 16, 1) for name, dataset in sets.items()}
    labels = {name: torch.from_numpy(dataset.labels) == 0 for name, dataset in sets.items()}
    middle, spread = grids["train"].mean(0), grids["train"].std(0) + 1e-6
    taken = {name: (grid - middle) / spread for name, grid in grids.items()}
    found = []
    for penalty in PENALTIES:
        weight, bias = logistic(taken["train"], labels["train"], penalty)
        area = auc(taken["validation"] @ weight + bias, labels["validation"])
        found.append((area, penalty, torch.sigmoid(taken[""] @ weight + bias)))
    area, penalty, scores = max(found, key=lambda one: one[0])
    return f"{' '.join(_of_cells(scores, labels[''], _modules(root)))}  (penalty {penalty:g})"


def logistic(taken: Tensor, positive: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    """The weights and the bias that minimise the mean loss, where both classes count the same, and the penalty."""
    weight = torch.zeros(taken.shape[1], requires_grad=True)
    bias = torch.zeros((), requires_grad=True)
    share = positive.float().mean()
    counts = torch.where(positive, 0.5 / share, 0.5 / (1 - share))
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(taken @ weight + bias, positive.float(), counts)
        total: Tensor = loss + penalty * (weight * weight).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()


def pixels_of_things(root: Path) -> str:
    """Cosines of pooled pixels, less their mean over the test images."""
    grid = pooled(images(root, "drawing_styles"), 8, 3)
    return of_things(root, Outputs(grid - grid.mean(0), torch.empty(0)))


BASELINES: dict[str, tuple[str, Callable[[Path], str]]] = {
    "solar_cells": ("linear model on 16x16 means", linear_cells),
    "drawing_styles": ("cosine of 8x8 means", pixels_of_things),
}


# ---- printed ----


def report(root: Path, example: str, cases: Sequence[Case]) -> None:
    """Print a line for each run, and for what does without one."""
    print(f"{example}: {len(images(root, example)):,} test images")
    for case in sorted(cases, key=lambda case: (case.network, case.epochs, case.seed)):
        if not case.result():
            case.keep(root, {"shown": FIGURES[example](root, outputs(root, case))})
        about = case.result()
        cost = f"{about['steps']:,} steps, {about['cpu_seconds'] / 60:.1f} CPU min"
        print(f"  {case!s:15}  {about['shown']}  ({cost})")
    if example in BASELINES:
        name, figure = BASELINES[example]
        print(f"  {name}: {figure(root)}")
