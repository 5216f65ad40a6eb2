"""Figures of a network on images, each with the interval that such images would give it again.

In: what the network makes of images, and their labels. Out: figures by name, and what a picture of them needs. Classes
are resampled by image. Images of one person are not independent, and neither are pairs that share one: there, persons
are drawn anew (`tasks.pairs.interval`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from spinedsl.brief import counted
from spinedsl.inference.detected import Detected
from spinedsl.inference.threshold import Threshold
from spinedsl.record import Record
from spinedsl.tasks import classification, embedding, pairs
from spinedsl.tasks.embedding import Operating, Verification, tpir_at_fpir
from spinedsl.tasks.intervals import Interval, bootstrap
from spinedsl.tasks.pairs import Pairs, Ranked

FARS, FPIRS = (0.1, 0.01, 0.001), (0.1, 0.01)
FOLDS = 10
BEYOND = -1.0  # a threshold that accepts every cosine


class Measured(Record, eq=False):
    """Figures by name, with what belongs to them; `notes` say what is not there, and why."""

    figures: dict[str, Interval]
    notes: tuple[str, ...] = ()
    confusion: Tensor | None = None
    verification: Verification | None = None
    pairs: int = 0
    curve: tuple[Operating, ...] = ()
    operating: tuple[tuple[float, Operating], ...] = ()
    threshold: Threshold | None = None
    detected: Detected | None = None


class TooFew(Exception):
    """There is too little to compare: the sentence that says what."""


def threshold_of(value: float, how: str) -> Threshold:
    """A threshold as a file can hold it."""
    return Threshold(None if value == math.inf else max(value, BEYOND), how)


# ---- classes ----


def of_classes(shares: Tensor, labels: Tensor, seed: int = 0) -> Measured:
    """Top-1, top-5 of more than five classes, the mean recall of classes, and the confusion."""
    classes = shares.shape[1]
    ranks, guessed = classification.ranks(shares, labels), shares.argmax(1)
    counts = classification.confusion(guessed, labels, classes)

    def balanced(cases: Tensor) -> float:
        return classification.balanced_accuracy(classification.confusion(guessed[cases], labels[cases], classes))

    figures = {
        f"top_{k}": bootstrap(lambda cases, k=k: float((ranks[cases] < k).double().mean()), len(labels), seed=seed)  # type: ignore[misc]
        for k in ((1, 5) if classes > 5 else (1,))
    }
    figures["balanced"] = bootstrap(balanced, len(labels), seed=seed)
    missing = int((counts.sum(1) == 0).sum())
    notes = (f"{_classes(missing)} without images: the balanced accuracy is that of the others",) if missing else ()
    return Measured(figures, notes, confusion=counts)


def _classes(count: int) -> str:
    return f"{count:,} class{'es are' if count != 1 else ' is'}"


# ---- persons ----


def of_persons(
    vectors: Tensor, labels: Tensor, listed: Sequence[object], folds: int | None, fars: Sequence[float], seed: int = 0
) -> Measured:
    """Verification over folds, the share of accepted at shares of false ones, who is nearest, and a threshold.

    Args:
        vectors: of unit length.
        labels: the identity of each.
        listed: pairs of a list; without, they are drawn so that no identity is in two folds, and for shares of false
            ones all pairs are taken, or 100,000 of each kind.
        folds: how many are asked for; as many as there can be, up to 10, if nobody asks.
        fars: the shares of false ones.
        seed: of what is drawn.

    Raises:
        TooFew: nothing can be compared, or not over so many folds.
    """
    if len(torch.unique(labels)) < 2:
        raise TooFew("the images are all of one person")
    held = pairs.listed(listed, folds or FOLDS) if listed else pairs.drawn(labels, folds or FOLDS, seed=seed)
    if folds is not None and held.folds != folds:
        there = f"the pairs are enough for {counted(held.folds, 'fold')}"
        raise TooFew(f"{there if len(held) else 'there are no pairs of one person'}, and {folds} are asked for")
    whole = held if listed else pairs.every(labels, seed=seed)
    figures: dict[str, Interval] = {}
    notes: list[str] = []
    verified = None
    if held.folds < 2:
        notes.append("no verification over folds: it needs two persons with two images in each of two folds")
    else:
        scores = embedding.similarities(vectors[held.first], vectors[held.second])
        verified = embedding.verification(scores, held.same, held.fold)
        limits = torch.tensor(verified.thresholds, dtype=torch.float64)[held.fold]
        figure = pairs.accuracy_by_fold((scores >= limits) == held.same, held.fold)
        figures["verification"] = pairs.interval(figure, labels[held.first], labels[held.second], seed=seed)
    rates = _rates(vectors, labels, whole, fars, seed, figures, notes)
    several = _nearest(vectors, labels, seed, figures)
    if not several:
        notes.append("no rank-1: no person has two images")
    return Measured(figures, tuple(notes), None, verified, len(held), *rates)


def _rates(
    vectors: Tensor, labels: Tensor, whole: Pairs, fars: Sequence[float], seed: int, figures: dict[str, Interval],
    notes: list[str],
) -> tuple[tuple[Operating, ...], tuple[tuple[float, Operating], ...], Threshold | None]:  # fmt: skip
    """The share of accepted at each share of false ones, into `figures`; the curve, and the chosen threshold."""
    right, wrong = int(whole.same.sum()), int((~whole.same).sum())
    if not right or not wrong:
        notes.append(f"no TAR at FAR: there are no pairs of {'one person' if not right else 'two persons'}")
        return (), (), None
    scores = embedding.similarities(vectors[whole.first], vectors[whole.second])
    ranked = Ranked(scores, whole.same)
    measured = [far for far in fars if far * wrong >= 1]
    few = f"{counted(wrong, 'pair')} of two persons are too few for it"
    notes += [f"no TAR at a FAR of {far:g}: {few}" for far in fars if far not in measured]
    first, second = labels[whole.first], labels[whole.second]
    found = pairs.intervals(lambda weights: ranked.rates_at(measured, weights), first, second, seed=seed)
    figures |= {f"tar_at_far_{far:g}": one for far, one in zip(measured, found, strict=True)}
    operating = [(far, embedding.tar_at_far(scores, whole.same, far)) for far in measured]
    chosen, how = _balanced_threshold(scores, whole.same)
    curve = tuple(pairs.operating_points(scores, whole.same))
    return curve, tuple(operating), threshold_of(chosen, f"tells most of {how} right")


def _balanced_threshold(scores: Tensor, same: Tensor) -> tuple[float, str]:
    """The threshold that tells most right where pairs of one person count as much as those of two."""
    points = pairs.operating_points(scores, same)
    best = max(range(len(points)), key=lambda n: points[n].rate - points[n].false_rate)
    below = points[best + 1].threshold if best + 1 < len(points) else -math.inf
    value = points[best].threshold
    middle = math.inf if value == math.inf else -math.inf if below == -math.inf else (value + below) / 2
    return middle, f"{len(scores):,} pairs, those of one person and of two weighing the same,"


def _nearest(vectors: Tensor, labels: Tensor, seed: int, figures: dict[str, Interval]) -> bool:
    """Rank-1 among the images themselves, into `figures`; false where no person has two images."""
    _, groups, sizes = torch.unique(labels, return_inverse=True, return_counts=True)
    several = sizes[groups] > 1
    if not bool(several.any()):
        return False
    _, at = embedding.nearest_in(vectors, vectors, but_itself=True)
    verdicts, own = (labels[at] == labels)[several], labels[several]
    figures["rank_1"] = pairs.interval(pairs.weighted_mean(verdicts), own, own, seed=seed)
    return True


# ---- a gallery ----


def of_gallery(
    gallery: Tensor, names: Sequence[str], vectors: Tensor, called: Sequence[str], fpirs: Sequence[float], seed: int = 0
) -> Measured:
    """Rank-1 of the persons that a gallery knows, and how many of them are named where few others are.

    Args:
        gallery: a vector for each name.
        names: of the gallery.
        vectors: of the images.
        called: the name of each image's person.
        fpirs: shares of the images of unknown persons that may be named.
        seed: of what is drawn.

    Raises:
        TooFew: none of the images is of a person of the gallery.
    """
    numbers = {name: number for number, name in enumerate(names)}
    known = torch.tensor([name in numbers for name in called])
    if not bool(known.any()):
        raise TooFew("none of the images is of a person of the gallery")
    best, at = embedding.nearest_in(gallery, vectors)
    right = torch.tensor([names[place] == name for place, name in zip(at.tolist(), called, strict=True)])
    persons = {name: number for number, name in enumerate(dict.fromkeys(called))}
    groups = torch.tensor([persons[name] for name in called])
    mean = pairs.weighted_mean(right[known])
    figures = {"gallery_rank_1": pairs.interval(mean, groups[known], groups[known], seed=seed)}
    strangers = int((~known).sum())
    if not strangers:
        note = "no TPIR at FPIR: all images are of persons of the gallery"
        return Measured(figures, (note,))
    ranked = Ranked(best, known, right)
    measured = [fpir for fpir in fpirs if fpir * strangers >= 1]
    few = f"{counted(strangers, 'image')} of others {'is' if strangers == 1 else 'are'} too few for it"
    notes = [f"no TPIR at an FPIR of {fpir:g}: {few}" for fpir in fpirs if fpir not in measured]
    found = pairs.intervals(lambda weights: ranked.rates_at(measured, weights), groups, groups, seed=seed)
    figures |= {f"tpir_at_fpir_{fpir:g}": one for fpir, one in zip(measured, found, strict=True)}
    operating = [(fpir, tpir_at_fpir(best[known], right[known], best[~known], fpir)) for fpir in measured]
    most = min((fpir for fpir, _ in operating), default=0.0)
    chosen = tpir_at_fpir(best[known], right[known], best[~known], most).threshold
    allowed = f"at most {most:.2g} of" if most else "none of"
    how = f"names {allowed} {counted(strangers, 'image')} of persons who are not in the gallery"
    return Measured(figures, tuple(notes), operating=tuple(operating), threshold=threshold_of(chosen, how))
