"""Trained once for all tests here: a classifier of three colours, and an embedder of eight persons."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinedsl import train
from spinedsl.record import Record
from tests.inference.making import NAMES, of_faces, persons, squares
from tests.training.running import Squares, settings


class Trained(Record):
    """A folder with `run`, `train`, `val` and, of persons, `strangers`."""

    folder: Path

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def model(self) -> Path:
        return self.folder / "run/last.safetensors"

    @property
    def val(self) -> Path:
        return self.folder / "val"


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("colours")
    squares(folder / "train", Squares(24))
    squares(folder / "val", Squares(12, seed=1))
    data = {"train": str(folder / "train"), "validation": str(folder / "val")}
    train(settings(folder, data=data, run={"steps": 12}))
    return Trained(folder)


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("faces")
    persons(folder / "train", count=6)
    persons(folder / "val", count=4, first=20)
    persons(folder / "strangers", ("Xaver", "Yvonne", "Quentin Q"), count=4, first=100)
    data = {"train": str(folder / "train"), "validation": str(folder / "val"), "kind": "persons"}
    optimizer = {"name": "adamw", "rate": 0.01}
    train(of_faces(folder, data=data, optimizer=optimizer, run={"steps": 60, "batch": 16, "validate_every": 60}))
    assert len(NAMES) == 8
    return Trained(folder)
