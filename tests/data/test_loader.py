"""Batches: equal to the bit for any number of workers and wherever a run begins; workers that end leave nothing."""

from __future__ import annotations

import os
import platform
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spinedsl.data.augment import augmentation
from spinedsl.data.loader import AHEAD, Batch, Loader, Recipe
from spinedsl.data.pictures import MissingPicture
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.sampler import Plan, in_order
from spinedsl.data.steps import AUGMENTS
from spinedsl.data.workers import Closed, NotSent, WorkerDied, Workers, usual_workers
from tests.data.making import Files, files
from tests.patience import HANG, until

PLAN = Plan(3, 10, 4)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    made = files(tmp_path_factory.mktemp("pictures"), PLAN.count)
    steps = augmentation(dict.fromkeys(AUGMENTS.keys() - {"new_classes", "mosaic"}, True))  # labels stay what they are
    return Recipe(made, Preprocessing(16, 16), steps, seed=3)


def same(one: Batch, other: Batch) -> bool:
    fields = ("step", "pictures", "labels", "indices")
    return all(np.array_equal(getattr(one, field), getattr(other, field)) for field in fields)


def test_a_batch_is_what_its_samples_are(recipe: Recipe) -> None:
    with Loader(recipe) as loader:
        (batch,) = loader.steps(PLAN, 3, 4)
    assert batch.step == 3
    assert batch.pictures.shape == (4, 16, 16, 3)
    assert np.array_equal(batch.indices, PLAN.indices(3))
    for place, index in enumerate(batch.indices):
        pixels, label = recipe.dataset.read(int(index))
        assert batch.labels[place] == label
        expected = recipe.augmentation.prepared(pixels, recipe.preprocessing, 3, PLAN.epoch(3), int(index))
        assert np.array_equal(batch.pictures[place], expected)


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_make_no_difference_to_any_bit(workers: int, recipe: Recipe) -> None:
    with Loader(recipe) as alone, Loader(recipe, workers) as many:
        assert len(many.pids) == workers
        expected, found = list(alone.steps(PLAN, 0, 9)), list(many.steps(PLAN, 0, 9))
        assert [batch.step for batch in found] == list(range(9))
        assert all(map(same, expected, found))
        again = list(many.steps(PLAN, 5, 7))
        assert all(map(same, expected[5:7], again)), "a run that resumes"
        assert many.waited > 0
    assert alone.pids == []


def test_parts_make_up_the_batch(recipe: Recipe) -> None:
    with Loader(recipe) as loader:
        (whole,) = loader.steps(PLAN, 1, 2)
        parts = [batch for part in (0, 1) for batch in loader.steps(PLAN, 1, 2, part, 2)]
    assert np.array_equal(np.concatenate([part.pictures for part in parts]), whole.pictures)
    assert np.array_equal(np.concatenate([part.labels for part in parts]), whole.labels)


def test_evaluation_takes_all_in_order(recipe: Recipe) -> None:
    with Loader(recipe, 1) as loader:
        tasks = ((number, 0, indices) for number, indices in enumerate(in_order(10, 4)))
        found = [batch.indices.tolist() for batch in loader.batches(tasks)]
    assert found == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_what_was_begun_and_left_does_not_disturb_what_comes_next(recipe: Recipe) -> None:
    with Loader(recipe) as alone, Loader(recipe, 2) as loader:
        for batch in loader.steps(PLAN, 0, 1000):
            if batch.step == 1:
                break
        assert all(map(same, alone.steps(PLAN, 4, 6), loader.steps(PLAN, 4, 6)))


def test_no_more_is_made_ahead_than_is_said(recipe: Recipe) -> None:
    given = []

    def tasks() -> Any:
        for step in range(1000):
            given.append(step)
            yield step, 0, PLAN.indices(step)

    with Loader(recipe, 2) as loader:
        batches = loader.batches(tasks())
        for _ in range(5):
            next(batches)
        # Those that came, those that are ready, those that the workers have, and the one that waits for room.
        assert len(given) <= 5 + AHEAD + 2 * AHEAD + 1


# ---- what goes wrong ----


def test_a_picture_that_is_gone_is_named(tmp_path: Path) -> None:
    made = files(tmp_path, 4)
    Path(made.paths[2]).unlink()
    for workers in (0, 2):
        gone = pytest.raises(MissingPicture, match=r"2\.png: there is no such file")
        with Loader(Recipe(made, Preprocessing(8, 8)), workers) as loader, gone:
            list(loader.steps(Plan(0, 4, 2), 0, 2))


