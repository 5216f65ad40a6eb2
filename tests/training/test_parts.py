"""The parts of the trainer that need no run: schedules, optimizers, averages, threads, norms, logs."""

from __future__ import annotations

import math
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spinedsl.tasks import TASKS, Shown
from spinedsl.training import optim
from spinedsl.training.devices import choose_threads
from spinedsl.training.ema import Average
from spinedsl.training.fine import freeze, train_mode
from spinedsl.training.logs import Line, Logs
from spinedsl.training.norms import lagging, recalibrate
from spinedsl.training.pictures import sheet
from spinedsl.training.schedule import Schedule
from spinedsl.training.state import seed_part
from spinedsl.training.table import OPTIMIZER

SGD = {"name": "sgd", "rate": 0.01, "momentum": 0.9, "nesterov": False, "weight_decay": 0.01}
ADAMW = {"name": "adamw", "rate": 0.1, "betas": [0.9, 0.99], "epsilon": 1e-8, "weight_decay": 0.01}


# ---- schedules ----


def test_cosine_after_a_warm_up() -> None:
    schedule = Schedule("cosine", total=14, warm_up=4, floor=0.2)
    rates = [schedule.rate(step) for step in range(15)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4] == 1.0
    assert rates[9] == pytest.approx(0.6)
    assert rates[14] == pytest.approx(0.2)
    assert all(later <= earlier for earlier, later in pairwise(rates[4:]))


def test_steps_of_the_paper() -> None:
    schedule = Schedule("step", total=100, warm_up=10, warm_up_from=0.1, milestones=(70, 90))
    assert schedule.rate(0) == pytest.approx(0.1 + 0.9 / 10)
    assert [schedule.rate(step) for step in (10, 69, 70, 89, 90, 99)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
    assert Schedule("constant", 10).rate(9) == 1.0


# ---- optimizers ----


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, bias=True), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


def test_norms_and_biases_do_not_decay() -> None:
    found = {group["weight_decay"]: group["names"] for group in optim.groups(dict(network().named_parameters()), 0.5)}
    assert found == {0.5: ["0.weight", "3.weight"], 0.0: ["0.bias", "1.weight", "1.bias", "3.bias"]}


def test_what_is_frozen_is_not_moved() -> None:
    module = network()
    module[0].requires_grad_(False)
    names = [name for group in optim.groups(dict(module.named_parameters()), 0.5) for name in group["names"]]
    assert names == ["3.weight", "1.weight", "1.bias", "3.bias"]
    module.requires_grad_(False)
    with pytest.raises(ValueError, match="nothing is left to train"):
        optim.optimizer(dict(module.named_parameters()), SGD)


@pytest.mark.parametrize("values", [SGD, SGD | {"nesterov": True}, ADAMW])
def test_the_state_of_an_optimizer_goes_on_in_another(values: dict[str, object]) -> None:
    def steps(module: nn.Sequential, chosen: torch.optim.Optimizer, first: int, last: int) -> None:
        for step in range(first, last):
            torch.manual_seed(step)
            chosen.zero_grad()
            module(torch.randn(6, 3, 3, 3)).square().sum().backward()
            chosen.step()

    one, other = network(), network()
    first = optim.optimizer(dict(one.named_parameters()), values)
    steps(one, first, 0, 4)
    kept, tensors = optim.state_of(first), {name: tensor.clone() for name, tensor in one.state_dict().items()}
    assert set(kept) >= {"0.weight/momentum_buffer" if values["name"] == "sgd" else "0.weight/exp_avg"}
    kept = {name: tensor.clone() for name, tensor in kept.items()}
    steps(one, first, 4, 8)
    other.load_state_dict(tensors)
    second = optim.optimizer(dict(other.named_parameters()), values)
    optim.restore(second, kept)
    steps(other, second, 4, 8)
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


