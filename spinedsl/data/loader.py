"""Batches for the steps of a run: read, changed and put together, in this process or ahead of time in others.

In: a data set, its preprocessing, a plan and an augmentation. Out: a `Batch` for each step asked for, in order. Every
batch follows from its step alone: the number of workers, and where a run began, make no difference to any bit of it.

How long whoever trains had to wait for batches is kept: `waited`, in seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from queue import Empty, Queue
from threading import Thread
from time import perf_counter
from typing import Self

import numpy as np
from numpy.typing import NDArray

from spinedsl.data.augment import Augmentation
from spinedsl.data.boxes.changed import Change
from spinedsl.data.boxes.placed import Placed
from spinedsl.data.pictures import Pixels
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.sample import Readable, Truth, sample
from spinedsl.data.sampler import Indices, Plan
from spinedsl.data.workers import Workers
from spinedsl.record import Record

AHEAD = 2  # batches that each worker makes or keeps ready, so that memory is bounded


class Batch(Record, eq=False):
    """The pictures of one step: `uint8`, pictures x height x width x channels, not yet normalised; and their labels.

    `indices` are those of the samples in the data set, and `labels` are `int64`, one each. Where the data set has
    boxes, `objects` are those of each picture, and labels are zeros.
    """

    step: int
    pictures: Pixels
    labels: NDArray[np.int64]
    indices: Indices
    objects: tuple[Placed, ...] = ()


class Recipe(Record, eq=False):
    """How samples become a batch; it is sent to each worker once. Labels are below `classes`, unless that is 0."""

    dataset: Readable
    preprocessing: Preprocessing
    augmentation: Augmentation = Augmentation()
    seed: int = 0
    classes: int = 0

    def batch(self, step: int, epoch: int, indices: Indices) -> Batch:
        """The batch of these samples."""
        labels = np.zeros(len(indices), dtype=np.int64)
        objects: list[Placed] = []
        pre = self.preprocessing
        pictures = np.empty((len(indices), pre.height, pre.width, pre.channels), dtype=np.uint8)
        for place, index in enumerate(indices):
            pixels, truth = sample(self.dataset, int(index), self.classes)
            if isinstance(truth, Truth):
                change = Change(self.augmentation, pre, self.seed, epoch, int(index), self.classes)
                pictures[place], found = change.picture(pixels, truth, self.dataset)
                objects.append(found)
            else:
                pixels, labels[place] = self.augmentation.relabelled(pixels, truth, self.seed, epoch)
                pictures[place] = self.augmentation.prepared(pixels, pre, self.seed, epoch, int(index))
        return Batch(step, pictures, labels, np.array(indices, dtype=np.int64), tuple(objects))


Task = tuple[int, int, Indices]  # a number, the epoch that is drawn for, and the samples


class Loader:
    """Batches of a recipe, made by `workers` processes ahead of time, or by this one where there are none.

    Use it in a `with`, or close it: its processes end then, and also when this process does, whatever ends it.
    """

    def __init__(self, recipe: Recipe, workers: int = 0) -> None:
        self.recipe = recipe
        self.waited = 0.0
        self._workers = Workers(recipe.batch, workers) if workers else None
        self._ahead: _Ahead | None = None

    @property
    def pids(self) -> list[int]:
        """The processes that make batches."""
        return self._workers.pids if self._workers is not None else []

    def steps(self, plan: Plan, first: int, last: int, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        """The batches of the steps from `first` up to, not including, `last`; of each one of `parts` equal parts.

        Raises:
            BadPicture: a file can no longer be read.
            WorkerDied: a worker ended.
        """
        return self.batches((step, plan.epoch(step), plan.part(step, part, parts)) for step in range(first, last))

    def batches(self, tasks: Iterable[Task]) -> Iterator[Batch]:
        """The batches of tasks, in their order."""
        begun = perf_counter()
        for batch in self._made(iter(tasks)):
            self.waited += perf_counter() - begun
            yield batch
            begun = perf_counter()

    def _made(self, tasks: Iterator[Task]) -> Iterator[Batch]:
        if self._workers is None:
            yield from (self.recipe.batch(*task) for task in tasks)
            return
        if self._ahead is not None:
            self._ahead.stop()
        self._ahead = _Ahead(self._workers, tasks)
        yield from self._ahead

    def close(self) -> None:
        """End the processes."""
        if self._workers is not None:
            self._workers.close()
        if self._ahead is not None:
            self._ahead.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Ahead:
    """A thread that gives tasks to workers and takes in what they made, in order, before it is asked for."""

    def __init__(self, workers: Workers, tasks: Iterator[Task]) -> None:
        self.workers, self.tasks = workers, tasks
        self.most = AHEAD * len(workers.pids)
        self.ready: Queue[Batch | BaseException | None] = Queue(maxsize=AHEAD)
        self.stopped = False
        self.thread = Thread(target=self._run, daemon=True)
        self.thread.start()

    def __iter__(self) -> Iterator[Batch]:
        try:
            while (found := self.ready.get()) is not None:
                if isinstance(found, BaseException):
                    raise found
                yield found
        finally:
            self.stopped = True

    def _run(self) -> None:
        try:
            for batch in self._in_order():
                self.ready.put(batch)
            self.ready.put(None)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asks for batches
            self.ready.put(error)

    def _in_order(self) -> Iterator[Batch]:
        given: deque[str] = deque()
        made: dict[str, Batch] = {}
        while True:
            for task in () if self.stopped else islice(self.tasks, self.most - len(given)):
                given.append(f"batch {task[0]}")
                self.workers.give(given[-1], *task)
            if not given:
                return
            made.update(self.workers.answers())
            while given and given[0] in made:
                yield made.pop(given.popleft())

    def stop(self) -> None:
        """Give no more tasks, and wait until those that were given are done, or their workers gone."""
        self.stopped = True
        while self.thread.is_alive():
            with suppress(Empty):
                self.ready.get(timeout=0.02)
        self.thread.join()
