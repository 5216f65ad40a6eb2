"""A step without a run: its parts, and the order in which gradients are scaled, shortened and used."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from spinedsl.training.devices import Place
from spinedsl.training.distributed import Group
from spinedsl.training.learner import Learner, Losses
from spinedsl.training.state import State, Tensors


def learner(clip: float = 0.0, parts: int = 1, scaler: torch.amp.GradScaler | None = None, **more: Any) -> Learner:
    """One of a network of one weight, which is 1, with a rate of 1."""
    module = nn.Linear(1, 1, bias=False)
    nn.init.ones_(module.weight)
    run = {"accumulate": parts, "seed": 3}
    setup = SimpleNamespace(config=SimpleNamespace(run=run, optimizer={"clip": clip}), **more)
    state = State(module, Tensors({}, 0), torch.optim.SGD(module.parameters(), 1.0), None, scaler)
    return Learner(cast(Any, setup), Group(), cast(Place, None), state, module)


def test_a_step_loses_the_mean_of_its_parts_and_so_does_each_part_of_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    made = learner(parts=2)
    lost = [
        Losses(torch.tensor(a + b), {"boxes": torch.tensor(a), "classes": torch.tensor(b)})
        for a, b in ((1.0, 10.0), (3.0, 50.0))
    ]
    monkeypatch.setattr(made, "_part", lambda *given: lost[given[1]])
    monkeypatch.setattr(made, "_move", lambda *given: None)
    found = made.learn(0, iter(cast(Any, [None, None])))
    assert float(found.whole) == 32
    assert {name: float(one) for name, one in found.parts.items()} == {"boxes": 2, "classes": 30}


@pytest.mark.parametrize("scaled", [False, True])
def test_gradients_are_shortened_at_their_own_length(scaled: bool) -> None:
    """Those of 16 bits are multiplied by thousands until they are used: `clip` speaks of what they are."""
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0) if scaled else None
    made = learner(clip=0.25, scaler=scaler)
    loss = made.network(torch.tensor([[4.0]])).sum()
    (scaler.scale(loss) if scaler is not None else loss).backward()
    made._move(None)
    assert float(cast(nn.Linear, made.state.module).weight.detach()) == pytest.approx(0.75)


def test_each_part_of_a_step_is_mixed_otherwise() -> None:
    def mixed(images: Tensor, labels: Tensor, features: int, share: float, order: Tensor) -> tuple[Any, ...]:
        return share, tuple(order.tolist())

    made = learner(task=SimpleNamespace(mix=mixed), features=3)
    images, labels = torch.zeros(16, 3, 4, 4), torch.zeros(16, dtype=torch.long)
    places = [(0, 0), (0, 1), (1, 0), (1, 1)]
    found = [made._mixed(images, labels, step, number, 0.4) for step, number in places]
    assert found == [made._mixed(images, labels, step, number, 0.4) for step, number in places]
    for each in zip(*found, strict=True):
        assert len(set(cast(Any, each))) == len(places)