def test_a_killed_worker_is_noticed(recipe: Recipe) -> None:
    with Loader(recipe, 2) as loader:
        batches = loader.steps(PLAN, 0, 10**6)
        next(batches)
        os.kill(loader.pids[0], signal.SIGKILL)
        with pytest.raises(WorkerDied, match=r"was ended by SIGKILL while it made batch \d+"):
            for _ in batches:
                pass
    assert loader.pids == []


def leave(status: int) -> None:
    os._exit(status)


def test_a_worker_that_ends_by_itself_is_noticed() -> None:
    with Workers(leave, 1) as workers:
        workers.give("a loss", 7)
        with pytest.raises(WorkerDied, match="ended with status 7 while it made a loss"):
            list(workers.answers())


def test_what_cannot_be_sent_is_said() -> None:
    with pytest.raises(NotSent, match="use workers = 0"):
        Workers(lambda: None, 1)


def test_a_data_set_of_the_script_itself_is_said() -> None:
    """Its class is one of `__main__`, which in a worker is another module."""
    script = """
        from spinedsl.data.workers import Workers
        def own(number): return number
        with Workers(own, 1) as workers:
            workers.give("it", 1)
            try:
                list(workers.answers())
            except TypeError as error:
                print(error)
    """
    found = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert "put it into a module that can be imported, or use workers = 0" in found.stdout


def pages_of(pictures: int) -> int:
    """Pages that the system had to give for so many pictures, each of which takes six megabytes while it is decoded."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(pictures):
        assert all(part[-1] for part in [np.ones(2**20, dtype=np.uint8) for _ in range(6)])
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others have no such settings")
def test_workers_keep_the_memory_that_pictures_take() -> None:
    with Workers(pages_of, 1) as workers:
        workers.give("first", 20)
        list(workers.answers())
        workers.give("more", 200)
        ((_, pages),) = workers.answers()
    assert pages < 200 * 6 * 2**20 / 4096 / 20


def fail(what: str) -> None:
    if what == "odd":

        class Odd(Exception):
            pass

        raise Odd("of a class that nobody else can have")
    raise ValueError(what)


def test_what_a_worker_raises_arrives() -> None:
    with Workers(fail, 1) as workers:
        workers.give(1, "no good")
        with pytest.raises(ValueError, match="no good"):
            list(workers.answers())
        workers.give(2, "odd")
        with pytest.raises(RuntimeError, match="Odd: of a class that nobody else can have"):
            list(workers.answers())
        assert workers.pending == 0


def test_workers_that_were_closed_answer_nothing_and_nobody_waits_for_them() -> None:
    with Workers(fail, 1) as workers:
        with pytest.raises(Closed):
            list(workers.answers())  # none was given anything
        workers.give(1, "no good")
        workers.close()
        with pytest.raises(Closed):
            list(workers.answers())
        with pytest.raises(Closed):
            workers.give(2, "more")


def is_there(pid: int) -> bool:
    """A process that runs; one that ended and that nobody asked for is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_whoever_started_it(how: signal.Signals, recipe: Recipe) -> None:
    assert isinstance(recipe.dataset, Files)
    script = f"""
        import sys
        from spinedsl.data.loader import Loader, Recipe
        from spinedsl.data.preprocessing import Preprocessing
        from spinedsl.data.sampler import Plan
        from tests.data.making import Files
        loader = Loader(Recipe(Files({tuple(recipe.dataset.paths)!r}), Preprocessing(8, 8)), 2)
        with loader:
            for batch in loader.steps(Plan(0, 10, 2), 0, 10**9):
                if batch.step == 3:
                    print(*loader.pids, flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert len(pids) == 2
    assert all(map(is_there, pids))
    if how is signal.SIGINT:
        os.killpg(process.pid, how)  # as a terminal does: to all of them
    else:
        process.send_signal(how)
    _, said = process.communicate(timeout=HANG)
    until(lambda: not any(map(is_there, pids)))
    assert said.count("Traceback") <= 1, "the workers say nothing"


def test_the_usual_number_of_workers_is_that_of_the_cores() -> None:
    assert 1 <= usual_workers() <= 8
