"""Whole runs on a network of a few thousand numbers: resumed, killed, wrong, and by a head and a loss of one's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import spinedsl
from spinedsl import api
from spinedsl.diagnostics import Diagnostic
from spinedsl.training import checkpoint
from spinedsl.training.build import open_trained
from spinedsl.training.logs import Line
from spinedsl.training.loop import Result, Run, train
from spinedsl.training.progress import Watcher
from tests.patience import HANG
from tests.texts import ROOT
from tests.training.running import NET, Lost, Squares, settings

MARGINS = {"kind": "embedding", "margin_warm_up": 3, "scale": 8.0}


class Seen(Watcher):
    """Keeps what it is told, and may do something after a step."""

    def __init__(self, after: Mapping[int, Any] | None = None) -> None:
        self.lines: list[Line] = []
        self.told: list[str] = []
        self.warned: list[Diagnostic] = []
        self.figures: dict[int, Mapping[str, float]] = {}
        self.after = after or {}

    def steps(self, line: Line) -> None:
        """Keep it."""
        self.lines.append(line)
        if line.step in self.after:
            self.after[line.step]()

    def notes(self, text: str) -> None:
        """Keep it."""
        self.told.append(text)

    def warns(self, found: Diagnostic) -> None:
        """Keep it."""
        self.warned.append(found)

    def validates(self, step: int, figures: Mapping[str, float]) -> None:
        """Keep them."""
        self.figures[step] = figures

    @property
    def losses(self) -> dict[int, float]:
        """The loss of each step."""
        return {line.step: line.loss for line in self.lines}


def ran(folder: Path, *, watch: Seen | None = None, resume: bool = False, **sections: Mapping[str, Any]) -> Result:
    return train(
        settings(folder, **sections),
        data=Squares(),
        validation=Squares(9, seed=1),
        resume=resume,
        watch=[watch or Seen()],
    )


def tensors(path: Path) -> dict[str, Tensor]:
    found = checkpoint.read(path).value
    assert found is not None
    return {f"{kind}/{name}": tensor for kind, named in found.sets.items() for name, tensor in named.items()}


def same(one: Path, other: Path) -> bool:
    """All tensors to the last bit, and all that is said of the run, but for where its files are."""
    first, second = tensors(one), tensors(other)
    equal = first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
    return equal and said_of(one) == said_of(other)


def said_of(path: Path) -> dict[str, Any]:
    found = checkpoint.read(path).value
    assert found is not None
    return {name: value for name, value in found.about.items() if name not in ("config", "texts")}


# ---- a run ----


def test_a_run_learns_and_leaves_what_its_use_needs(tmp_path: Path) -> None:
    seen = Seen()
    result = ran(tmp_path, watch=seen, run={"steps": 25, "average": 0.9, "validate_every": 5, "pictures": 4})
    assert result.finished
    assert result.step == 25
    assert seen.losses[25] < seen.losses[1] / 4
    assert result.figures["top_1"] == 1.0
    assert sorted(seen.figures) == [5, 10, 15, 20, 25]
    trained = open_trained(result.last).value
    assert trained is not None
    assert (trained.program.name, trained.output, trained.task.kind) == ("Small", "logits", "classification")
    assert list(trained.classes) == ["red", "green", "blue"]
    assert not trained.module.training
    images = Squares(9, seed=1)
    pixels = torch.stack([torch.from_numpy(trained.preprocessing.apply(images.read(n)[0])) for n in range(9)])
    with torch.no_grad():
        shares = trained.decode(trained.module(pixels))
    assert trained.task.metrics(shares, torch.arange(9) % 3)["top_1"] == 1.0
    assert len((result.folder / "log.csv").read_text().splitlines()) == 26
    assert len((result.folder / "validation.csv").read_text().splitlines()) == 6
    assert len(list((result.folder / "pictures").iterdir())) == 5
    assert trained.about["versions"]["spinedsl"] == spinedsl.__version__


def test_weights_of_a_checkpoint_are_read_as_any_others(tmp_path: Path) -> None:
    result = ran(tmp_path, run={"average": 0.5})
    best, own = (spinedsl.read_weights(result.last, key=key) for key in (None, "model"))
    assert best.key == "average"
    assert not (best.tensors["b.spatial.conv.weight"] == own.tensors["b.spatial.conv.weight"]).all()
    module = spinedsl.load(tmp_path / "net.spine", weights=result.last)
    trained = open_trained(result.last).value
    assert trained is not None
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), trained.module.parameters(), strict=True))
    with pytest.raises(api.Mistakes, match="has no set of tensors `optimizer`"):
        spinedsl.read_weights(result.last, key="optimizer")


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_and_channels_last(tmp_path: Path, precision: str) -> None:
    seen = Seen()
    ran(tmp_path, watch=seen, run={"steps": 12, "precision": precision, "channels_last": True})
    assert seen.losses[12] < seen.losses[1]
    assert tensors(tmp_path / "run/last.safetensors")["model/b.spatial.conv.weight"].dtype == torch.float32


def test_parts_of_a_batch_add_up_to_it(tmp_path: Path) -> None:
    """Without batch norms, whose statistics are those of a part, two halves are the whole."""
    text = NET.replace("norm batch_norm(momentum = 0.9)", "norm layer_norm")
    found = []
    for parts in (1, 2):
        folder = tmp_path / str(parts)
        folder.mkdir()
        (folder / "net.spine").write_text(text)
        ran(folder, watch=(seen := Seen()), run={"accumulate": parts})
        found.append(seen.losses)
    assert list(found[0].values()) == pytest.approx(list(found[1].values()), rel=1e-4)


def test_embeddings_learn_with_vectors_of_their_own(tmp_path: Path) -> None:
    seen = Seen()
    result = ran(tmp_path, watch=seen, task=MARGINS, network={"arguments": {"classes": 6}}, run={"steps": 30})
    assert seen.losses[30] < seen.losses[5]
    assert result.figures["rank_1"] > 0.5
    assert tensors(result.last)["task/identities"].shape == (3, 6)


def test_mixup_and_weights_of_classes(tmp_path: Path) -> None:
    ran(tmp_path, watch=(plain := Seen()), task={"class_weights": [1.0, 2.0, 3.0]})
    ran(tmp_path, watch=(mixed := Seen()), task={"mixup": 0.4})
    ran(tmp_path, watch=(again := Seen()), task={"mixup": 0.4})
    assert mixed.losses == again.losses
    assert mixed.losses != plain.losses


# ---- resumed ----


@pytest.mark.parametrize(
    ("task", "run"),
    [
        ({}, {"average": 0.9, "recalibrate": 2, "validate_every": 4, "save_every": 2}),
        (MARGINS, {"accumulate": 2, "save_every": 3}),
        ({"mixup": 0.4}, {"precision": "float16", "save_every": 5}),
    ],
    ids=["average", "embedding", "float16"],
)
def test_a_run_that_resumes_is_the_same_run_to_the_last_bit(
    tmp_path: Path, task: dict[str, Any], run: dict[str, Any]
) -> None:
    text = NET.replace("head logits: pooled_classifier", "head logits: forgetful")
    text += """
