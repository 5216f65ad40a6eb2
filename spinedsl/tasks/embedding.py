"""Embedding: a vector of unit length for each image, near for one identity and far for two.

The loss of training, and the figures of verification (are two images of one identity?) and of identification (who of a
gallery is it, if anybody?), as pure functions on tensors. Similarity is the cosine, from -1 to 1.

In: embeddings of shape (images, numbers) of any length, labels of shape (images,), scores of pairs. Out: a loss, or
figures as `Operating` and `Verification`. Figures compute in float64 and need no random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor

from spinedsl.record import Record

ROWS = 512  # of a table of cosines that are in memory at once
SMALLEST = 1e-7  # under a root, whose slope at 0 is infinite


def unit(vectors: Tensor) -> Tensor:
    """The same of unit length, float32."""
    return F.normalize(vectors.float())


# ---- training ----


def arcface(embeddings: Tensor, weight: Tensor, labels: Tensor, *, scale: float = 64.0, margin: float = 0.5) -> Tensor:
    """The mean additive angular margin loss: Deng et al., CVPR 2019, arXiv 1801.07698, equation 3. In float32.

    The angle between an embedding and its own identity's vector counts as `margin` larger. Where that would pass half a
    turn, the cosine minus `margin * sin(margin)` stands instead, so that the loss always falls with the angle.

    Args:
        embeddings: (images, numbers), of any length.
        weight: a vector for each identity, (identities, numbers), of any length.
        labels: the number of each image's identity.
        scale: what cosines are multiplied by.
        margin: in radians; 0 is a plain softmax of cosines.
    """
    return F.cross_entropy(scale * margined(embeddings, weight, labels, margin), labels)


def margined(embeddings: Tensor, weight: Tensor, labels: Tensor, margin: float) -> Tensor:
    """The cosines of `arcface`, before they are scaled: (images, identities), float32."""
    cosines = F.normalize(embeddings.float()) @ F.normalize(weight.float()).T
    own = cosines.gather(1, labels[:, None]).clamp(-1, 1)
    sine = (1 - own * own).clamp_min(SMALLEST**2).sqrt()
    further = own * math.cos(margin) - sine * math.sin(margin)
    falling = torch.where(own >= -math.cos(margin), further, own - margin * math.sin(margin))
    return cosines.scatter(1, labels[:, None], falling)


def contrastive(embeddings: Tensor, labels: Tensor, *, temperature: float = 0.1) -> Tensor:
    """The mean supervised contrastive loss: Khosla et al., NeurIPS 2020, arXiv 2004.11362, equation 2. In float32.

    Each image tells those of its own identity from all others of the batch, by cosines. An image without another one of
    its identity stands among the others, and has no loss of its own. Where that is so of all, the loss is 0.

    Args:
        embeddings: (images, numbers), of any length.
        labels: the number of each image's identity.
        temperature: what cosines are divided by.
    """
    vectors = unit(embeddings)
    itself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    scores = (vectors @ vectors.T / temperature).masked_fill(itself, -math.inf)
    shares = scores.log_softmax(1).masked_fill(itself, 0.0)
    same = (labels[:, None] == labels[None, :]) & ~itself
    count = same.sum(1)
    own = (shares * same).sum(1) / count.clamp_min(1)
    return -own.sum() / (count > 0).sum().clamp_min(1)


def margin_at(step: int, margin: float, warm_up: int) -> float:
    """The margin of a step: it grows evenly from 0 to `margin` in `warm_up` steps."""
    return margin * min(1.0, step / warm_up) if warm_up else margin


# ---- verification: pairs of images ----


class Operating(Record):
    """A threshold, the share of accepted among what is right (`rate`) and among what is not (`false_rate`)."""

    rate: float
    false_rate: float
    threshold: float


class Verification(Record):
    """The accuracy of each fold, and the threshold that the other folds chose for it."""

    accuracies: tuple[float, ...]
    thresholds: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over folds."""
        return sum(self.accuracies) / len(self.accuracies)

    @property
    def deviation(self) -> float:
        """The standard deviation over folds, of a sample; 0 for a single fold."""
        if len(self.accuracies) < 2:
            return 0.0
        squares = sum((one - self.mean) ** 2 for one in self.accuracies)
        return math.sqrt(squares / (len(self.accuracies) - 1))


