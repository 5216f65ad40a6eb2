"""Fitness by a training: values, pruning, workers, what fails, and what is said before anything is trained."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import FrozenTrial

import spinedsl
from spinedsl import search
from spinedsl.api import Mistakes
from spinedsl.cli.search_progress import Tally
from spinedsl.report.convergence import best_so_far
from spinedsl.report.runs import Run
from spinedsl.search.records import CURVE
from spinedsl.search.running import trainer_of, work_on
from spinedsl.search.storage import NoStudy
from spinedsl.search.study import find
from spinedsl.search.trained import Trainer
from spinedsl.training import loop
from tests.cli.running import run
from tests.patience import HANG, until
from tests.search.test_studies import everything
from tests.search.trainings import CONFIG, SPACE, laid_out


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with space, images and configuration, which tests only read."""
    folder = tmp_path_factory.mktemp("trained")
    laid_out(folder)
    return folder


def searched(laid: Path, **more: Any) -> search.Study:
    given = {"engine": "random", "train": laid / "train.toml", "budget": 4, **more}
    return search.run(laid / "space.spine", **given)


def test_a_value_is_what_spine_train_gives_of_the_candidate(laid: Path, tmp_path: Path) -> None:
    study = searched(laid)
    assert [str(one) for one in study.setup.objectives] == ["trained:max"]
    losses = set()
    for one in study.settled.values():
        (tmp_path / "net.spine").write_text(study.text(one))
        changes = {"network": {"file": str(tmp_path / "net.spine")}, "run": {"output": str(tmp_path / str(one.slot))}}
        result = spinedsl.train(laid / "train.toml", changes=changes)
        assert one.values == (result.figures["top_1"],)
        assert list(one.curve) == [2, 4, 6]
        assert one.curve[6] == result.figures["top_1"]
        told = (tmp_path / str(one.slot) / "validation.csv").read_text().splitlines()[1:]
        assert [*one.curve.values()] == [float(line.split(",")[1]) for line in told]
        log = (tmp_path / str(one.slot) / "log.csv").read_text().splitlines()[1:]
        losses.add(tuple(float(line.split(",")[2]) for line in log))
    assert len(losses) == len(study.settled) > 1, "they are different networks"


def test_the_same_seed_is_the_same_search_and_another_training_another(laid: Path, tmp_path: Path) -> None:
    one = searched(laid, halving=(2, 2), budget=8)
    kept = searched(laid, halving=(2, 2), budget=5, study=tmp_path / "a.db")
    kept = searched(laid, halving=(2, 2), budget=8, study=tmp_path / "a.db")
    assert everything(one) == everything(kept)
    other = searched(laid, halving=(2, 2), budget=8, changes={"run": {"seed": 7}})
    assert [x.genome for x in other.settled.values()] == [x.genome for x in one.settled.values()]
    assert [x.curve for x in other.settled.values()] != [x.curve for x in one.settled.values()]


