"""What a data set is, in a few numbers: a run that resumes sees by it whether the data has changed.

In: a data set. Out: a `Fingerprint`, kept as JSON. It covers classes, and name, label or boxes and size of each file,
without the folder that they are in and without times; and the content of some, since all of them take long to read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from spinedsl.brief import counted
from spinedsl.data.boxes import BoxSet
from spinedsl.data.dataset import Dataset, of_classes
from spinedsl.data.draws import Draws, Purpose
from spinedsl.record import Record, asdict

READ = 64  # files whose content is read


class Fingerprint(Record):
    """A digest, and what helps to say how two data sets differ: counts and bytes."""

    digest: str
    pictures: int
    classes: tuple[str, ...]
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON can hold them."""
        return asdict(self)

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Fingerprint:
        """What `to_json` gave."""
        return Fingerprint(values["digest"], values["pictures"], tuple(values["classes"]), values["bytes"])


def fingerprint(dataset: Dataset | BoxSet) -> Fingerprint:
    """What a data set is. Files that are not there count as empty."""
    names = [one.path for one in (dataset.pictures if isinstance(dataset, BoxSet) else dataset.samples)]
    files = list(dict.fromkeys(names))
    sizes = {path: _size(path) for path in files}
    whole = blake2b(digest_size=16)
    for text in (dataset.kind, *dataset.classes):
        whole.update(text.encode("utf-8", "surrogateescape") + b"\0")
    base = _base(dataset, files)
    for path, shows in zip(names, _shown(dataset), strict=True):
        whole.update(os.fsencode(os.path.relpath(path, base or ".")) + f"\0{shows}\0{sizes[path]}\0".encode())
    for index in sorted(Draws(0, purpose=Purpose.SPLIT).permutation(len(files))[:READ]):
        whole.update(_content(files[index]))
    for pair in dataset.pairs if isinstance(dataset, Dataset) else ():
        whole.update(f"{pair.first} {pair.second} {pair.same} {pair.fold}\0".encode())
    for points in dataset.landmarks if isinstance(dataset, Dataset) else ():
        whole.update(f"{points}\0".encode())
    return Fingerprint(whole.hexdigest(), len(names), dataset.classes, sum(sizes.values()))


def _base(dataset: Dataset | BoxSet, files: Sequence[str]) -> str:
    """The folder that names of files begin in. Pictures with boxes may be elsewhere than the file of their boxes."""
    if isinstance(dataset, BoxSet):
        folders = {os.path.dirname(os.path.abspath(path)) for path in files}  # noqa: PTH100, PTH120
        return os.path.commonpath(folders) if folders else ""
    return os.path.dirname(dataset.name) if dataset.kind in ("csv", "idx") else dataset.name  # noqa: PTH120


def _shown(dataset: Dataset | BoxSet) -> Iterator[str]:
    """What each picture shows, with every digit."""
    if isinstance(dataset, Dataset):
        yield from (str(sample.label) for sample in dataset.samples)
        return
    for picture in dataset.pictures:
        boxes = (f"{box.sides} {box.label} {box.crowd} {box.area}" for box in picture.boxes)
        yield f"{picture.height} {picture.width} {' '.join(boxes)}"


def difference(before: Fingerprint, after: Fingerprint) -> str:
    """How a data set differs from what it was, in words; nothing where it does not."""
    if before.digest == after.digest:
        return ""
    gone, come = sorted({*before.classes} - {*after.classes}), sorted({*after.classes} - {*before.classes})
    if gone or come:
        named = [f"{word} {', '.join(names[:5])}" for word, names in (("without", gone), ("with", come)) if names]
        return f"it has {of_classes(len(after.classes))} ({' and '.join(named)}), and had {len(before.classes):,}"
    if before.classes != after.classes:
        return "its classes stand in another order"
    if before.pictures != after.pictures:
        return f"it has {counted(after.pictures, 'picture')}, and had {before.pictures:,}"
    if before.bytes != after.bytes:
        return f"its files have {after.bytes:,} bytes, and had {before.bytes:,}"
    return "its pictures have other names, labels, boxes, points or contents, and are as many as before"


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except (OSError, ValueError):
        return 0


def _content(path: str) -> bytes:
    """A digest of a file's bytes, read in parts."""
    found = blake2b(digest_size=16)
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            while part := file.read(2**20):
                found.update(part)
    except (OSError, ValueError):
        return b""
    return found.digest()
