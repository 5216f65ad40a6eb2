"""A network run over many images: read and prepared by threads, a batch ahead of what is computed.

In: an engine, images, and where to begin. Out: what it makes of each that can be read, and why others cannot be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinedsl import api
from spinedsl import checks as say
from spinedsl.data.dataset import Dataset, nowhere
from spinedsl.data.pictures import BadPicture, Pixels
from spinedsl.data.preprocessing import Placement
from spinedsl.data.sample import BadSample, sample
from spinedsl.data.seen import digest_of_pixels
from spinedsl.data.workers import usual_workers
from spinedsl.diagnostics import Diagnostic
from spinedsl.inference.boxes import Boxes
from spinedsl.inference.engine import Decoded, Engine
from spinedsl.reading import legible
from spinedsl.record import Record
from spinedsl.source import Span
from spinedsl.training.messages import bad_sample

BATCH = 32
Hear = Callable[[int, int], None]  # told how many images of how many are done


class Computed(Record, eq=False):
    """What came of images: a row of `values` for each that could be read, whose number in the data is in `at`."""

    values: Decoded
    labels: NDArray[np.int64]
    at: NDArray[np.int64]
    digests: tuple[bytes, ...]  # of the pixels
    unread: tuple[Diagnostic, ...]


class Located(Record, eq=False):
    """The same of a detector: what was found in each image, and what is there, in its own pixels."""

    found: tuple[Boxes, ...]
    there: tuple[Any, ...]
    at: NDArray[np.int64]
    digests: tuple[bytes, ...]
    unread: tuple[Diagnostic, ...]


class _Ready(NamedTuple):
    """An image that can be computed: as the network takes it, what is true of it, and how it came to be so."""

    pixels: Pixels
    truth: Any
    digest: bytes
    placement: Placement | None


def run_over(engine: Engine, images: Any, hear: Hear | None = None) -> Computed:
    """What a network makes of all images of a data set.

    Raises:
        Mistakes: its numbers are not finite, or it finds boxes.
    """
    if engine.find is not None:
        name = legible(engine.path)
        wrong = say.UNFIT_TASK.at(nowhere(engine.path), what="this takes vectors", path=name, task=engine.kind)
        raise api.Mistakes([wrong.with_fix("`spine eval` computes the figures of a detector")])
    rows: list[Decoded] = []
    seen: list[tuple[int, _Ready]] = []
    lost: list[Diagnostic] = []
    for good in _batches(engine, images, hear, lost):
        values = engine.compute([one.pixels for _, one in good])
        _finite(engine, images, good, np.array([bool(np.isfinite(row).all()) for row in values]))
        rows.append(values)
        seen += good
    values = np.concatenate(rows) if rows else np.empty((0, 0), dtype=np.float32)
    labels = np.array([int(one.truth) for _, one in seen], np.int64)
    return Computed(values, labels, *_about(seen), tuple(lost))


def find_over(
    engine: Engine, images: Any, hear: Hear | None = None, limits: Mapping[str, Any] | None = None
) -> Located:
    """What a detector finds in all images of a data set; `limits` stand instead of its own.

    Raises:
        Mistakes: its numbers are not finite.
    """
    assert engine.find is not None
    found: list[Boxes] = []
    seen: list[tuple[int, _Ready]] = []
    lost: list[Diagnostic] = []
    for good in _batches(engine, images, hear, lost):
        boxes = engine.find([one.pixels for _, one in good], limits or {})
        _finite(engine, images, good, np.array([one.are_finite for one in boxes]))
        found += [one.in_picture(ready.placement) for one, (_, ready) in zip(boxes, good, strict=True)]
        seen += good
    return Located(tuple(found), tuple(one.truth for _, one in seen), *_about(seen), tuple(lost))


def _about(seen: Sequence[tuple[int, _Ready]]) -> tuple[NDArray[np.int64], tuple[bytes, ...]]:
    """The numbers of images in their data, and digests of their pixels."""
    return np.array([index for index, _ in seen], np.int64), tuple(one.digest for _, one in seen)


def _batches(
    engine: Engine, images: Any, hear: Hear | None, lost: list[Diagnostic]
) -> Iterator[list[tuple[int, _Ready]]]:
    """Images that can be read, with their numbers, a batch at a time; why others cannot be is put into `lost`."""
    count, classes = len(images), len(images.classes)

    def one(index: int) -> _Ready | BadPicture:
        try:
            pixels, truth = sample(images, index, classes)
            return _Ready(engine.prepare(pixels), truth, digest_of_pixels(pixels), engine.placement(pixels))
        except BadPicture as error:
            return error
        except MemoryError:
            return BadPicture(_called(images, index), "there is not enough memory for it", "make it smaller")

    with ThreadPoolExecutor(max(1, min(4, usual_workers()))) as pool:

        def begun(start: int) -> list[Future[_Ready | BadPicture]]:
            return [pool.submit(one, index) for index in range(start, min(start + BATCH, count))]

        ahead = begun(0)
        for start in range(0, count, BATCH):
            try:
                found = [future.result() for future in ahead]
            except BadSample as error:
                raise api.Mistakes([bad_sample(error)]) from None
            ahead = begun(start + BATCH)
            good = [(start + n, row) for n, row in enumerate(found) if not isinstance(row, BadPicture)]
            bad = [(start + n, row) for n, row in enumerate(found) if isinstance(row, BadPicture)]
            lost += [unread(place_of(images, index, error), error) for index, error in bad]
            if good:
                yield good
            if hear is not None:
                hear(min(start + BATCH, count), count)


def _finite(engine: Engine, images: Any, seen: Sequence[tuple[int, _Ready]], finite: NDArray[np.bool_]) -> None:
    """See that what came of each image of a batch is numbers."""
    wrong = np.flatnonzero(~finite)
    if len(wrong):
        name = _called(images, seen[int(wrong[0])][0])
        found = say.OUTPUT_NOT_FINITE.at(nowhere(engine.path), network=engine.network, path=name)
        raise api.Mistakes(
            [found.with_fix(f"see which weights are not: `spine weights verify {legible(engine.path)}`")]
        )


def _called(images: Any, index: int) -> str:
    """An image as messages name it."""
    return str(images.called(index)) if hasattr(images, "called") else f"image {index}"


def place_of(images: Any, index: int, error: BadPicture) -> Span:
    """Where an image is named: its line in a list, else its path alone."""
    return images.place(index) if isinstance(images, Dataset) else nowhere(error.path)


def unread(place: Span, error: BadPicture) -> Diagnostic:
    """Why an image cannot be read, at the place that names it."""
    label = "named here" if place.source.text else ""
    found: Diagnostic = say.BAD_PICTURE.at(place, path=error.path, reason=error.reason, label=label)
    return found.with_fix(error.fix)
