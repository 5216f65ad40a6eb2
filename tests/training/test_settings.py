"""Settings of a file, of a dict and of `--change`: what would count for nothing is refused, wherever it stands."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spinedsl import api
from spinedsl.data.section import READ_BY
from spinedsl.data.section import TABLE as DATA
from spinedsl.settings import Table, to_toml
from spinedsl.training.build import network_of, program_of
from spinedsl.training.config import IDLE, read_config
from spinedsl.training.loop import train
from spinedsl.training.presets import PRESETS
from spinedsl.training.table import WHOLE
from tests.training.running import NET, Squares, settings

Sections = Mapping[str, Mapping[str, Any]]

# Values of settings, by section, that would count for nothing or cannot be; and what is said of them.
WRONG: list[tuple[dict[str, dict[str, Any]], str, str]] = [
    ({"optimizer": {"betas": [0.9, 0.99]}}, "E1007", 'counts for optimizer.name = "adamw" alone'),
    ({"optimizer": {"epsilon": 1e-3}}, "E1007", 'counts for optimizer.name = "adamw" alone'),
    ({"optimizer": {"name": "adamw", "momentum": 0.5}}, "E1007", 'counts for optimizer.name = "sgd" alone'),
    ({"optimizer": {"name": "adamw", "nesterov": True}}, "E1007", 'counts for optimizer.name = "sgd" alone'),
    ({"schedule": {"milestones": [1]}}, "E1007", 'counts for schedule.kind = "step" alone'),
    ({"schedule": {"factor": 0.5}}, "E1007", 'counts for schedule.kind = "step" alone'),
    ({"task": {"margin": 0.3}}, "E1007", "is for embedding, and this is classification"),
    ({"task": {"focal_alpha": 0.3}}, "E1007", "is for detection, and this is classification"),
    ({"task": {"kind": "embedding", "smoothing": 0.1}}, "E1007", "is for classification, and this is embedding"),
    ({"task": {"class_weights": [0, 0, 0]}}, "E1007", "no image would count"),
    ({"task": {"class_weights": [1, 2, 3], "mixup": 0.2}}, "E1007", "`task.mixup` makes images of two"),
    ({"data": {"augment": {"mosaic": True}}}, "E1007", "is for images with boxes"),
    ({"data": {"preprocessing": {"crop": 0.5}}}, "E1007", 'counts for resize = "crop" alone'),
    ({"weights": {"key": "ema"}}, "E1007", "`weights.from`, which is not given"),
    ({"run": {"epochs": 0.1, "steps": None}}, "E1007", "0.1 epochs of 3 steps are no step"),
    ({"weights": {"freeze": ["s", "d"]}}, "E1007", "network `Small` has no row `d`"),
    ({"run": {"seed": 2**63}}, "E1004", "from 0 to 9223372036854775807"),
    ({"run": {"steps": "many"}}, "E1003", "must be a whole number from 1 to 1000000000"),
    ({"data": {"augment": {"flip": 0.5}}}, "E1003", "did you mean `flip = { chance = 0.5 }`?"),
    ({"data": {"augment": {"rotate": 10}}}, "E1003", "did you mean `rotate = { degrees = 10 }`?"),
    ({"optimizer": {"lr": 0.1}}, "E1002", "it is called `rate`, in [optimizer]"),
    ({"data": {"augment": {"mixup": 0.2}}}, "E1002", "`mixup` stands in [task]"),
    ({"run": {"imgsz": 64}}, "E1002", "it is called `height`, in [data.preprocessing]"),
    ({"dta": {"train": "x"}}, "E1002", "did you mean `data`?"),
    ({"run": {"steps": None, "epochs": 1e300}}, "E1004", "above 0, at most 1000000000, got 1e+300"),
    ({"run": {"steps": None, "epochs": 1e308}}, "E1004", "above 0, at most 1000000000, got 1e+308"),
    ({"run": {"steps": 10**300}}, "E1004", "from 1 to 1000000000"),
    ({"run": {"validate_every": 1e308}}, "E1004", "above 0, at most 1000000000"),
    ({"schedule": {"warm_up": 1e308}}, "E1004", "from 0 to 1000000000"),
    ({"schedule": {"kind": "step", "milestones": [1e308]}}, "E1004", "from 0 to 1000000000"),
    ({"network": {"arguments": {"a b": 1}}}, "E1007", '"a b" in `network.arguments` is no name'),
    ({"network": {"arguments": {"classes = 3) # ": 1}}}, "E1007", "is no name"),
    ({"network": {"arguments": {"input": 1}}}, "E1007", '"input" in `network.arguments` is no name'),
    ({"network": {"arguments": {"width": ""}}}, "E1007", '"" in `network.arguments` is no name'),
    ({"network": {"arguments": {"width": "2) with { drop b } #"}}}, "E1007", "is no name"),
    ({"network": {"arguments": {"width": "8"}}}, "E1007", "a number has no quotes"),
]


def last(sections: Sections) -> str:
    """The setting of these sections that stands last, as a text has it."""
    (*_, (_, values)) = sections.items()
    (*_, (key, value)) = [(key, value) for key, value in values.items() if value is not None]
    return list(value)[-1] if isinstance(value, dict) else key


@pytest.mark.parametrize(("sections", "code", "said"), WRONG)
def test_what_counts_for_nothing_is_refused_wherever_it_stands(
    sections: dict[str, dict[str, Any]], code: str, said: str, tmp_path: Path
) -> None:
    whole = settings(tmp_path, **sections)
    path = tmp_path / "c.toml"
    path.write_text(to_toml(whole), encoding="utf-8")
    plain = settings(tmp_path, run={"steps": sections.get("run", {}).get("steps", 6)})
    (tmp_path / "plain.toml").write_text(to_toml(plain), encoding="utf-8")
    for given, changes in ((whole, None), (path, None), (plain, sections), (tmp_path / "plain.toml", sections)):
        with pytest.raises(api.Mistakes) as raised:
            train(given, data=Squares(), changes=changes)
        (found,) = raised.value.diagnostics
        assert (found.code.id, said in str(raised.value)) == (code, True), str(raised.value)
        if changes is not None and given is not plain:  # the place is what was changed, and nothing of the file
            assert found.span.source.name == "<changes>"
            assert last(sections) in found.span.source.text


def test_a_preset_of_another_task_is_refused(tmp_path: Path) -> None:
    given = settings(tmp_path, run={"steps": None, "epochs": 1})
    for name, fits in (("paper-A", False), ("paper-C", False), ("paper-classification-dagger", True), ("small", True)):
        made = {**given, "preset": name, "optimizer": {}}
        if fits:
            assert train(made, data=Squares()).finished
        else:
            with pytest.raises(api.Mistakes, match=f"preset `{name}` sets `task.boxes_weight`, and classification has"):
                train(made, data=Squares())


def test_numbers_of_numpy_and_pytorch_are_numbers(tmp_path: Path) -> None:
    given = {"rate": np.float64(0.5), "momentum": torch.tensor(0.25), "nesterov": np.bool_(True)}
    made = settings(tmp_path, optimizer=given, run={"batch": np.int64(4)})
    for outcome in (
        read_config(made),
        read_config(settings(tmp_path), {"optimizer": given, "run": {"batch": np.int64(4)}}),
    ):
        found = outcome.value
        assert found is not None
        assert [found.optimizer[name] for name in given] == [0.5, 0.25, True]
        assert found.run["batch"] == 4


@pytest.mark.parametrize("path", [path for path in WHOLE[0].paths() if "path" in WHOLE[0].at(path).kind], ids=".".join)
@pytest.mark.parametrize("name", ["a\0b", "\0"])
def test_what_no_file_can_be_called_is_no_path(tmp_path: Path, path: tuple[str, str], name: str) -> None:
    section, key = path
    outcome = read_config(settings(tmp_path), {section: {key: name}})
    (found,) = [one for one in outcome.diagnostics if one.code.id == "E1003"]
    assert f"`{section}.{key}` must be a path" in found.message
    assert "no file can have this name" in found.fixes[0].text


def test_linked_files_are_found_beside_what_they_link_to(tmp_path: Path) -> None:
    for name in ("real", "linked"):
        (tmp_path / name).mkdir()
    (tmp_path / "real/networks.spine").write_text(NET, encoding="utf-8")
    (tmp_path / "linked/net.spine").symlink_to(tmp_path / "real/networks.spine")
    network = {"file": str(tmp_path / "linked/net.spine"), "arguments": {"width": 16}}
    config = read_config(settings(tmp_path, network=network)).value
    assert config is not None
    found = network_of(config, None, custom=False)
    assert found.value is not None, found.diagnostics


@pytest.mark.parametrize(
    "name", ["net", "network", "trained", "SmallTrained", 'q"uote', "back\\slash", "tab\tor", "ü x"]
)
@pytest.mark.parametrize("given", [{}, {"width": 16}], ids=["as it is", "with arguments"])
def test_a_network_may_stand_in_a_file_of_any_name(tmp_path: Path, name: str, given: dict[str, int]) -> None:
    """Also where it imports another one, and with a network beside it that has a name which comes to mind."""
    folder = tmp_path / "networks"
    folder.mkdir()
    (folder / f"{name}.spine").write_text(NET + "\nnetwork SmallTrained = Small(classes = 5)\n", encoding="utf-8")
    network = {"file": str(folder / f"{name}.spine"), "name": "Small", "arguments": given}
    config = read_config(settings(tmp_path, network=network)).value
    assert config is not None
    found = network_of(config, None, custom=False)
    assert found.value is not None, found.diagnostics
    again = program_of(found.value.texts)
    assert again.name == found.value.program.name == "Small"
    assert again.rows[1].values["b"].channels == given.get("width", 8)


@pytest.mark.parametrize("name", ["network", "trained"])
def test_a_network_may_import_a_file_of_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.spine").write_text(NET, encoding="utf-8")
    path = tmp_path / "net.spine"
    path.write_text(
        f'spine 1\nimport "{name}.spine"\nnetwork Mine(width = 4) = Small(width = width)\n', encoding="utf-8"
    )
    for given in ({}, {"width": 16}):
        config = read_config(settings(tmp_path, network={"file": str(path), "name": "Mine", "arguments": given})).value
        assert config is not None
        found = network_of(config, None, custom=False)
        assert found.value is not None, found.diagnostics
        assert program_of(found.value.texts).rows[1].values["b"].channels == given.get("width", 4)


def test_a_file_keeps_the_places_of_what_was_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(to_toml(settings(tmp_path, run={"batch": 0})), encoding="utf-8")
    outcome = read_config(path, {"run": {"seed": -1}, "data": {"augment": {"flip": {"chance": 2}}}})
    places = {found.message.split("`")[1]: found.span.source.name for found in outcome.diagnostics}
    assert places == {"run.batch": str(path), "run.seed": "<changes>", "data.augment.flip.chance": "<changes>"}


def test_settings_that_count_for_some_others_are_in_the_table_above() -> None:
    """Each row of `IDLE` has a case, so that a new one gets one."""
    cases = {(section, key) for sections, code, _ in WRONG if code == "E1007" for section in sections
             for key in sections[section]}  # fmt: skip
    assert IDLE.keys() <= cases


def test_what_other_programs_call_a_setting_leads_to_it() -> None:
    """No such name is a setting, or stands for two of them."""
    whole: Table = WHOLE[0]
    paths = list(whole.paths())
    names = {path[-1] for path in paths}
    others = [name for path in paths for name in whole.at(path).elsewhere]
    assert len(others) > 40
    assert len(set(others)) == len(others)
    assert not names & set(others)
    assert not {*whole.tables, *DATA.tables} & set(others)


def test_settings_of_data_that_its_kind_does_not_read(tmp_path: Path) -> None:
    for label in ("a", "b"):
        for number in range(6):
            path = tmp_path / "folders" / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
    for name, (_, words) in READ_BY.items():
        with pytest.raises(api.Mistakes, match="E1007") as raised:
            train(settings(tmp_path, data={"train": str(tmp_path / "folders"), name: "x"}))
        assert f"`data.{name}` is for {words}, and the images are in a folder for each class" in str(raised.value)
    (tmp_path / "list.csv").write_text("path;label\n" + "".join(f"folders/{c}/1.png;{c}\n" for c in "ab"))
    with pytest.raises(api.Mistakes) as raised:
        train(settings(tmp_path, data={"train": str(tmp_path / "list.csv"), "delimiter": ";", "encoding": "utf-8"}))
    assert "E1007" not in str(raised.value)
    with pytest.raises(api.Mistakes, match=r"`data\.classes` names 'a' twice"):
        train(settings(tmp_path, data={"train": str(tmp_path / "folders"), "classes": ["a", "b", "a"]}))


def test_what_one_run_says_is_nothing_that_another_one_has(tmp_path: Path) -> None:
    """Presets and what is given stay as they are, whatever stands instead of them in one configuration."""
    before = deepcopy({name: preset.values for name, preset in PRESETS.items()})
    own = {name: one for name, one in settings(tmp_path).items() if name not in ("run", "optimizer", "schedule")}
    given: dict[str, Any] = {"preset": "small", **own}
    kept = deepcopy(given)
    changes: Sections = {"optimizer": {"rate": 0.5}, "run": {"batch": 7, "average": 0.5}, "schedule": {"warm_up": 3}}
    first = read_config(given, changes, images=True)
    assert first.value is not None, first.diagnostics
    assert (first.value.optimizer["rate"], first.value.schedule["warm_up"]) == (0.5, 3)
    assert {name: preset.values for name, preset in PRESETS.items()} == before
    assert given == kept
    second = read_config({"preset": "small", **own}, images=True)
    assert second.value is not None
    assert second.value.schedule["warm_up"] == before["small"]["schedule"]["warm_up"]
