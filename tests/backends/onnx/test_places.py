"""A model names the files that it was made from by their places beside each other, and nothing of where they stand."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import onnx
import pytest

from spinedsl import api
from spinedsl.backends import Target
from spinedsl.source import Source

NET = """\
spine 1
import std.stems
import "blocks/own.spine"
import "../common/rest.spine"
network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block a: own level 2 after s channels 8
    block b: other level 2 after a channels 8
    output P: b
}
"""
OWN = "spine 1\nblock_type own(x, channels) -> channels { return conv(x, channels, kernel = 1) }\n"
REST = OWN.replace("own", "other")
BACKENDS: tuple[Target, ...] = ("onnx", "torch", "mermaid")


def written(folder: Path) -> Path:
    for name, text in {"nets/net.spine": NET, "nets/blocks/own.spine": OWN, "common/rest.spine": REST}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "spine.toml").touch()
    return folder / "nets/net.spine"


@pytest.mark.parametrize("to", BACKENDS)
def test_the_same_bytes_from_any_folder(to: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "one")
    found = [api.compile(path, to=to)]
    monkeypatch.chdir(path.parent)
    found.append(api.compile("net.spine", to=to))
    found.append(api.compile("./../nets/net.spine", to=to))
    monkeypatch.chdir(tmp_path)
    found.append(api.compile("one/nets/net.spine", to=to))
    shutil.copytree(tmp_path / "one", tmp_path / "a b" / "zwei ü")
    found.append(api.compile("a b/zwei ü/nets/net.spine", to=to))
    (tmp_path / "link").symlink_to(tmp_path / "one")
    found.append(api.compile("link/nets/net.spine", to=to))
    assert all(files == found[0] for files in found)
    for data in found[0].values():
        assert str(tmp_path).encode() not in data
        assert b"zwei" not in data


def test_files_are_named_from_the_folder_of_the_first(tmp_path: Path) -> None:
    (data,) = api.compile(written(tmp_path), to="onnx").values()
    model = onnx.load_from_string(data)
    sources = [entry.key for entry in model.metadata_props if entry.key.startswith("spine.source.")]
    assert sources == [
        f"spine.source.{name}" for name in ("net.spine", "std/stems.spine", "blocks/own.spine", "../common/rest.spine")
    ]
    lines = {entry.value for node in model.graph.node for entry in node.metadata_props if entry.key == "spine.line"}
    assert {"blocks/own.spine:2", "../common/rest.spine:2", "net.spine:11"} <= lines


def test_a_folder_that_is_called_as_the_prelude(tmp_path: Path) -> None:
    path = written(tmp_path)
    (path.parent / "std").mkdir()
    (path.parent / "std" / "stems.spine").write_text(OWN, encoding="utf-8")
    path.write_text(NET.replace("blocks/own", "std/stems"), encoding="utf-8")
    (data,) = api.compile(path, to="onnx").values()
    keys = {entry.key for entry in onnx.load_from_string(data).metadata_props}
    assert {"spine.source.std/stems.spine", "spine.source../std/stems.spine"} <= keys


def test_a_name_that_is_no_utf_8(tmp_path: Path) -> None:
    path = written(tmp_path)
    try:
        (path.parent / "blocks").rename(path.parent / os.fsdecode(b"bl\xffcks"))
    except OSError:
        pytest.skip("the file system takes no such name")
    (path.parent / "blocks").symlink_to(os.fsdecode(b"bl\xffcks"))
    (data,) = api.compile(path, to="onnx").values()
    assert b"spine.source.bl\\udcffcks/own.spine" in data


def test_a_text_without_a_file() -> None:
    text = NET.replace('import "blocks/own.spine"\nimport "../common/rest.spine"', OWN[8:] + REST[8:])
    (data,) = api.compile(Source.from_text(text, "/home/someone/secret/net.spine"), to="onnx").values()
    assert b"secret" not in data
