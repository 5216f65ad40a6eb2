"""Images and losses that somebody wrote: what they may give, and that all else is said and never trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from spinedsl import api
from spinedsl.data.augment import Augmentation
from spinedsl.data.boxes.changed import Change
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.sample import BadSample, Truth, sample
from spinedsl.data.steps import Mosaic
from spinedsl.training.build import open_trained
from spinedsl.training.loop import Result, train
from tests.cli.running import run
from tests.training.running import Squares, settings

CE = nn.functional.cross_entropy


class Given(Squares):
    """Squares of which `read` gives something else from the image `at` on."""

    change: Callable[[Any, int], Any] = lambda pixels, label: (pixels, label)
    at: int = 0

    def read(self, index: int) -> Any:
        """What `change` makes of pixels and label."""
        pixels, label = super().read(index)
        return self.change(pixels, label) if index >= self.at else (pixels, label)


def boxes(**fields: Any) -> Callable[[Any, int], Any]:
    """What gives two boxes, with some fields changed."""
    usual = {"sides": np.array([[1, 2, 9, 9], [0, 0, 4, 4]]), "labels": [0, 2], "crowds": [0, 1], "areas": [7.5, 16]}
    return lambda pixels, _: (pixels, SimpleNamespace(**{**usual, **fields}))


def trained(folder: Path, images: Any, **more: Any) -> Result:
    return train(settings(folder, run={"steps": 1}), data=images, **more)


# What `read` gives, what is said of it, and what to do; `None` is fine.
READ: dict[str, tuple[Callable[[Any, int], Any], str | None, str]] = {
    "a numpy label": (lambda x, y: (x, np.int64(y)), None, ""),
    "a tensor's label": (lambda x, y: (x, torch.tensor(y)), None, ""),
    "a list of two": (lambda x, y: [x, y], None, ""),
    "another size": (lambda x, y: (x[:3, :5], y), None, ""),
    "grey": (lambda x, y: (x[:, :, :1], y), None, ""),
    "pixels alone": (lambda x, _: x, "gives <18x16x3 uint8>", "and the label"),
    "three things": (lambda x, y: (x, y, y), "gives 3 things", "and the label"),
    "nothing": (lambda *_: None, "gives None", "and the label"),
    "fractions": (lambda x, y: (x / 255, y), "`float64`, 18 x 16 x 3", "(255 * pixels).round()"),
    "no numbers": (lambda x, y: (x * np.float32("nan"), y), "`float32`, 18 x 16 x 3", "give `uint8`"),
    "16 bits": (lambda x, y: (x.astype("uint16"), y), "`uint16`, 18 x 16 x 3", "from 0 to 255"),
    "channels first": (lambda x, y: (x.transpose(2, 0, 1), y), "3 x 18 x 16", "transpose(1, 2, 0)"),
    "two axes": (lambda x, y: (x[:, :, 0], y), "18 x 16", "pixels[:, :, None]"),
    "an alpha": (lambda x, y: (np.concatenate([x, x[:, :, :1]], 2), y), "18 x 16 x 4", "x 3, or x 1"),
    "no pixels": (lambda x, y: (x[:0], y), "0 x 16 x 3", "leave out"),
    "a tensor": (lambda x, y: (torch.from_numpy(x), y), "a tensor (Tensor)", ".numpy()"),
    "a picture": (lambda x, y: (Image.fromarray(x), y), "a picture of Pillow (Image)", "numpy.asarray"),
    "a list": (lambda x, y: (x.tolist(), y), "[18 items] as pixels", "NumPy array"),
    "a name": (lambda x, y: (x, ("red", "green", "blue")[y]), "as its label", "classes.index(label)"),
    "a stranger": (lambda x, _: (x, "pink"), "'pink' as its label", "whole number"),
    "a fraction": (lambda x, y: (x, y + 0.5), "0.5 as its label", "whole number"),
    "too many": (lambda x, y: (x, y + 3), "3 as its label", "3 classes, from 0 to 2"),
    "below": (lambda x, y: (x, y - 3), "-3 as its label", "3 classes, from 0 to 2"),
    "boxes in part": (lambda x, _: (x, type("", (), {"sides": np.zeros((0, 4))})()), "boxes without", "`areas`"),
    "five columns": (boxes(sides=np.zeros((2, 5))), "`sides` of 2 x 5", "(objects, 4)"),
    "a flat list of sides": (boxes(sides=[1, 2, 3, 4]), "`sides` of 4", "(objects, 4)"),
    "words as sides": (boxes(sides=["a", "b"]), "['a', 'b'] as `sides`", "`areas`"),
    "few labels": (boxes(labels=[1]), "`labels` of 1 for 2 boxes", "of each box: (2,)"),
    "no crowds": (boxes(crowds=None), "None as `crowds`", "`areas`"),
    "few areas": (boxes(areas=3.0), "`areas` of one number for 2 boxes", "(2,)"),
    "no number": (boxes(sides=[[1, 2, np.nan, 9], [0, 0, 4, 4]]), "(1, 2, nan, 9) as the sides of box 0", "leave"),
    "sides for corners": (boxes(sides=[[1, 2, 9, 9], [8, 8, 4, 4]]), "(8, 8, 4, 4) as the sides of box 1", "width"),
    "a label in part": (boxes(labels=[0.5, 1]), "0.5 as the label of box 0", "from 0 on"),
    "a box's label below": (boxes(labels=[0, -1]), "-1 as the label of box 1", "from 0 on"),
    "a box's label above": (boxes(labels=[0, 3]), "3 as the label of box 1", "3 classes, from 0 to 2"),
    "crowds that count": (boxes(crowds=[0, 2]), "2 as `crowds` of box 1", "true or false"),
    "an area of none": (boxes(areas=[1, np.inf]), "inf as the area of box 1", "square pixels"),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_what_read_gives_is_used_or_refused(name: str, tmp_path: Path) -> None:
    change, said, fix = READ[name]
    if said is None:
        assert trained(tmp_path, Given(change=change), validation=Given(change=change)).finished
        return
    with pytest.raises(api.Mistakes) as raised:
        trained(tmp_path, Given(change=change), validation=Given(change=change))
    first, second = raised.value.diagnostics  # both data sets at once, before the first step
    assert first.code.id == second.code.id == "E1118"
    assert said in first.message
    assert "`read(0)` of the images for validation gives" in second.message
    assert fix in first.fixes[0].text
    assert not (tmp_path / "run").exists()


def test_boxes_may_be_lists_tensors_or_arrays() -> None:
    _, found = sample(Given(change=boxes(labels=torch.tensor([0, 2]), sides=[[1, 2, 9, 9], [0, 0, 4, 4]])), 0, 3)
    assert isinstance(found, Truth)
    assert [found.sides.dtype, found.labels.dtype, found.crowds.dtype] == ["float32", "int64", "bool"]
    assert found.crowds.tolist() == [False, True]
    nothing: dict[str, Any] = {name: [] for name in ("sides", "labels", "crowds", "areas")}
    _, empty = sample(Given(change=boxes(**nothing)), 0, 3)
    assert isinstance(empty, Truth)
    assert empty.sides.shape == (0, 4)


def test_what_a_mosaic_takes_is_looked_at_too() -> None:
    images = Given(change=boxes(labels=[0, 7]))
    change = Change(Augmentation((Mosaic(1.0),)), Preprocessing(16, 16), 0, 0, 0, 3)
    pixels, truth = sample(images, 0)
    assert isinstance(truth, Truth)
    with pytest.raises(BadSample, match="7 as the label of box 1: there are 3 classes"):
        change.picture(pixels, truth, images)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_later_sample_ends_the_run_with_its_number(workers: int, tmp_path: Path) -> None:
    with pytest.raises(api.Mistakes, match=r"E1118.*`read\(\d+\)` of the images gives pixels of `float64`"):
        train(
            settings(tmp_path, run={"steps": 6, "workers": workers}), data=Given(count=24, change=_fractions, at=20)
        )  # fmt: skip


def _fractions(pixels: Any, label: int) -> Any:  # one that a worker can be sent
    return pixels / 255, label


def test_what_a_data_set_raises_itself_is_left_as_it_is(tmp_path: Path) -> None:
    def gone(*_: object) -> Any:
        raise OSError("my disk")

    with pytest.raises(OSError, match="my disk"):
        trained(tmp_path, Given(change=gone))


def test_labels_mean_what_a_loss_of_ones_own_makes_of_them(tmp_path: Path) -> None:
    def brightness(outputs: Mapping[str, Tensor], labels: Tensor, step: int) -> Tensor:
        assert labels.max() > 90
        return (outputs["logits"].mean() - labels.float().mean() / 100 * (step >= 0)).square()

    assert trained(tmp_path, Given(change=lambda x, y: (x, y + 100)), loss=brightness).finished
    with pytest.raises(api.Mistakes, match=r"E1118.*'pink' as its label"):
        trained(tmp_path, Given(change=lambda x, _: (x, "pink")), loss=brightness)


def test_a_bad_sample_can_be_sent_between_processes() -> None:
    kind, arguments = BadSample(3, "nothing", "give pixels").__reduce__()
    again = kind(*arguments)
    assert (again.index, again.got, again.fix) == (3, "nothing", "give pixels")
    with pytest.raises(BadSample, match=r"`read\(2\)` gives None"):
        sample(Given(change=lambda *_: None), 2)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((Squares(), Squares()), "data must be images with `classes`, `__len__` and `read(index)`"),
        ("images/train", "a path stands in [data] of the settings"),
        (torch.utils.data.TensorDataset(torch.zeros(4, 3)), "without `classes`, `read`"),
        (Squares(classes=3), "`classes` of data must be a list of names, one for each label; got 3"),  # type: ignore[arg-type]
        (Squares(classes="rgb"), "`classes` of data must be a list of names"),  # type: ignore[arg-type]
        (Squares(classes=("red", "red", "blue")), "'red'] stand there twice"),
    ],
)
def test_what_is_no_data_set(given: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError) as raised:
        trained(tmp_path, given)
    assert said in str(raised.value)
    with pytest.raises(TypeError, match="validation"):
        trained(tmp_path, Squares(), validation=given)


def test_data_sets_go_together(tmp_path: Path) -> None:
    with pytest.raises(api.Mistakes, match="have the classes `blue`, `green`, `red`, and those for training `red`"):
        trained(tmp_path, Squares(), validation=Squares(classes=("blue", "green", "red")))
    with pytest.raises(api.Mistakes, match=r"`data.validation` is read together with `data.train`"):
        train(settings(tmp_path, data={"validation": "in files"}), data=Squares())
    labelled = type("Labelled", (Squares,), {"labels": [0, 1, 2]})
    with pytest.raises(api.Mistakes, match="`labels` of the images has 3 labels for 24 images"):
        trained(tmp_path, labelled())
    labelled = type("Labelled", (Squares,), {"labels": [0, 1, 2, 7] * 6})
    with pytest.raises(api.Mistakes, match=r"`read\(3\)` of the images gives 7 as its label"):
        trained(tmp_path, labelled())


def test_images_for_validation_may_be_given_beside_those_of_files(tmp_path: Path) -> None:
    for number in range(12):
        pixels, label = Squares().read(number)
        path = tmp_path / "images" / ("red", "green", "blue")[label] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    files = settings(tmp_path, data={"train": str(tmp_path / "images")}, run={"steps": 1})
    result = train(files, validation=Squares(9, classes=("blue", "green", "red")))
    assert set(result.figures) >= {"top_1"}
    with pytest.raises(api.Mistakes, match="the images for validation have the classes"):
        train(files, validation=Squares(9))


# What a loss returns, and what is said of it; `None` is fine.
LOSSES: dict[str, tuple[Callable[..., Any], str | None]] = {
    "a number": (lambda out, labels, step: CE(out["logits"], labels) * (step + 1), None),
    "one in a list": (lambda out, labels, _: CE(out["logits"], labels)[None], None),
    "more arguments": (lambda out, labels, step, power=1: CE(out["logits"], labels) ** power + 0 * step, None),
    "one for each image": (lambda out, labels, _: CE(out["logits"], labels, reduction="none"), "of shape (8,)"),
    "a float": (lambda out, labels, _: CE(out["logits"], labels).item() * 0 + 3.0, "returns 3.0"),
    "detached": (lambda out, labels, _: CE(out["logits"], labels).detach(), "without a gradient"),
    "nothing": (lambda *_: None, "returns None"),
    "a pair": (lambda out, labels, _: (CE(out["logits"], labels), 1), "returns (2 items)"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_what_a_loss_returns_is_used_or_refused(name: str, tmp_path: Path) -> None:
    loss, said = LOSSES[name]
    if said is None:
        assert trained(tmp_path, Squares(), loss=loss).finished
        return
    with pytest.raises(api.Mistakes) as raised:
        trained(tmp_path, Squares(), loss=loss)
    assert raised.value.diagnostics[0].code.id == "E1015"
    assert said in str(raised.value)


def test_settings_of_the_tasks_own_loss_count_for_nothing_beside_another(tmp_path: Path) -> None:
    task = {"smoothing": 0.1, "mixup": 0.2, "score": 0.3}
    with pytest.raises(api.Mistakes) as raised:
        train(settings(tmp_path, task=task), data=Squares(), loss=LOSSES["a number"][0])
    said = [found.message.split("`")[1] for found in raised.value.diagnostics]
    assert said == ["task.smoothing", "task.mixup"]  # what is found, is said for its use afterwards


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("focal", "got 'focal'"),
        (nn.CrossEntropyLoss(), "`CrossEntropyLoss` takes (input"),
        (lambda out, labels: CE(out["logits"], labels), "`<lambda>` takes (out, labels)"),
    ],
)
def test_what_is_no_loss(loss: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError) as raised:
        trained(tmp_path, Squares(), loss=loss)
    assert said in str(raised.value)


def test_what_a_loss_raises_says_which_outputs_there_were(tmp_path: Path) -> None:
    with pytest.raises(KeyError) as raised:
        trained(tmp_path, Squares(), loss=lambda out, labels, _: CE(out["kopf"], labels))
    outputs = "its outputs are `C2` (8, 8, 4, 4), `logits` (8, 3)"
    assert raised.value.__notes__ == [f"in the loss that was given, at step 1; {outputs}"]


# ---- used afterwards ----

ANGLES = """\
spine 1
import std.stems