head_type forgetful(features, classes) -> classes {
    return linear(dropout(flatten(global_average_pool(last(features))), rate = 0.3), classes)
}
"""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
        (folder / "net.spine").write_text(text)
    optimizer = {"name": "adamw", "rate": 0.01}
    ran(whole, watch=(one := Seen()), task=task, optimizer=optimizer, run={"steps": 8, **run})
    seen: dict[int, float] = {}
    for stop in (3, 5, None):
        watch = Seen({stop: lambda: os.kill(os.getpid(), signal.SIGINT)} if stop else {})
        result = ran(parts, watch=watch, resume=True, task=task, optimizer=optimizer, run={"steps": 8, **run})
        assert result.finished == (stop is None)
        seen |= watch.losses
    assert seen == one.losses
    assert same(whole / "run/last.safetensors", parts / "run/last.safetensors")
    logs = [(folder / "run/log.csv").read_text().splitlines() for folder in (whole, parts)]
    assert [row.split(",")[:4] for row in logs[0]] == [row.split(",")[:4] for row in logs[1]]


KILLED = """
import os, signal, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.training.test_loop import Seen, ran
kill = {kill}
watch = Seen({{kill: lambda: os.kill(os.getpid(), signal.SIGKILL)}} if kill else {{}})
ran(Path({folder!r}), watch=watch, resume=True, run={{"steps": 8, "save_every": 2, "average": 0.9}})
"""


def test_a_run_that_was_killed_resumes_as_if_it_had_not_been(tmp_path: Path) -> None:
    """`python -m benchmarks.resumed` kills fifty, at random steps."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder, moments in ((whole, [0]), (killed, [3, 6, 0])):
        folder.mkdir()
        for kill in moments:
            code = KILLED.format(root=str(ROOT), kill=kill, folder=str(folder))
            done = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG, check=False
            )
            assert done.returncode == (-signal.SIGKILL if kill else 0), done.stderr
    assert same(whole / "run/last.safetensors", killed / "run/last.safetensors")


