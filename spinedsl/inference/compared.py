"""Pictures to compare an exported model with its checkpoint on: real ones where there are some, and made ones.

In: what the command line names, or what the checkpoint says of its data. Out: pictures as files decode to, and in words
which they are. Made pictures have odd sizes and follow from a seed.
"""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import Any

import numpy as np

from spinedsl.data.pictures import ENDINGS, BadPicture, Pixels, read_pixels
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.section import open_sets
from spinedsl.data.sources import Options, open_data, open_dataset
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.inference.finding import find_images
from spinedsl.inference.running import place_of, unread
from spinedsl.inference.samples import sections_of
from spinedsl.record import Record
from spinedsl.tasks import BOXES
from spinedsl.training.build import Trained

MOST = 32  # of real pictures


class Samples(Record, eq=False):
    """Pictures, and which they are."""

    words: str
    pictures: tuple[Pixels, ...]


def samples_in(path: Path, trained: Trained) -> Outcome[Samples]:
    """Pictures of a file, a folder, a pattern or a list, or of a file of boxes, spread over all that are there."""
    return pictures_in(path, trained.preprocessing, boxes=trained.task.truth == BOXES)


def pictures_in(path: Path, pre: Preprocessing, *, boxes: bool, most: int = MOST) -> Outcome[Samples]:
    """The same, at most so many; with `boxes` a file of them names pictures too."""
    if path.is_dir() or path.suffix.lower() in ENDINGS or _is_pattern(path) or _is_picture(path):
        images, reported = find_images(str(path), pre.background)
        return Outcome(None, tuple(reported)) if reported else _read(images, str(path), most)
    open_ = open_data if boxes else open_dataset
    options = Options(background=pre.background)
    return open_(path, "auto", options).then(lambda dataset: _read(dataset, str(path), most))


def _is_pattern(path: Path) -> bool:
    return glob.has_magic(str(path)) and not os.path.lexists(path)


def _is_picture(path: Path) -> bool:
    """Whether a file is one, whatever it is called: a list is none."""
    try:
        read_pixels(path)
    except BadPicture:
        return False
    return True


def _read(images: Any, words: str, most: int = MOST) -> Outcome[Samples]:
    """Some of the pictures of a data set, evenly spread; each that cannot be read is reported."""
    few = min(len(images), most)
    found: list[Pixels] = []
    reported: dict[str, Diagnostic] = {}
    for number in range(few):
        index = number * len(images) // few
        try:
            found.append(images.read(index)[0])
        except BadPicture as bad:
            reported.setdefault(bad.path, unread(place_of(images, index, bad), bad))
    return Outcome(None, tuple(reported.values())) if reported else Outcome(Samples(f"of {words}", tuple(found)))


def samples_of(trained: Trained, checkpoint: Path) -> Samples | None:
    """Validation images of the checkpoint's own data, or training images, where they are still to be found."""
    for section in sections_of(trained.about, checkpoint):
        sets = open_sets(section).value
        if sets is None:
            continue
        chosen = sets.validation or sets.train
        words = "validation images" if sets.validation is not None else "training images"
        read = _read(chosen, words).value if len(chosen) else None
        if read is not None:
            return Samples(words, read.pictures)
    return None


def made(pre: Preprocessing) -> Samples:
    """Pictures of odd sizes: a single pixel, very wide, very tall, larger and smaller than the network's, grey."""
    h, w = pre.height, pre.width
    sizes = [(1, 1, 3), (h, w, 3), (2, 9 * w, 3), (9 * h, 2, 3), (2 * h + 1, 2 * w - 1, 3), (h // 2 + 1, w, 1)]
    sizes += [(h + 7, 3 * w, 1), (3 * h, w + 5, 3)]
    draw = np.random.default_rng(0)
    return Samples("made pictures of odd sizes", tuple(draw.integers(0, 256, size, dtype=np.uint8) for size in sizes))
