"""An embedder that learns from images which stand together in a batch: batches, labels, and settings at odds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from spinedsl import api, train
from spinedsl.tasks.embedding import contrastive
from tests.inference.making import of_faces, persons
from tests.training.running import Squares

TASK = {"kind": "embedding", "loss": "contrastive", "temperature": 0.2}


def faces(folder: Path, **sections: Any) -> dict[str, Any]:
    """Settings of a run on eight persons of four images each."""
    persons(folder / "train")
    return of_faces(folder, **{"task": TASK, **sections})


def with_changes(folder: Path, **augment: Any) -> dict[str, Any]:
    return {"train": str(folder / "train"), "kind": "persons", "augment": augment}


@pytest.mark.parametrize("made", [False, True], ids=["as they are", "new classes"])
def test_two_images_of_each_person_stand_together(tmp_path: Path, *, made: bool) -> None:
    seen: list[list[int]] = []

    def loss(outputs: Mapping[str, Tensor], labels: Tensor, step: int) -> Tensor:
        seen.append(labels.tolist())
        return contrastive(outputs["id"], labels)

    data = with_changes(tmp_path, new_classes=made)
    train(faces(tmp_path, data=data, task={}, run={"steps": 8, "batch": 8, "per_class": 2}), loss=loss)
    assert len(seen) == 8
    assert all(first == second for labels in seen for first, second in zip(labels[::2], labels[1::2], strict=True))
    assert (max(max(labels) for labels in seen) > 7) is made


def test_it_learns_who_is_who(tmp_path: Path) -> None:
    validation = persons(tmp_path / "validation", first=20)
    data = {**with_changes(tmp_path, new_classes=True), "validation": str(validation)}
    found = [
        train(faces(tmp_path, data=data, run={"steps": steps, "batch": 16, "output": str(tmp_path / str(steps))}))
        for steps in (1, 60)
    ]
    assert found[1].figures["rank_1"] > found[0].figures["rank_1"]
    assert found[1].figures["rank_1"] >= 0.9


def test_a_run_that_stopped_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    data = with_changes(tmp_path, new_classes=True, flip=True)

    def run(name: str, steps: int, *, resume: bool = False) -> Path:
        kept = {"steps": steps, "batch": 8, "threads": 1, "output": str(tmp_path / name)}
        schedule = {"kind": "constant"}
        return train(faces(tmp_path, data=data, run=kept, schedule=schedule), resume=resume).last

    whole = run("whole", 7)
    run("parted", 3)
    parted = run("parted", 7, resume=True)
    tensors = [load_file(path) for path in (whole, parted)]
    assert tensors[0].keys() == tensors[1].keys()
    assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in tensors[0])
    assert not any("identities" in name for name in tensors[0])  # nothing is kept for the loss that was not chosen


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"task": {**TASK, "margin": 0.3}}, '`task.margin` counts for loss = "arcface" alone, and it is "contrastive"'),
        ({"task": {"kind": "embedding", "temperature": 0.3}}, '`task.temperature` counts for loss = "contrastive"'),
        ({"task": {**TASK, "loss": "arkface"}}, "arcface"),
        ({"run": {"batch": 9}}, "a batch of 9 in 1 part does not hold whole groups of 2 images of a class"),
        ({"run": {"batch": 12, "accumulate": 2, "per_class": 4}}, "a batch of 12 in 2 parts does not hold whole"),
        ({"run": {"batch": 10, "per_class": 5}}, "0 training images in groups of 5 of a class do not fill a batch"),
        ({"run": {"per_class": 0}}, "run.per_class"),
        (
            {"task": {"kind": "embedding"}, "data": {"augment": {"new_classes": True}}},
            "classes that this loss does not",
        ),
        ({"data": {"augment": {"new_classes": {"chance": 2}}}}, "a number from 0 to 1"),
    ],
)
def test_settings_at_odds_are_reported(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    changed = {name: dict(values) for name, values in changed.items()}
    if "data" in changed:
        changed["data"] = {**with_changes(tmp_path), **changed["data"]}
    if "run" in changed:
        changed["run"] = {"steps": 2, **changed["run"]}
    with pytest.raises(api.Mistakes) as raised:
        train(faces(tmp_path, **changed))
    assert words in str(raised.value)


def test_images_that_do_not_say_their_labels_cannot_stand_together(tmp_path: Path) -> None:
    with pytest.raises(api.Mistakes, match="only if the data set has `labels`"):
        train(faces(tmp_path), data=Squares())