def test_ctrl_c_saves_the_step_at_hand(tmp_path: Path) -> None:
    seen = Seen({2: lambda: os.kill(os.getpid(), signal.SIGTERM)})
    result = ran(tmp_path, watch=seen)
    assert (result.step, result.finished) == (3, False)
    assert "interrupted: saving after this step" in seen.told
    found = checkpoint.read(result.last).value
    assert found is not None
    assert found.about["step"] == result.step
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_checkpoint_of_another_network_says_what_differs(tmp_path: Path) -> None:
    ran(tmp_path)
    with pytest.raises(api.Mistakes) as raised:
        ran(tmp_path, resume=True, network={"arguments": {"width": 4}})
    said = str(raised.value)
    assert "E1011" in said
    assert "its tensors are others" in said  # the name is the same
    assert "`b.refine.conv.weight`: expected (4, " in said
    assert "--weights" in said


def test_a_network_that_gets_arguments_keeps_its_name(tmp_path: Path) -> None:
    ran(tmp_path, network={"arguments": {"width": 4}})
    found = open_trained(tmp_path / "run" / "last.safetensors").value
    assert found is not None
    assert found.about["network"] == found.program.name == type(found.module).__name__ == "Small"
    assert found.program.rows[1].values["b"].channels == 4
    assert (tmp_path / "net.spine").read_text(encoding="utf-8") in found.about["texts"]["files"].values()


def test_other_settings_and_other_data_are_said(tmp_path: Path) -> None:
    ran(tmp_path)
    seen = Seen()
    train(
        settings(tmp_path, run={"steps": 8, "threads": 1, "log_every": 2}, optimizer={"rate": 0.01}),
        data=Squares(digest="others"), watch=[seen], resume=True,
    )  # fmt: skip
    assert [found.code.id for found in seen.warned if found.code.id != "W1001"] == ["W1002", "W1003"]
    other = next(found for found in seen.warned if found.code.id == "W1003")
    assert other.notes == ("`optimizer.rate` was 0.05, and is 0.01", "`run.steps` was 6, and is 8")


def test_resuming_what_is_not_there_begins_and_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    seen = Seen()
    result = ran(tmp_path, resume=True, watch=seen)
    assert result.finished
    assert any("the run begins anew" in text for text in seen.told)
    from safetensors.numpy import save_file

    save_file({"a": torch.zeros(2).numpy()}, tmp_path / "run/last.safetensors")
    with pytest.raises(api.Mistakes, match="it holds weights alone"):
        ran(tmp_path, resume=True)
    data = bytearray((ran(tmp_path).last).read_bytes())
    data[-5] ^= 1
    (tmp_path / "run/last.safetensors").write_bytes(bytes(data))
    with pytest.raises(api.Mistakes, match="is damaged"):
        ran(tmp_path, resume=True)


# ---- what goes wrong ----


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = ran(tmp_path, run={"steps": 2})
    before = result.last.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spinedsl.writing.os.fsync", full)
    seen = Seen()
    with pytest.raises(api.Mistakes, match="no space left on device"):
        ran(tmp_path, watch=seen, resume=True, run={"steps": 6, "save_every": 2})
    assert [found.code.id for found in seen.warned if found.code.id == "W1004"] == ["W1004", "W1004"]
    assert result.last.read_bytes() == before
    assert [path.name for path in result.folder.iterdir() if path.name.startswith(".")] == []


