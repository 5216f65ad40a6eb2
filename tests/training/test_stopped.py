"""A run that stopped: it is not lost where `--resume` is forgotten, and a checkpoint that was cut off says so."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from spinedsl import api
from spinedsl.training import checkpoint
from spinedsl.training.folder import BEST, LAST
from spinedsl.training.loop import Result, train
from spinedsl.training.messages import unwritten
from tests.training.running import Squares, settings
from tests.training.test_loop import Seen, tensors


def run(folder: Path, *, stop: int = 0, resume: bool = False, steps: int = 6, seed: int = 0) -> tuple[Result, Seen]:
    """A run that is told to stop after a step."""
    seen = Seen({stop: lambda: os.kill(os.getpid(), signal.SIGINT)})
    folder.mkdir(exist_ok=True)
    made = settings(folder, run={"steps": steps, "seed": seed})
    return train(made, data=Squares(), validation=Squares(9, seed=1), resume=resume, watch=[seen]), seen


def codes(seen: Seen) -> list[str]:
    return [one.code.id for one in seen.warned]


def test_a_run_that_stopped_is_kept_where_another_one_begins(tmp_path: Path) -> None:
    whole, seen = run(tmp_path / "whole")
    assert "W1005" not in codes(seen)
    first, second = [run(tmp_path, stop=stop, seed=stop)[0] for stop in (4, 2)]  # the second one in place of the first
    assert not first.finished
    assert not second.finished
    assert second.step < first.step < 6
    begun = second.last.read_bytes()
    result, seen = run(tmp_path)
    assert result.finished
    (found,) = [one for one in seen.warned if one.code.id == "W1005"]
    assert f"stopped at step {second.step} of 6" in found.message
    assert (tmp_path / "run" / f"stopped-at-{second.step}.safetensors").read_bytes() == begun
    assert all(a.equal(b) for a, b in zip(tensors(result.last).values(), tensors(whole.last).values(), strict=True))
    # What was kept goes on by its old name.
    (tmp_path / "run" / f"stopped-at-{first.step}.safetensors").replace(tmp_path / "run" / LAST)
    result, seen = run(tmp_path, resume=True, seed=4)
    assert result.step == 6
    assert any(f"resumed at step {first.step} of 6" in text for text in seen.told)
    assert "W1005" not in codes(seen)


def test_the_best_checkpoint_is_that_of_the_run(tmp_path: Path) -> None:
    def best() -> int:
        return int(checkpoint.about_of(tmp_path / "run" / BEST)["step"])

    first, _ = run(tmp_path, stop=4)
    kept = first.best
    assert kept is not None
    figure = checkpoint.about_of(kept)["best"]
    settled = settings(tmp_path, run={"steps": 2, "seed": 9})
    other = train(settled, data=Squares())  # without validation
    assert other.best is None
    assert not (tmp_path / "run" / BEST).exists()
    aside = tmp_path / "run" / f"stopped-at-{first.step}-best.safetensors"
    assert checkpoint.about_of(aside)["best"] == figure
    # The old run goes on without its best checkpoint, and has one of its own again.
    other = train(settled, data=Squares(), validation=Squares(9, seed=1))
    assert best() <= 2
    (tmp_path / "run" / f"stopped-at-{first.step}.safetensors").replace(tmp_path / "run" / LAST)
    result, _ = run(tmp_path, resume=True, steps=8, seed=4)
    assert result.step == 8
    assert result.best is not None
    assert best() > first.step
    assert result.best_figures == {"top_1": checkpoint.about_of(result.best)["best"]}


def test_a_run_that_ended_is_replaced_without_a_word(tmp_path: Path) -> None:
    for _ in range(2):
        result, seen = run(tmp_path)
        assert "W1005" not in codes(seen)
    (tmp_path / "run" / LAST).write_bytes(b"{}")  # and so is what is no checkpoint
    assert "W1005" not in codes(run(tmp_path)[1])
    assert not list((tmp_path / "run").glob("stopped*"))
    assert result.best_figures == {"top_1": max(figures["top_1"] for figures in seen.figures.values())}


def test_a_checkpoint_that_was_cut_off_says_so_and_what_is_left(tmp_path: Path) -> None:
    result, _ = run(tmp_path)
    data = result.last.read_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    for length in (0, 1, 7, 8, 100, header // 2, header - 1, header, header + 1, len(data) // 2, len(data) - 1):
        result.last.write_bytes(data[:length])
        assert length >= 100 or checkpoint.about_of(result.last) == {}
        with pytest.raises(api.Mistakes) as raised:
            run(tmp_path, resume=True)
        said = str(raised.value)
        assert f"`--weights {result.best}`" in said, said
        if length >= header:
            assert f"it is cut off: {length - header:,} of {len(data) - header:,} bytes of its numbers" in said
    assert result.best is not None
    result.best.unlink()
    with pytest.raises(api.Mistakes, match="cut off") as raised:
        run(tmp_path, resume=True)
    assert "--weights" not in str(raised.value)


@pytest.mark.parametrize("unit", ["steps", "epochs"])
def test_a_run_does_not_resume_beyond_its_end(tmp_path: Path, unit: str) -> None:
    """Less than was made is refused, with what to write; as much makes no step, and leaves the checkpoint as it is."""

    def resumed(length: int) -> Result:
        made = settings(tmp_path, run={"batch": 12})
        del made["run"]["steps"]
        made["run"][unit] = length
        return train(made, data=Squares(), resume=True)

    first, _ = run(tmp_path, steps=6)
    kept = first.last.read_bytes()
    with pytest.raises(api.Mistakes, match="has 6 steps, and the run would end after") as raised:
        resumed({"steps": 4, "epochs": 2}[unit])
    enough = {"steps": 6, "epochs": 3}[unit]
    assert f"`{unit} = {enough}` or more" in str(raised.value)
    assert first.last.read_bytes() == kept
    assert resumed(enough).step == 6
    assert first.last.read_bytes() == kept
    assert resumed(enough + 1).step > 6
    assert first.last.read_bytes() != kept


def test_a_full_disk_says_what_to_do(tmp_path: Path) -> None:
    (fix,) = unwritten(tmp_path, OSError(errno.ENOSPC, "full")).fixes
    assert "make room" in fix.text
    assert not unwritten(tmp_path, OSError(errno.EACCES, "no")).fixes
