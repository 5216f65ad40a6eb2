"""A network run over many images: read and prepared by threads, a batch ahead of what is computed.

In: an engine, images, and where to begin. Out: what it makes of each that can be read, and why others cannot be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl import api
from spinedsl import checks as say
from spinedsl.data.dataset import Dataset, nowhere
from spinedsl.data.pictures import BadPicture, Pixels
from spinedsl.data.seen import digest_of_pixels
from spinedsl.data.workers import usual_workers
from spinedsl.diagnostics import Diagnostic
from spinedsl.inference.engine import Decoded, Engine
from spinedsl.reading import legible
from spinedsl.record import Record
from spinedsl.source import Span

BATCH = 32
Hear = Callable[[int, int], None]  # told how many images of how many are done


class Computed(Record, eq=False):
    """What came of images: a row of `values` for each that could be read, whose number in the data is in `at`."""

    values: Decoded
    labels: NDArray[np.int64]
    at: NDArray[np.int64]
    digests: tuple[bytes, ...]  # of the pixels
    unread: tuple[Diagnostic, ...]


def run_over(engine: Engine, images: Any, hear: Hear | None = None) -> Computed:
    """What a network makes of all images of a data set.

    Raises:
        Mistakes: its numbers are not finite.
    """
    count = len(images)
    rows: list[Decoded] = []
    labels: list[int] = []
    at: list[int] = []
    digests: list[bytes] = []
    lost: list[Diagnostic] = []

    def one(index: int) -> tuple[Pixels, int, bytes] | BadPicture:
        try:
            pixels, label = images.read(index)
            return engine.prepare(pixels), int(label), digest_of_pixels(pixels)
        except BadPicture as error:
            return error
        except MemoryError:
            return BadPicture(_called(images, index), "there is not enough memory for it", "make it smaller")

    with ThreadPoolExecutor(max(1, min(4, usual_workers()))) as pool:

        def begun(start: int) -> list[Future[tuple[Pixels, int, bytes] | BadPicture]]:
            return [pool.submit(one, index) for index in range(start, min(start + BATCH, count))]

        ahead = begun(0)
        for start in range(0, count, BATCH):
            found, ahead = [future.result() for future in ahead], begun(start + BATCH)
            good = [(start + n, row) for n, row in enumerate(found) if not isinstance(row, BadPicture)]
            bad = [(start + n, row) for n, row in enumerate(found) if isinstance(row, BadPicture)]
            lost += [unread(_place(images, index, error), error) for index, error in bad]
            if good:
                rows.append(_finite(engine, images, [n for n, _ in good], [row[0] for _, row in good]))
            at += [index for index, _ in good]
            labels += [row[1] for _, row in good]
            digests += [row[2] for _, row in good]
            if hear is not None:
                hear(min(start + BATCH, count), count)
    values = np.concatenate(rows) if rows else np.empty((0, 0), dtype=np.float32)
    return Computed(values, np.array(labels, np.int64), np.array(at, np.int64), tuple(digests), tuple(lost))


def _finite(engine: Engine, images: Any, at: Sequence[int], pictures: Sequence[Pixels]) -> Decoded:
    values = engine.compute(pictures)
    wrong = np.flatnonzero(~np.isfinite(values).all(1))
    if len(wrong):
        name = _called(images, at[int(wrong[0])])
        found = say.OUTPUT_NOT_FINITE.at(nowhere(engine.path), network=engine.network, path=name)
        raise api.Mistakes(
            [found.with_fix(f"see which weights are not: `spine weights verify {legible(engine.path)}`")]
        )
    return values


def _called(images: Any, index: int) -> str:
    """An image as messages name it."""
    return str(images.called(index)) if hasattr(images, "called") else f"image {index}"


def _place(images: Any, index: int, error: BadPicture) -> Span:
    return images.place(index) if isinstance(images, Dataset) else nowhere(error.path)


def unread(place: Span, error: BadPicture) -> Diagnostic:
    """Why an image cannot be read, at the place that names it."""
    label = "named here" if place.source.text else ""
    found: Diagnostic = say.BAD_PICTURE.at(place, path=error.path, reason=error.reason, label=label)
    return found.with_fix(error.fix)