def test_warnings_of_the_images_are_told_before_the_first_step_and_kept(tmp_path: Path) -> None:
    seen = Seen()
    for name in ("red", "green", "empty"):
        (tmp_path / "images" / name).mkdir(parents=True)
    for index in range(8):
        pixels, label = Squares(classes=("red", "green")).read(index)
        Image.fromarray(pixels).save(tmp_path / "images" / ("red", "green")[label] / f"{index}.png")
    given = settings(tmp_path, data={"train": str(tmp_path / "images")}, run={"steps": 1})
    found = train(given, watch=[seen])
    assert [one.code.id for one in found.reported] == ["W1104", "W1001"]
    assert seen.warned == list(found.reported)
    assert found.leads


def test_a_folder_that_takes_no_files_is_an_error_before_the_first_step(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(api.Mistakes, match=r"E0802.*`.*run`: "):
        ran(tmp_path)


def test_a_loss_that_is_no_number_stops_and_says_what_to_try(tmp_path: Path) -> None:
    with pytest.raises(api.Mistakes) as raised:
        ran(tmp_path, optimizer={"rate": 1e30}, run={"save_every": 1})
    said = str(raised.value)
    assert "E1009" in said
    assert "`rate = 1e+29`" in said
    assert "warm_up" in said
    assert "`clip = 5`" in said
    assert "the last checkpoint stands as it was" in said
    found = checkpoint.read(tmp_path / "run/last.safetensors").value
    assert found is not None
    assert found.about["step"] >= 1


@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_that_is_lost_ends_the_run_with_its_name(workers: int, tmp_path: Path) -> None:
    with pytest.raises(api.Mistakes, match=r"E1102.*`lost\.png`: it is cut off"):
        train(settings(tmp_path, run={"workers": workers}), data=Lost())


def test_a_worker_that_is_killed_ends_the_run_which_goes_on_later(tmp_path: Path) -> None:
    run = {"workers": 1, "save_every": 1}
    with pytest.raises(api.Mistakes, match=r"E1014.*was ended by SIGKILL while it made batch \d+"):
        train(settings(tmp_path, run=run), data=Lost(deadly=True))
    assert train(settings(tmp_path, run=run), data=Squares(), resume=True).finished


def test_images_that_no_worker_can_be_sent_are_refused(tmp_path: Path) -> None:
    class Here(Squares):
        """A class that is known in this function alone."""

    with pytest.raises(api.Mistakes, match=r"E1007.*use workers = 0"):
        train(settings(tmp_path, run={"workers": 1}), data=Here())


def test_statistics_are_computed_anew_without_validation_too(tmp_path: Path) -> None:
    means = []
    for count in (0, 3):
        (tmp_path / str(count)).mkdir()
        made = settings(tmp_path / str(count), run={"recalibrate": count})
        result = train(made, data=Squares(), watch=[seen := Seen()])
        assert not seen.figures
        means.append({name: one for name, one in tensors(result.last).items() if "running_mean" in name})
    assert means[0]
    assert not any(means[0][name].equal(means[1][name]) for name in means[0])


def test_weights_of_classes_are_those_of_the_whole_batch(tmp_path: Path) -> None:
    found = []
    for parts in (1, 2, 4):
        changes: dict[str, Any] = {
            "run": {"accumulate": parts, "steps": 3},
            "task": {"class_weights": [0.01, 0.09, 0.0]},
        }
        (tmp_path / str(parts)).mkdir()
        made = settings(tmp_path / str(parts), **changes, weights={"freeze_norms": True})
        found.append(tensors(train(made, data=Squares(), watch=[seen := Seen()]).last))
        assert all(line.loss > 0 for line in seen.lines)
    for other in found[1:]:
        assert all(torch.allclose(one, other[name], atol=1e-6) for name, one in found[0].items())


def test_a_run_resumes_with_another_optimizer(tmp_path: Path) -> None:
    train(settings(tmp_path, run={"steps": 2}), data=Squares())
    changed = settings(tmp_path, run={"steps": 4}, optimizer={"name": "adamw", "rate": 0.01})
    result = train(changed, data=Squares(), resume=True, watch=[seen := Seen()])
    assert result.step == 4
    (found,) = [one for one in seen.warned if one.code.id == "W1003"]
    assert "the optimizer begins anew: what the other one kept is not for it" in found.notes


def test_statistics_that_lag_are_said_before_the_first_step(tmp_path: Path) -> None:
    seen = Seen()
    ran(tmp_path, watch=seen)
    assert [found.code.id for found in seen.warned] == ["W1001"]
    ran(tmp_path, watch=(again := Seen()), run={"recalibrate": 2})
    assert again.warned == []


def test_a_batch_norm_of_one_number_is_refused(tmp_path: Path) -> None:
    text = NET.replace("input image: 3 x 16 x 16", "input image: 3 x 4 x 4")
    (tmp_path / "net.spine").write_text(text)
    with pytest.raises(api.Mistakes, match=r"E1012.*s.*would see one number") as raised:
        ran(tmp_path, run={"batch": 1})
    assert "its map is 1x1" in str(raised.value)
    ran(tmp_path, run={"batch": 1}, weights={"freeze_norms": True})
    ran(tmp_path, run={"batch": 2})


def test_no_images_for_validation_is_told_before_the_first_step(tmp_path: Path) -> None:
    with pytest.raises(api.Mistakes, match="there are no images for validation") as raised:
        train(settings(tmp_path), data=Squares(), validation=Squares(0))
    assert "leave it out" in str(raised.value)


def test_statistics_that_are_frozen_are_not_computed_anew(tmp_path: Path) -> None:
    with pytest.raises(api.Mistakes, match=r"`weights\.freeze_norms` keeps the statistics") as raised:
        ran(tmp_path, run={"recalibrate": 2}, weights={"freeze_norms": True})
    assert "take one of them out" in str(raised.value)


def test_all_that_does_not_go_together_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(api.Mistakes) as raised:
        ran(
            tmp_path, network={"arguments": {"classes": 2}}, run={"batch": 30},
            data={"preprocessing": {"height": 20, "width": 16, "channels": 1}},
        )  # fmt: skip
    said = str(raised.value)
    for words in ("takes 3 channels", "do not fill a batch of 30", "tells 2 classes apart"):
        assert words in said


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"network": {"name": "Smal"}}, "did you mean `Small`?"),
        ({"network": {"arguments": {"classe": 3}}}, "classe"),
        ({"task": {"output": "C3"}}, "has no output `C3`: it has `C2` and `logits`"),
        ({"task": {"output": "C2"}}, "expected a vector with a number for each class"),
        ({"network": {"outputs": ["C9"]}}, "has no output `C9`"),
        ({"data": {"augment": {"flop": True}}}, "did you mean `flip`?"),
        (
            {"data": {"preprocessing": {"height": 16, "width": 16, "mean": [120.0, 1.0, 1.0]}}},
            "data.preprocessing.mean",
        ),
        (
            {"data": {"preprocessing": {"height": 16, "width": 16, "mean": [0.5], "std": [0.5]}}},
            "`data.preprocessing.std` must be 3 numbers, one a channel, got 1",
        ),
        ({"data": {"preprocessing": {"height": 16, "width": 16, "mean": [0.5, 0.5]}}}, "3 numbers, one a channel"),
        ({"weights": {"freeze": ["c"]}}, "has no row `c`"),
        ({"weights": {"freeze": ["s", "b", "logits"], "freeze_norms": True}}, "nothing is left to train"),
        ({"weights": {"from": "nothing.pt"}}, "cannot read"),
        ({"task": {"class_weights": [1.0]}}, "has 1 numbers"),
    ],
)
def test_a_mistake_of_the_network_or_the_images(tmp_path: Path, sections: dict[str, Any], words: str) -> None:
    with pytest.raises(api.Mistakes) as raised:
        ran(tmp_path, **sections)
    assert words in str(raised.value)


