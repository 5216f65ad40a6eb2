"""Validation of persons during training goes by the pairs that the data names."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from spinedsl import train
from spinedsl.data.sources import Options, open_dataset
from spinedsl.tasks import TASKS
from spinedsl.tasks.pairs import listed
from spinedsl.training.build import open_trained
from tests.inference.making import of_faces, pairs, persons

LINES = ["2\t2", "Mary\t5\t6", "Mary\t7\t8", "Mary\t5\tNils\t5", "Nils\t6\tOlga\t6"]
LINES += ["Jürgen Groß\t5\t6", "Olga\t5\t7", "Ada Lovelace\t5\tZoë\t5", "Paul\t6\tRosa\t6"]


@pytest.mark.parametrize("beside", [True, False], ids=["pairs.txt", "named in the settings"])
def test_figures_are_those_of_the_pairs_that_are_listed(tmp_path: Path, *, beside: bool) -> None:
    persons(tmp_path / "train")
    validation = persons(tmp_path / "val", first=5)
    pairs(validation if beside else tmp_path, LINES)
    data = {"train": str(tmp_path / "train"), "validation": str(validation), "kind": "persons"}
    if not beside:
        data["pairs"] = str(tmp_path / "pairs.txt")
    result = train(of_faces(tmp_path, data=data, run={"steps": 3}))
    trained = open_trained(result.last).value
    dataset = open_dataset(validation, "persons", Options(pairs=data.get("pairs", ""))).value
    assert trained is not None
    assert dataset is not None
    assert len(dataset.pairs) == 8
    images = [torch.from_numpy(trained.preprocessing.apply(dataset.read(n)[0])) for n in range(len(dataset))]
    with torch.no_grad():
        vectors = trained.decode(trained.module(torch.stack(images)))
    labels = torch.from_numpy(dataset.labels)
    metrics = TASKS["embedding"].metrics
    assert result.figures == pytest.approx(metrics(vectors, labels, listed(dataset.pairs)), abs=1e-6)
    assert set(result.figures) == {"verification", "tar_at_far_1", "rank_1"}
    assert result.best is not None