def test_halving_gives_candidates_up_and_they_count(laid: Path) -> None:
    whole = searched(laid, budget=8)
    study = searched(laid, halving=(2, 4), budget=8)
    assert len(study.settled) == 8
    pruned = [one for one in study.settled.values() if one.pruned]
    assert 2 <= len(pruned) < 8
    for one in study.settled.values():
        assert whole.settled[one.slot].curve.items() >= one.curve.items(), "as far as it came, it is the same training"
        assert one.values == (list(one.curve.values())[-1],)
        assert (max(one.curve) < 6) == one.pruned
    assert {one.slot for one in study.best} == {slot for slot, one in study.settled.items() if not one.pruned}
    assert study.front[0].values == study.best[0].values
    first = [one.curve[2] for _, one in sorted(study.settled.items())]
    for slot in range(1, 8):
        better = sum(value > first[slot] for value in first[:slot])
        allowed = max(1, (slot + 1) // 4)
        assert (max(study.settled[slot].curve) == 2) == (better >= allowed), "the best quarter so far goes on"


def test_several_objectives(laid: Path) -> None:
    study = searched(laid, engine="nsga2", fitness=["trained", "parameters"], budget=3)
    for one in study.settled.values():
        assert one.values == (one.curve[6], one.costs["parameters"])


def test_a_callable_may_report_and_be_given_up() -> None:
    def fitness(candidate: search.Measured) -> float:
        for step in range(1, 5):
            candidate.report(step, candidate.slot if candidate.slot < 3 else -1)
        return candidate.slot

    space = search.open_space(spinedsl.source.Source.from_text(SPACE, "space.spine"))
    study = search.run(space, fitness, engine="random", budget=6, halving=(2, 2))
    assert {slot for slot, one in study.settled.items() if one.pruned} == {3, 4, 5}
    assert study.settled[4].values == (-1.0,)
    assert study.settled[4].curve == {1: -1.0, 2: -1.0}
    assert [one.slot for one in Run(study, "", "", ()).measured] == [0, 1, 2]
    assert [one.slot for one in study.best] == [2, 1, 0]
    assert [*best_so_far([*study.settled.values()], study.setup.objectives[0], 6)] == [0, 1, 2, 2, 2, 2]
    tally = Tally(study)
    for one in [*study.settled.values()][3:]:
        tally.hear(one)
    assert "best" not in tally.words, "what was given up is not the best"


# ---- what fails ----


def test_a_loss_that_is_no_number_is_one_candidate_without_a_value(laid: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Trainer.__call__

    def fast(self: Trainer, measured: search.Measured) -> float:
        if measured.slot in (0, 2):  # the first one too
            self = trainer_of(laid / "train.toml", measured._candidates, {"optimizer": {"rate": 1e20}})
        return before(self, measured)

    monkeypatch.setattr(Trainer, "__call__", fast)
    study = searched(laid)
    assert [slot for slot, one in sorted(study.settled.items()) if one.values is None] == [0, 2]
    assert "the loss of step" in study.settled[2].why
    with pytest.raises(search.Failed, match="the loss of step"):
        searched(laid, changes={"optimizer": {"rate": 1e20}}, budget=30)


def test_a_candidate_that_does_not_fit_into_memory(laid: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    errors = [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
    before = loop.train

    def full(*given: Any, **more: Any) -> Any:
        if errors:
            raise errors.pop()
        return before(*given, **more)

    monkeypatch.setattr("spinedsl.search.trained.train", full)
    study = searched(laid, budget=3)
    assert [one.why for _, one in sorted(study.settled.items())][:2] == [
        "there is not enough memory to train a candidate"
    ] * 2
    assert study.settled[2].values is not None
    errors.append(RuntimeError("something else"))
    with pytest.raises(RuntimeError, match="something else"):
        searched(laid)


# ---- what is said before ----


def test_everything_that_is_wrong_is_said_before_the_first_candidate(tmp_path: Path) -> None:
    laid_out(
        tmp_path, CONFIG.replace('validation = "images/val"\n', "").replace("rate = 0.05", "rate = 0.05\nclip = -1")
    )
    (tmp_path / "images/train/red/0.png").write_bytes(b"no picture")
    with pytest.raises(Mistakes) as told:
        searched(tmp_path)
    assert [one.code.id for one in told.value.diagnostics] == ["E1004"]
    with pytest.raises(Mistakes) as told:
        searched(tmp_path, changes={"optimizer": {"clip": 1.0}, "weights": {"from": "absent.safetensors"}})
    assert {one.code.id for one in told.value.diagnostics} == {"E1214", "E0801", "E1102"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--change", "run.steps=3", "--fitness", "depth"], "--change is of the configuration of --train"),
        (["--fitness", "depth", "--halving", "2"], "--halving is of candidates that are trained"),
        (["--fitness", "depth", "--first-rung", "2"], "--first-rung is of candidates that are trained"),
        (["--fitness", "trained"], "fitness `trained` is measured by --train CONFIG"),
        (["--train", "{}", "--fitness", "trained:min"], "more is better of what a training gives"),
        (["--train", "{}", "--halving", "1"], "--halving 1 gives up none"),
        (["--train", "{}", "--halving", "0", "--first-rung", "3"], "--halving 0 has none"),
        (["--train", "{}", "--first-rung", "0"], "--first-rung 0 is before the first step"),
        (["--train", "{}", "--fitness", "trained", "--fitness", "parameters", "--engine", "nsga2", "--halving", "2"],
         "--halving compares by one objective, and 2 are given"),
        (["--train", "{}", "--change", "steps=2"], "--change takes SECTION.KEY=VALUE"),
    ],
)  # fmt: skip
def test_wrong_use(laid: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = [word.format(laid / "train.toml") if word == "{}" else word for word in words]
    status, out, err = run(capsys, "search", str(laid / "space.spine"), "--budget", "2", *given)
    assert (status, out) == (2, "")
    assert said in err


def test_mistakes_are_printed(laid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--train", str(laid / "absent.toml")]
    status, out, err = run(capsys, "search", str(laid / "space.spine"), *words)
    assert (status, out) == (1, "")
    assert err.startswith("error[E0801]")


# ---- workers ----


def test_a_worker_gives_the_configuration_with_paths_of_its_own(
    laid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "a.db"
    words = ["search", str(laid / "space.spine"), "--train", str(laid / "train.toml"), "--study", str(place)]
    status, out, err = run(capsys, *words, "--engine", "random", "--budget", "2", "--halving", "0")
    assert (status, err) == (0, "")
    assert "2 of 2 candidates measured" in out
    study = search.open_study(place)
    assert study.setup.training is not None
    kept = str(study.optuna.user_attrs)
    assert str(laid) not in str(study.setup.training), "no path is kept"
    assert "'device'" not in kept
    laid_out(
        tmp_path / "moved",
        CONFIG.replace('"images/', '"../moved/images/').replace("workers = 0", "workers = 0\noutput = 'x'"),
    )
    moved = ["search", "worker", "--study", str(place), "--train", str(tmp_path / "moved/train.toml")]
    assert run(capsys, *moved)[:2] == (0, "Small: 2 candidates of 2 measured\n")
    for change, said in (
        ("run.steps=5", "expected `run.steps` of its training `6`, got `5`"),
        ("optimizer.momentum=0.5", "expected `optimizer.momentum` of its training none, got `0.5`"),
    ):
        status, _, err = run(capsys, *moved, "--change", change)
        assert status == 1
        assert "error[E1211]" in err
        assert said in err
    (tmp_path / "moved/images/val/red/0.png").unlink()
    status, _, err = run(capsys, *moved)
    assert status == 1
    assert "expected `digest of validation` of its training" in err
    status, _, err = run(capsys, "search", "worker", "--study", str(place))
    assert status == 2
    assert "give it too, with paths of this machine, by --train CONFIG" in err
    status, _, err = run(capsys, *words, "--engine", "random", "--budget", "3", "--halving", "2")
    assert status == 1
    assert "expected successive halving none, got `[2, 2]`" in err


def test_a_study_that_trains_nothing_takes_no_configuration(laid: Path, tmp_path: Path) -> None:
    search.run(laid / "space.spine", "depth", budget=2, study=tmp_path / "a.db")
    study = find(str(tmp_path / "a.db"), None)
    with pytest.raises(ValueError, match="the study trains nothing"):
        work_on(study, trainer=trainer_of(laid / "train.toml", study.candidates))


def test_a_killed_training_is_made_again_and_an_interrupted_one_ends_cleanly(laid: Path, tmp_path: Path) -> None:
    """A long first candidate is killed in the middle; another worker is asked to end; a third brings it to its end."""
    place = tmp_path / "a.db"
    words = [
        "search", "run", "space.spine", "--train", "train.toml", "--engine", "random", "--budget", "2", "--study",
        str(place), "--halving", "0", "--grace", "3", "--change", "run.steps=60", "--change", "run.validate_every=10",
    ]  # fmt: skip

    def begun() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "spinedsl", *words], cwd=laid, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def trials() -> list[FrozenTrial]:
        try:
            return search.open_study(place).optuna.get_trials(deepcopy=False)
        except NoStudy:
            return []

    def trained(number: int) -> bool:
        """A trial is in the middle of its training."""
        found = trials()
        return len(found) > number and CURVE in found[number].user_attrs

    first = begun()
    until(lambda: trained(0))
    first.kill()
    first.communicate(timeout=HANG)
    known = len(trials())  # the first may have gone on to another one before it was killed
    second = begun()
    until(lambda: trained(known))
    second.send_signal(signal.SIGINT)
    _, err = second.communicate(timeout=HANG)
    kept = f"of 2 candidates measured; these are kept in {re.escape(str(place))}, and the same command goes on"
    assert second.returncode == 130
    assert re.fullmatch(rf"spine: [01] {kept}\nspine: interrupted\n", err.decode())
    third = begun()
    _, err = third.communicate(timeout=HANG)
    assert (third.returncode, err) == (0, b"")
    study = search.open_study(place)
    assert sorted(study.settled) == [0, 1]
    changes = {"run": {"steps": 60, "validate_every": 10}}
    again = searched(laid, budget=2, changes=changes)
    assert {slot: one.curve for slot, one in study.settled.items()} == {
        slot: one.curve for slot, one in again.settled.items()
    }