OWN: dict[str, tuple[dict[str, Any], Callable[[list[dict[str, Any]]], torch.optim.Optimizer]]] = {
    "sgd": (
        {"name": "sgd", "rate": 0.03, "momentum": 0.7, "nesterov": True, "weight_decay": 0.2},
        lambda groups: torch.optim.SGD(groups, 0.03, 0.7, nesterov=True),
    ),
    "adamw": (
        {"name": "adamw", "rate": 0.03, "betas": [0.6, 0.8], "epsilon": 0.1, "weight_decay": 0.2},
        lambda groups: torch.optim.AdamW(groups, 0.03, (0.6, 0.8), 0.1),
    ),
}


@pytest.mark.parametrize("name", optim.KINDS)
def test_an_optimizer_is_pytorchs_with_these_numbers(name: str) -> None:
    """No number is its default, so that one which nothing reads, or that another one's place has, is noticed."""
    values, theirs = OWN[name]
    one, other = network(), network()
    named = dict(other.named_parameters())
    decayed = [named[key] for key in ("0.weight", "3.weight")]
    plain = [named[key] for key in ("0.bias", "1.weight", "1.bias", "3.bias")]
    groups = [{"params": decayed, "weight_decay": 0.2}, {"params": plain, "weight_decay": 0.0}]
    for module, chosen in ((one, optim.optimizer(dict(one.named_parameters()), values)), (other, theirs(groups))):
        for step in range(3):
            torch.manual_seed(step)
            chosen.zero_grad()
            module(torch.randn(6, 3, 3, 3)).square().sum().backward()
            chosen.step()
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_every_setting_of_an_optimizer_is_among_these_numbers() -> None:
    """`clip` shortens gradients before any optimizer sees them."""
    said = {key for values, _ in OWN.values() for key in values}
    assert said == {setting.name for setting in OPTIMIZER.settings} - {"clip"}
    for setting in OPTIMIZER.settings:
        for values, _ in OWN.values():
            assert setting.name == "name" or values.get(setting.name) != setting.default


def test_gradients_are_shortened_together() -> None:
    module = network()
    module(torch.randn(6, 3, 3, 3)).square().sum().backward()
    before = optim.clip(module.parameters(), 0.5)
    length = torch.stack([p.grad.norm() for p in module.parameters() if p.grad is not None]).norm()
    assert float(before) > 0.5
    assert float(length) == pytest.approx(0.5, rel=1e-4)


# ---- averages ----


def test_the_average_follows_the_formula_and_stands_in() -> None:
    module = nn.BatchNorm1d(1)
    average = Average(module, 0.5)
    with torch.no_grad():
        module.weight.fill_(3.0)
        module.num_batches_tracked.fill_(7)  # type: ignore[union-attr]
    average.update(0)
    assert float(average.tensors["weight"]) == pytest.approx(0.1 * 1 + 0.9 * 3), "0.1 is kept in the first step"
    average.update(1000)
    assert float(average.tensors["weight"]) == pytest.approx((2.8 + 3) / 2)
    assert int(average.tensors["num_batches_tracked"]) == 7
    with average.in_place():
        assert float(module.weight.detach()) == pytest.approx(2.9)
        module.running_mean.fill_(5)  # type: ignore[union-attr]
    assert float(module.weight.detach()) == 3.0
    assert float(module.running_mean[0]) == 0.0  # type: ignore[index]
    assert float(average.tensors["running_mean"]) == 5.0


# ---- threads ----


@pytest.mark.parametrize(
    ("asked", "cores", "busy", "processes", "threads", "words"),
    [
        (3, 8, 8.0, 1, 3, "as the settings say"),
        (0, 8, 0.1, 1, 8, "8 cores"),
        (0, 2, 1.9, 1, 1, "others keep about 1.9 of 2 cores busy"),
        (0, 2, 9.0, 1, 1, "others keep about 9.0 of 2 cores busy"),
        (0, 8, 0.0, 4, 2, "8 cores for 4 processes"),
        (0, 1, 0.0, 2, 1, "1 core for 2 processes"),
    ],
)
def test_threads_leave_room_for_others(
    asked: int, cores: int, busy: float, processes: int, threads: int, words: str
) -> None:
    found, reason = choose_threads(asked, cores, busy, processes, set_before=False)
    assert (found, reason) == (threads, words)


