"""Pictures to compare an exported model with its checkpoint on: real ones where there are some, and made ones.

In: what the command line names, or what the checkpoint says of its data. Out: pictures as files decode to, and in words
which they are. Made pictures have odd sizes and follow from a seed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spinedsl import checks as say
from spinedsl.data.dataset import Dataset, nowhere
from spinedsl.data.pictures import ENDINGS, BadPicture, Pixels, read_pixels
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.section import open_sets, read_section
from spinedsl.data.sources import open_dataset
from spinedsl.diagnostics import Outcome
from spinedsl.record import Record
from spinedsl.source import Source
from spinedsl.toml import read_toml
from spinedsl.training.build import Trained

MOST = 32  # of real pictures
PARENTS = 4  # how far above a checkpoint its configuration may have stood


class Samples(Record, eq=False):
    """Pictures, and which they are."""

    words: str
    pictures: tuple[Pixels, ...]


def samples_in(path: Path, pre: Preprocessing) -> Outcome[Samples]:
    """Pictures of a file, a folder or a list, spread over all that are there."""
    shown = str(path)
    if path.is_dir():
        files = [os.path.join(where, name) for where, _, names in os.walk(path) for name in names]  # noqa: PTH118
        files = sorted(name for name in files if Path(name).suffix.lower() in ENDINGS)
    elif path.suffix.lower() in ENDINGS:
        files = [shown]
    else:
        opened = open_dataset(path)
        if opened.value is None:
            return Outcome(None, opened.diagnostics)
        return _read(opened.value, shown)
    if not files:
        found = say.NO_DATASET.at(nowhere(shown), path=shown, reason="there is no picture in it")
        return Outcome(None, (found.with_fix("name a picture, or a folder of pictures"),))
    try:
        chosen = tuple(read_pixels(files[number], pre.background) for number in _spread(len(files)))
    except BadPicture as bad:
        found = say.BAD_PICTURE.at(nowhere(bad.path), path=bad.path, reason=bad.reason, label="")
        return Outcome(None, (found.with_fix(bad.fix),))
    return Outcome(Samples(f"of {shown}", chosen))


def _read(dataset: Dataset, words: str) -> Outcome[Samples]:
    try:
        return Outcome(Samples(f"of {words}", tuple(dataset.read(number)[0] for number in _spread(len(dataset)))))
    except BadPicture as bad:
        found = say.BAD_PICTURE.at(nowhere(bad.path), path=bad.path, reason=bad.reason, label="")
        return Outcome(None, (found.with_fix(bad.fix),))


def _spread(count: int) -> Iterator[int]:
    """At most `MOST` numbers below `count`, evenly spread."""
    few = min(count, MOST)
    return (number * count // few for number in range(few))


def samples_of(trained: Trained, checkpoint: Path) -> Samples | None:
    """Validation images of the checkpoint's own data, or training images, where they are still to be found."""
    document = read_toml(Source("training.toml", trained.about["config"])).value
    if document is None:
        return None
    for folder in dict.fromkeys((Path(), *list(checkpoint.resolve().parents)[:PARENTS])):
        section = read_section(document, folder).value
        sets = open_sets(section).value if section is not None else None
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
