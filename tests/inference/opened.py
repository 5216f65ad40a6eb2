"""Trained networks of some kinds, opened: as checkpoints, as models to write, as what PyTorch makes of pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from spinedsl.inference.engine import Engine, digest_of, of_trained
from spinedsl.inference.formats import Model
from spinedsl.training.build import Trained, open_trained


class Opened:
    """`train` gives the checkpoint of a kind. Each is trained and opened once for all tests of a process."""

    def __init__(self, train: Callable[[str], Path]) -> None:
        self.checkpoint = cache(train)
        self.trained = cache(self._trained)
        self.engine = cache(self._engine)

    def _trained(self, kind: str) -> Trained:
        found = open_trained(self.checkpoint(kind)).value
        assert found is not None
        return found

    def model_of(self, kind: str) -> Model:
        return Model(self.trained(kind), digest_of(self.trained(kind)), "model")

    def _engine(self, kind: str) -> Engine:
        found = of_trained(self.trained(kind), self.checkpoint(kind), "cpu").value
        assert found is not None
        return found