def test_threads_that_the_environment_names_stay() -> None:
    assert choose_threads(0, 8, 0.0, 1, set_before=True) == (torch.get_num_threads(), "as OMP_NUM_THREADS says")


# ---- norms ----


def test_statistics_that_lag_are_said() -> None:
    module = nn.Sequential(nn.BatchNorm2d(2, momentum=0.01), nn.BatchNorm2d(2, momentum=0.1))
    found = lagging(module, 100)
    assert found is not None
    assert found.code.id == "W1001"
    assert "37%" in found.message
    assert "1 batch norm" in found.message
    assert "recalibrate = 100" in str(found)
    assert lagging(module, 400) is None


def test_statistics_computed_anew_are_the_plain_mean() -> None:
    module = nn.Sequential(nn.BatchNorm2d(2, momentum=0.01), nn.Dropout(0.5))
    batches = [torch.randn(8, 2, 3, 3, generator=torch.Generator().manual_seed(n)) * 3 + 1 for n in range(4)]
    norm = module[0]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked.fill_(7)
    recalibrate(module, batches)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    means = torch.stack([batch.mean((0, 2, 3)) for batch in batches]).mean(0)
    assert torch.allclose(norm.running_mean, means, atol=1e-6)
    variances = torch.stack([batch.var((0, 2, 3)) for batch in batches]).mean(0)
    assert torch.allclose(norm.running_var, variances, atol=1e-5)
    assert norm.momentum == 0.01
    assert int(norm.num_batches_tracked) == 7, "what training counts goes on from there"
    assert not module.training


def test_statistics_of_frozen_rows_are_not_computed_anew() -> None:
    module = nn.Sequential(nn.BatchNorm2d(2), nn.BatchNorm2d(2))
    recalibrate(module, [torch.randn(8, 2, 3, 3)], frozenset({"0"}))
    assert [bool((part.running_mean == 0).all()) for part in module] == [True, False]  # type: ignore[union-attr]


def test_freezing_norms_leaves_those_without_statistics() -> None:
    module = nn.Sequential(nn.BatchNorm2d(2), nn.GroupNorm(1, 2), nn.LayerNorm(2))
    freeze(module, (), norms=True)
    assert [part.weight.requires_grad for part in module] == [False, True, True]


def test_frozen_norms_stay_in_evaluation_mode() -> None:
    module = nn.ModuleDict({"a": nn.BatchNorm2d(2), "b": nn.Sequential(nn.BatchNorm2d(2), nn.Dropout())})
    train_mode(module, frozenset({"a"}), norms=False)
    assert [part.training for part in (module["a"], module["b"][0], module["b"][1])] == [False, True, True]  # type: ignore[index]
    train_mode(module, frozenset(), norms=True)
    assert [part.training for part in (module["a"], module["b"][0], module["b"][1])] == [False, False, True]  # type: ignore[index]


# ---- what is drawn, logs, pictures ----


def test_what_is_drawn_follows_from_seed_step_and_part() -> None:
    def drawn(*where: int) -> list[float]:
        seed_part(*where)
        return torch.rand(3).tolist()

    places = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (3, 500_000, 7), (20261130, 4, 1), (2**63 - 1, 10**6, 9)]
    assert [drawn(*where) for where in places] == [drawn(*where) for where in places]
    assert len({tuple(drawn(*where)) for where in places}) == len(places)


def line(step: int) -> Line:
    return Line(step, step / 4, 1 / step, 0.1, 10.0, 0.0)