def similarities(first: Tensor, second: Tensor) -> Tensor:
    """The cosine of each pair of rows, float64."""
    return (F.normalize(first.double()) * F.normalize(second.double())).sum(1)


def accuracy_at(scores: Tensor, same: Tensor, threshold: float) -> float:
    """The share of pairs that are told right, where a score from the threshold on means `same`."""
    return float(((scores >= threshold) == same.bool()).double().mean())


def choose_threshold(scores: Tensor, same: Tensor) -> float:
    """The threshold that tells most pairs right, half way between two scores; of several, the lowest.

    It is infinite where nothing should be accepted, and minus infinite where everything should.
    """
    _some(scores, "pairs")
    values, order = scores.double().sort()
    right = same.bool()[order].long()
    # Of the first i pairs, which are refused, those that differ; of the others, which are accepted, the same.
    refused = torch.cat([torch.zeros(1, dtype=torch.long), (1 - right).cumsum(0)])
    accepted = right.sum() - torch.cat([torch.zeros(1, dtype=torch.long), right.cumsum(0)])
    possible = torch.ones(len(values) + 1, dtype=torch.bool)
    possible[1:-1] = values[1:] > values[:-1]
    found = torch.where(possible, refused + accepted, -1)
    at = int((found == found.max()).nonzero()[0])
    if at == 0:
        return -math.inf
    return math.inf if at == len(values) else float((values[at - 1] + values[at]) / 2)


def verification(scores: Tensor, same: Tensor, folds: int | Tensor = 10) -> Verification:
    """Accuracy over folds, as LFW's protocol has it: of each fold at the threshold that the others choose.

    Args:
        scores: of pairs.
        same: whether a pair shows one identity.
        folds: how many, where the pairs stand fold after fold; or the number of each pair's fold.

    Raises:
        ValueError: there are fewer pairs than folds, or fewer than two folds.
    """
    count = len(scores)
    number = folds if isinstance(folds, int) else int(folds.max()) + 1 if len(folds) else 0
    if not 2 <= number <= count:
        raise ValueError(f"verification needs 2 folds or more, and a pair in each: got {number} for {count} pairs")
    fold = torch.arange(count) * number // count if isinstance(folds, int) else folds
    accuracies, thresholds = [], []
    for one in range(number):
        held = fold == one
        thresholds.append(choose_threshold(scores[~held], same[~held]))
        accuracies.append(accuracy_at(scores[held], same[held], thresholds[-1]))
    return Verification(tuple(accuracies), tuple(thresholds))


def tar_at_far(scores: Tensor, same: Tensor, far: float) -> Operating:
    """The share of `same` pairs that are accepted where at most `far` of the others are.

    Raises:
        ValueError: there are no pairs of one of the kinds.
    """
    same = same.bool()
    return _operating(scores[same], scores[~same], far)


def _operating(right: Tensor, wrong: Tensor, most: float) -> Operating:
    """The lowest threshold at which at most the share `most` of the wrong scores is accepted.

    It is half way to the next score, and infinite where there is none that is higher.
    """
    _some(right, "pairs or images that should be accepted")
    _some(wrong, "pairs or images that should be refused")
    highest = wrong.double().sort(descending=True).values
    allowed = math.floor(most * len(wrong) + 1e-9)  # 0.07 of 100 are 7
    threshold = -math.inf
    if allowed < len(wrong):
        scores = torch.cat([right, wrong]).double()
        above = scores[scores > highest[allowed]]
        threshold = float((highest[allowed] + above.min()) / 2) if len(above) else math.inf

    def accepted(scores: Tensor) -> float:
        return float((scores.double() >= threshold).double().mean())

    return Operating(accepted(right), accepted(wrong), threshold)


# ---- identification: a gallery of known identities ----