def test_a_network_of_grey_images_needs_no_word_of_channels(tmp_path: Path) -> None:
    (tmp_path / "net.spine").write_text(NET.replace("3 x 16 x 16", "1 x 16 x 16"))
    size = {"height": 16, "width": 16}
    assert ran(tmp_path, data={"preprocessing": {**size, "mean": [0.3], "std": [0.2]}}).finished
    for wrong, words in (({"order": "bgr"}, "no colours"), ({"mean": [0.5, 0.5, 0.5]}, "must be 1 number, one a")):
        with pytest.raises(api.Mistakes) as raised:
            ran(tmp_path, data={"preprocessing": {**size, **wrong}}, run={"batch": 30})
        said = str(raised.value)
        assert words in said
        assert "network `Small` takes 1 channel" in said
        assert "do not fill a batch of 30" in said  # and all else is reported with it


def test_a_network_without_a_head_is_told_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "net.spine").write_text(
        NET.replace("    head logits: pooled_classifier(classes = classes) from C2\n", "")
    )
    with pytest.raises(api.Mistakes, match="give the network a head"):
        ran(tmp_path)


def test_a_gpu_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(api.Mistakes, match="there is no GPU to run on"):
        ran(tmp_path, run={"device": "cuda"})
    assert ran(tmp_path, run={"device": "auto"}).finished