def never(path: Path, error: OSError) -> None:
    """Told of files that could not be written, where all can be."""
    raise AssertionError((path, error))


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """The system refuses to let a file of this process grow beyond `size` bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_log_that_there_is_no_room_for_loses_whole_lines_and_ends_no_run(tmp_path: Path) -> None:
    lost: list[str] = []
    logs = Logs(tmp_path, 0, lambda path, error: lost.append(path.name))
    logs.line(line(1))
    before = (tmp_path / "log.csv").read_text()
    with room_for(len(before) + 10):
        logs.line(line(2))
        logs.figures(2, {"top_1": 0.25})
        logs.picture(2, bytes(1000), np.zeros((200, 200, 3), dtype=np.uint8))
        logs.close()
    assert (tmp_path / "log.csv").read_text() == before
    assert {"log.csv", "step-0000002.png"} <= set(lost)
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == []
    logs.line(line(3))
    assert [row.partition(",")[0] for row in (tmp_path / "log.csv").read_text().splitlines()] == ["step", "1", "3"]


def test_a_log_loses_the_lines_that_a_resumed_run_makes_again(tmp_path: Path) -> None:
    logs = Logs(tmp_path, 0, never)
    for step in range(1, 6):
        logs.line(line(step))
    logs.figures(4, {"top_1": 0.5})
    with (tmp_path / "log.csv").open("a") as file:
        file.write("6,1.")  # the writer was killed
    before = (tmp_path / "log.csv").read_text()
    Logs(tmp_path, 3, never)
    assert (tmp_path / "log.csv").read_text() == "".join(before.splitlines(keepends=True)[:4])
    assert (tmp_path / "validation.csv").read_text().splitlines() == ["step,top_1"]
    Logs(tmp_path, 0, never)
    assert not (tmp_path / "log.csv").exists()


def test_tensorboard_gets_the_same(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logs = Logs(tmp_path, 0, never)
    logs.line(line(2))
    logs.figures(2, {"top_1": 0.25})
    logs.close()
    found = EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert [(e.step, e.value) for e in found.Scalars("train/loss")] == [(2, 0.5)]
    assert [(e.step, e.value) for e in found.Scalars("validation/top_1")] == [(2, 0.25)]


def test_captions_say_what_was_predicted_and_whether_it_is_right() -> None:
    def said(kind: str, found: Tensor, labels: list[int], count: int, names: list[str]) -> list[tuple[str, bool]]:
        shown = TASKS[kind].shown(list(found), list(torch.tensor(labels)), count, names)
        return [(one.words, one.right) for one in shown]

    shares = torch.tensor([[0.1, 0.7, 0.2], [0.6, 0.3, 0.1], [0.0, 0.1, 0.9]])
    assert said("classification", shares, [1, 1, 2], 2, ["a", "b"]) == [("b", True), ("a", False)]
    assert said("classification", shares[2:], [2], 1, ["a", "b"]) == [("2", True)]
    vectors = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    nearest = [("nearest 0.80", True), ("nearest 0.80", True), ("nearest 0.60", False)]
    assert said("embedding", vectors, [0, 0, 1], 3, []) == nearest


def test_a_sheet_marks_what_is_right(tmp_path: Path) -> None:
    pictures = np.full((9, 5, 7, 1), 128, dtype=np.uint8)
    png, pixels = sheet(pictures, [Shown("Größe", number == 0) for number in range(9)])
    assert png.startswith(b"\x89PNG")
    assert pixels.shape[1] > pixels.shape[0]
    assert tuple(pixels[6, 6]) == (46, 140, 70)
    assert tuple(pixels[6, 6 + 134]) == (190, 50, 50)
    assert math.prod(pixels.shape) > 0


@pytest.mark.parametrize(
    ("side", "shown"), [(5, 120), (28, 112), (62, 124), (64, 124), (123, 124), (124, 124), (500, 124)]
)
def test_pictures_of_a_sheet_fill_their_room(side: int, shown: int) -> None:
    """By whole pixels where they are small: 64 pixels stood in a corner of their room."""
    _, pixels = sheet(np.full((1, side, side, 3), 9, dtype=np.uint8), [Shown("", right=True)])
    assert int((pixels == 9).all(2).any(0).sum()) == shown