def nearest_in(gallery: Tensor, probes: Tensor, *, but_itself: bool = False) -> tuple[Tensor, Tensor]:
    """For each probe the highest cosine, and the number of the gallery's image that has it: the first of equal ones.

    With `but_itself`, the probes are the gallery, and each has all images but itself to choose from.
    """
    _some(gallery, "images in the gallery")
    there = F.normalize(gallery.double())
    best, at = [], []
    for start in range(0, len(probes), ROWS):
        cosines = F.normalize(probes[start : start + ROWS].double()) @ there.T
        if but_itself:
            own = torch.arange(len(cosines), device=cosines.device)
            cosines[own, own + start] = -math.inf
        best.append(cosines.max(1).values)
        at.append((cosines == best[-1][:, None]).long().argmax(1))
    empty = torch.empty(0, dtype=torch.float64)
    return torch.cat(best or [empty]), torch.cat(at or [empty.long()])


def rank_1(gallery: Tensor, gallery_labels: Tensor, probes: Tensor, probe_labels: Tensor) -> float:
    """The share of probes whose nearest image in the gallery is of their identity."""
    _some(probes, "probes")
    _, at = nearest_in(gallery, probes)
    return float((gallery_labels[at] == probe_labels).double().mean())


def rank_1_within(embeddings: Tensor, labels: Tensor) -> float:
    """The same with all other images as the gallery, for images whose identity has another one."""
    _, groups, sizes = torch.unique(labels, return_inverse=True, return_counts=True)
    several = sizes[groups] > 1
    _some(labels[several], "identities with two images or more")
    _, at = nearest_in(embeddings, embeddings, but_itself=True)
    return float((labels[at] == labels)[several].double().mean())


def tpir_at_fpir(known: Tensor, right: Tensor, unknown: Tensor, fpir: float) -> Operating:
    """True positive identification rate: known probes that are named rightly, at most `fpir` of the unknown named.

    Args:
        known: the highest similarity of each probe whose identity is in the gallery.
        right: whether that was with its own identity.
        unknown: the highest similarity of each probe of nobody in the gallery.
        fpir: the share of these that may be named.

    Raises:
        ValueError: there are no probes of one of the kinds.
    """
    found = _operating(known, unknown, fpir)
    named = (known.double() >= found.threshold) & right.bool()
    return Operating(float(named.double().mean()), found.false_rate, found.threshold)


# ---- pairs of a validation set ----


def pairs_of(labels: Tensor, most: int = 10_000) -> tuple[Tensor, Tensor, Tensor]:
    """Pairs of images of one identity, and as many of two, in turn: first, second, whether same.

    They follow from the labels alone, and none comes twice. There are at most `most` of each kind.
    """
    count = len(labels)
    order = labels.argsort(stable=True)
    close = range(1, count)
    far = [*range(count // 3, (count + 1) // 2), *range(count // 3 - 1, 0, -1)]
    same = _pairs(labels, order, close, most, same=True)
    other = _pairs(labels, order, far, len(same), same=False)
    both = min(len(same), len(other))
    pairs = torch.stack([same[:both], other[:both]], 1).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1], labels[pairs[:, 0]] == labels[pairs[:, 1]]


def _pairs(labels: Tensor, order: Tensor, distances: Iterable[int], most: int, *, same: bool) -> Tensor:
    """Pairs at these distances in an order of the images, those of one identity or of two: (pairs, 2)."""
    found = [torch.empty(0, 2, dtype=torch.long)]
    room = most
    for distance in distances:
        if room <= 0:
            break
        # Around the end for two identities; identities stand together, so for one there is nothing beyond it.
        pairs = torch.stack([order, order.roll(-distance)], 1)[: -distance if same else None]
        pairs = pairs[(labels[pairs[:, 0]] == labels[pairs[:, 1]]) == same]
        if same and not len(pairs):
            break
        found.append(pairs[:room])
        room -= len(found[-1])
    return torch.cat(found)


def _some(values: Tensor, what: str) -> None:
    if not len(values):
        raise ValueError(f"there are no {what}")