head_type angles(features, channels) -> 2 {
    let angles = linear(flatten(global_average_pool(first(features))), 2)
    yield angles
}

network Own {
    input image: 3 x 16 x 16
    defaults { act relu, norm batch_norm(momentum = 0.9) }
    stem s: resnet_stem channels 8
    output C2: s
    head own: angles from C2 channels 8
}
"""


def test_what_a_loss_of_ones_own_trained_is_used_where_its_meaning_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A head of two numbers is no classifier of three classes, however alike they look."""
    (tmp_path / "net.spine").write_text(ANGLES, encoding="utf-8")
    result = trained(tmp_path, Squares(), loss=lambda out, labels, _: (out["own"].sum(1) - labels).square().mean())
    path = str(result.last)
    for words in (["predict", path, str(tmp_path)], ["eval", path], ["export", path, "-o", str(tmp_path / "a.onnx")]):
        status, _, err = run(capsys, *words)
        assert (status, "error[E1016]" in err) == (1, True), err
        assert "`own` gives 2 numbers, and the images have 3 classes" in err
    opened = open_trained(path).value
    assert opened is not None
    assert opened.module(torch.zeros(1, 3, 16, 16))["own"].shape == (1, 2)
    assert opened.unfit


def test_a_classifier_by_a_loss_of_ones_own_is_used_as_any_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = trained(tmp_path, Squares(), loss=lambda out, labels, _: CE(out["logits"], labels))
    Image.fromarray(Squares().read(0)[0]).save(tmp_path / "one.png")
    status, out, err = run(capsys, "predict", str(result.last), str(tmp_path / "one.png"))
    assert status == 0, err
    assert "red" in out