# ---- fine-tuning ----


def test_what_fits_is_taken_and_a_head_that_does_not_starts_fresh(tmp_path: Path) -> None:
    first = ran(tmp_path, run={"average": 0.9}).last
    seen = Seen()
    result = train(
        settings(
            tmp_path, network={"arguments": {"classes": 4}}, weights={"from": str(first), "freeze": ["s"]},
            run={"output": str(tmp_path / "second"), "steps": 2},
        ),
        data=Squares(classes=("a", "b", "c", "d")), watch=[seen],
    )  # fmt: skip
    assert result.taken is not None
    assert set(result.taken.fresh) == {"logits.linear.weight", "logits.linear.bias"}
    assert any("`logits` starts fresh: 2 tensors" in text for text in seen.told)
    before, after = tensors(first), tensors(result.last)
    stem = [name for name in after if name.startswith("model/s.") and "running" not in name and "num_" not in name]
    assert stem
    assert all(torch.equal(after[name], before[name.replace("model/", "average/")]) for name in stem)
    assert not torch.equal(after["model/b.spatial.conv.weight"], before["average/b.spatial.conv.weight"])
    means = [name for name in after if name.startswith("model/s.") and "running" in name]
    assert all(torch.equal(after[name], before[name.replace("model/", "average/")]) for name in means)


def test_weights_of_nothing_alike_are_refused(tmp_path: Path) -> None:
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(api.Mistakes, match="do not fit network `Small`"):
        ran(tmp_path, weights={"from": str(tmp_path / "other.pt")})


# ---- somebody's own head and loss ----

OWN = """\
spine 1
import std.blocks
import std.stems

head_type two_numbers(features, channels) -> 2 {
    let numbers = linear(flatten(global_average_pool(first(features))), 2)
    let direction = l2_normalise(linear(flatten(global_average_pool(first(features))), 2))
    yield numbers
    yield direction
}

network Own {
    input image: 3 x 16 x 16
    defaults { act relu, norm batch_norm(momentum = 0.9) }
    widths { level 2: 8 }
    stem s: resnet_stem channels 8
    block b: residual  level 2  after s
    output C2: b
    head own: two_numbers from C2 channels 8
}
"""


class Brightness(nn.Module):
    """A loss with a parameter: how far a learned map of a head is from numbers made of the labels."""

    def __init__(self, output: str) -> None:
        super().__init__()
        self.output, self.scale = output, nn.Parameter(torch.ones(2))

    def forward(self, outputs: Mapping[str, Tensor], labels: Tensor, step: int) -> Tensor:
        assert step >= 0
        wanted = torch.stack([labels.float(), -labels.float()], 1)
        return (outputs[self.output].float() * self.scale - wanted).square().mean()


def test_a_head_and_a_loss_of_ones_own_train_without_touching_the_package(tmp_path: Path) -> None:
    (tmp_path / "net.spine").write_text(OWN)
    names = spinedsl.program(tmp_path / "net.spine").outputs
    output = next(name for name in names if "numbers" in name)
    seen, loss = Seen(), Brightness(output)
    sections = settings(tmp_path, run={"steps": 20})
    result = train(sections, data=Squares(), loss=loss, watch=[seen])
    assert seen.losses[20] < seen.losses[1] / 2
    assert not torch.equal(loss.scale.detach(), torch.ones(2))
    assert torch.equal(tensors(result.last)["task/scale"], loss.scale.detach())
    plain = train(sections, data=Squares(), loss=lambda out, labels, step: out[output].square().mean())
    assert plain.finished


def test_a_run_may_be_watched_as_it_begins(tmp_path: Path) -> None:
    begun: list[Run] = []

    class First(Watcher):
        def begins(self, run: Run) -> None:
            begun.append(run)

    train(settings(tmp_path), data=Squares(), watch=[First()])
    assert begun[0].steps == 6
