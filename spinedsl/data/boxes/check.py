"""Every mistake in pictures with boxes that their files alone do not show, and how many objects there are of each kind.

In: the training images, perhaps those for validation, and how pictures get into the network. Out: diagnostics, and
counts by class and size. Every picture is decoded, in several processes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.data.boxes.kept import SHOWN, BoxSet, other_size
from spinedsl.data.boxes.named import is_there
from spinedsl.data.dataset import nowhere
from spinedsl.data.pictures import MissingPicture
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.seen import Hear, Seen, decoded, in_both
from spinedsl.diagnostics import Diagnostic
from spinedsl.record import Record

LEAST = 2.0  # pixels that an object needs each way in the network's image
SIZES = {"small": 0.0, "medium": 32.0**2, "large": 96.0**2}  # from which area in pixels of the picture, as COCO has it


class Counted(Record):
    """How many objects of a class can be learned: small, medium and large ones; and crowds, which are none of these."""

    name: str
    small: int
    medium: int
    large: int
    crowds: int

    @property
    def objects(self) -> int:
        """All but crowds."""
        return self.small + self.medium + self.large


def counts(boxes: BoxSet) -> tuple[Counted, ...]:
    """How many objects there are of each class, by COCO's sizes."""
    limits = list(SIZES.values())[1:]
    found = np.zeros((len(boxes.classes), len(SIZES) + 1), dtype=np.int64)
    for picture in boxes.pictures:
        for box in picture.boxes:
            if box.is_flat and not box.crowd:
                continue
            found[box.label, len(SIZES) if box.crowd else sum(box.area >= limit for limit in limits)] += 1
    return tuple(Counted(name, *map(int, row)) for name, row in zip(boxes.classes, found, strict=True))


def check_boxes(
    train: BoxSet, validation: BoxSet | None = None, *, workers: int,
    hear: Hear | None = None, preprocessing: Preprocessing | None = None,
) -> Iterator[Diagnostic]:  # fmt: skip
    """What is wrong with the pictures, and with all boxes together."""
    sets = [train] if validation is None else [train, validation]
    for number, one in enumerate(sets):
        if one.is_whole and one.classes == train.classes:
            yield from _numbers(one, is_training=not number)
        yield from _doubled(one)
        if preprocessing is not None:
            yield from tiny(one, preprocessing)
    paths = list(dict.fromkeys(picture.path for one in sets for picture in one.pictures))
    known = dict(zip(paths, decoded(paths, workers, hear), strict=True))
    seen = [[known[picture.path] for picture in one.pictures] for one in sets]
    for one, results in zip(sets, seen, strict=True):
        yield from _pictures(one, results)
        yield from _again(one, results)
    if validation is not None:
        yield from in_both(train, seen[0], validation, seen[1])


def _numbers(boxes: BoxSet, *, is_training: bool) -> Iterator[Diagnostic]:
    """Classes and sets without objects."""
    objects = [(one.name, one.objects) for one in counts(boxes)]
    if not any(count for _, count in objects):
        got = "no boxes" if len(boxes) else "no pictures"
        reason = "nothing can be learned" if is_training else "nothing can be measured"
        yield say.FEW_CLASSES.at(nowhere(boxes.name), path=boxes.name, got=got, reason=reason)
        return
    for name, count in objects:
        if not count:
            wrong = say.EMPTY_CLASS.at(nowhere(boxes.name), name=name, what="boxes", path=boxes.name)
            yield wrong.with_fix("`classes` in [data] may name the others alone") if boxes.kind == "coco" else wrong


def _pictures(boxes: BoxSet, results: Sequence[Seen]) -> Iterator[Diagnostic]:
    """Pictures that cannot be read, or have another size. Those that are missing were reported with their boxes."""
    for index, seen in enumerate(results):
        picture = boxes.pictures[index]
        if isinstance(seen.error, MissingPicture) or not is_there(picture.path):
            continue
        if seen.error is not None:
            wrong = say.BAD_PICTURE.at(boxes.place(index), path=seen.error.path, reason=seen.error.reason, label="")
            yield wrong.with_fix(seen.error.fix)
        elif (seen.height, seen.width) != (picture.height, picture.width):
            bad = other_size(picture, seen.height, seen.width)
            yield say.OTHER_SIZE.at(boxes.place(index), path=bad.path, reason=bad.reason).with_fix(bad.fix)
        elif seen.frames > 1:
            yield say.SEVERAL_FRAMES.at(boxes.place(index), path=boxes.called(index), frames=seen.frames)


def _doubled(boxes: BoxSet) -> Iterator[Diagnostic]:
    """Boxes of the same class and place as another one of their picture."""
    found: list[str] = []
    for index, picture in enumerate(boxes.pictures):
        times = Counter((box.sides, box.label) for box in picture.boxes if not box.crowd)
        for (sides, label), count in times.items():
            shown = f"{boxes.called(index)}: {boxes.classes[label]} ({', '.join(f'{side:g}' for side in sides)})"
            found += [shown] * (count - 1)
    if found:
        are = "is" if len(found) == 1 else "are"
        reported = say.DOUBLED_BOXES.at(nowhere(boxes.name), count=_boxes(len(found)), path=boxes.name, are=are)
        yield reported.with_notes(*found[:SHOWN]).with_fix("take the second ones out")


def tiny(boxes: BoxSet, preprocessing: Preprocessing) -> Iterator[Diagnostic]:
    """How many boxes get too small in the network's image."""
    found: list[str] = []
    whole = 0
    for index, picture in enumerate(boxes.pictures):
        scale, _ = preprocessing.placement(picture.height, picture.width).affine()
        sides = picture.sides[[not box.crowd and not box.is_flat for box in picture.boxes]]
        whole += len(sides)
        small = np.minimum((sides[:, 2] - sides[:, 0]) * scale[0], (sides[:, 3] - sides[:, 1]) * scale[1]) < LEAST
        found += [boxes.called(index)] * int(small.sum())
    if found:
        reported = say.TINY_BOXES.at(
            nowhere(boxes.name), count=f"{len(found):,} of {_boxes(whole)}", path=boxes.name, least=LEAST,
            width=preprocessing.width, height=preprocessing.height, are="is" if len(found) == 1 else "are",
        )  # fmt: skip
        files = list(dict.fromkeys(found))
        some = ", ".join(files[:SHOWN]) + ", …" * (len(files) > SHOWN)
        yield reported.with_notes(f"they are in {counted(len(files), 'picture')}: {some}")


def _boxes(count: int) -> str:
    return f"{count:,} box{'es' * (count != 1)}"


def _again(boxes: BoxSet, results: Sequence[Seen]) -> Iterator[Diagnostic]:
    """Pictures with the same pixels as another one."""
    first: dict[bytes, int] = {}
    again: list[tuple[int, int]] = []
    for index, seen in enumerate(results):
        before = first.setdefault(seen.digest, index) if seen.digest else index
        if before != index:
            again.append((index, before))
    if again:
        have = "has" if len(again) == 1 else "have"
        count = counted(len(again), "picture")
        reported = say.SAME_AGAIN.at(nowhere(boxes.name), count=count, path=boxes.name, have=have)
        yield reported.with_notes(*(f"{boxes.called(one)} is {boxes.called(other)}" for one, other in again[:SHOWN]))
