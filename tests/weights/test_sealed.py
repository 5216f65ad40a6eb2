"""Sealed files: other readers read them, and no single bit of one changes unseen."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import spinedsl
from spinedsl.ops.graph import flatten
from spinedsl.weights import read, to_bytes
from spinedsl.weights.sealed import OPENING
from tests.building import op, single, weights_for

SMALL: dict[str, NDArray[Any]] = {
    "b.conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2) / 7,
    "b.norm.bias": np.array([0.5, -1, 3e-9], np.float32),
    "b.norm.weight": np.zeros(5, np.float32),
    "none": np.zeros((0, 3), np.float32),
}


def refusal(path: Path) -> str:
    """The one thing that is said of a file that is not read: code and message."""
    outcome = read(path)
    assert outcome.value is None
    (said,) = outcome.diagnostics
    return f"{said.code.id} {said.message.replace(str(path), 'FILE')}"


def test_write_and_read_again(tmp_path: Path) -> None:
    weights = weights_for(flatten(single(lambda x: op("batch_norm", op("conv", x, channels=4, kernel=3)))))
    data = to_bytes(weights, {"network": "Net"})
    assert data == to_bytes(dict(reversed(weights.items())), {"network": "Net"})
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    again = read(path).value
    assert again is not None
    assert again.sealed
    assert again.metadata["network"] == "Net"
    assert {name: array.tolist() for name, array in again.tensors.items()} == {
        n: a.tolist() for n, a in weights.items()
    }


TYPES = [np.dtype(f"{kind}{size}") for kind in "iuf" for size in (1, 2, 4, 8) if (kind, size) != ("f", 1)]
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(lambda name: name != "__metadata__")


@st.composite
def tensors(draw: st.DrawFn) -> dict[str, NDArray[Any]]:
    """Tensors of any names, shapes and types that the format has."""
    found: dict[str, NDArray[Any]] = {}
    for name in draw(st.lists(NAMES, unique=True, max_size=5)):
        shape = tuple(draw(st.lists(st.integers(0, 4), max_size=4)))
        kind = draw(st.sampled_from([*TYPES, np.dtype(bool)]))
        found[name] = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 2, shape).astype(kind)
    return found


@given(tensors())
def test_the_library_reads_the_same(found: dict[str, NDArray[Any]]) -> None:
    theirs = safetensors.numpy.load(to_bytes(found, {"format": "pt"}))
    assert theirs.keys() == found.keys()
    for name, array in found.items():
        assert theirs[name].dtype == array.dtype
        assert theirs[name].shape == array.shape
        assert theirs[name].tolist() == array.tolist()


@given(tensors())
def test_each_tensor_stands_where_its_type_may_stand_in_memory(found: dict[str, NDArray[Any]]) -> None:
    """So that a reader can map the file: the header fills whole words, and each tensor begins at one of its own."""
    data = to_bytes(found)
    start = 8 + int.from_bytes(data[:8], "little")
    assert start % 8 == 0
    entries = {name: entry for name, entry in json.loads(data[8:start]).items() if name != "__metadata__"}
    assert entries.keys() == found.keys()
    for name, entry in entries.items():
        assert (start + entry["data_offsets"][0]) % found[name].dtype.itemsize == 0


def test_numbers_that_the_format_lacks() -> None:
    with pytest.raises(ValueError, match="`a` has numbers of type complex64"):
        to_bytes({"a": np.zeros(1, np.complex64)})


def test_every_single_bit(tmp_path: Path) -> None:
    """All of the length and the opening, and every fifth of the header and the numbers; the benchmarks take all."""
    data = to_bytes(SMALL, {"format": "pt"})
    path = tmp_path / "w.safetensors"
    unseen = []
    for bit in (*range(8 * (8 + len(OPENING))), *range(8 * (8 + len(OPENING)), 8 * len(data), 5)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        outcome = read(path)
        if outcome.value is not None or [said.code.id for said in outcome.diagnostics] != ["E0908"]:
            unseen.append(bit)
    assert unseen == []


def test_what_is_said_of_damage(tmp_path: Path) -> None:
    data = to_bytes(SMALL)
    length = int.from_bytes(data[:8], "little")
    path = tmp_path / "w.safetensors"

    def said(at: int, bit: int = 1) -> str:
        flipped = bytearray(data)
        flipped[at] ^= bit
        path.write_bytes(flipped)
        return refusal(path)

    assert said(6) == "E0908 `FILE` is damaged: its header is not as long as it says"
    header = "E0908 `FILE` is damaged: its header is not the one that was written"
    assert {said(0, 8), said(9), said(8 + len(OPENING)), said(8 + length - 1)} == {header}
    assert said(8 + length) == (
        "E0908 `FILE` is damaged: the numbers of `b.conv.weight` are not those that were written"
    )
    path.write_bytes(data[: 8 + length] + bytes(len(data) - 8 - length))
    assert refusal(path).endswith("the numbers of `b.conv.weight` and 1 more are not those that were written")
    path.write_bytes(data[:-1])
    there = len(data) - length - 8
    assert (
        refusal(path)
        == f"E0908 `FILE` is damaged: it is cut off: {there - 1} of {there} bytes of its numbers are there"
    )
    path.write_bytes(data + b"0")
    assert refusal(path).startswith("E0903 ")
    path.write_bytes(data[: len(data) // 3])
    assert refusal(path).startswith("E090")


@pytest.mark.parametrize(
    ("metadata", "again"),
    [
        ({}, "fetch it again, or write it again with the command that wrote it"),
        ({"spine.training": "{}"}, "fetch it again, or take another checkpoint of its run"),
    ],
)
@pytest.mark.parametrize("damage", ["cut off", "in the header", "in the numbers"])
def test_a_damaged_checkpoint_is_not_to_be_converted(
    metadata: dict[str, str], again: str, damage: str, tmp_path: Path
) -> None:
    data = bytearray(to_bytes(SMALL, metadata))
    if damage == "cut off":
        del data[-40:]
    else:
        data[8 + len(OPENING) if damage == "in the header" else -1] ^= 1
    (tmp_path / "w.safetensors").write_bytes(data)
    (wrong,) = read(tmp_path / "w.safetensors").diagnostics
    assert [fix.text for fix in wrong.fixes] == [again]


def test_several_bits_of_the_opening(tmp_path: Path) -> None:
    data = bytearray(to_bytes(SMALL))
    path = tmp_path / "w.safetensors"
    for at in range(9, 9 + 4 * 7, 4):
        data[at] ^= 4
        path.write_bytes(data)
        assert refusal(path).startswith("E0908 ")


def test_a_file_that_was_made_from_ours(tmp_path: Path) -> None:
    """Another program kept our metadata and changed the rest."""
    path = tmp_path / "w.safetensors"
    path.write_bytes(to_bytes(SMALL))
    with safetensors.safe_open(path, framework="np") as file:
        metadata = file.metadata()
    safetensors.numpy.save_file({"a": np.ones(1, np.float32)}, path, metadata)
    assert refusal(path).startswith("E0908 ")
    safetensors.numpy.save_file({"a": np.ones(1, np.float32)}, path, {"format": "pt"})
    outcome = read(path)
    assert outcome.value is not None
    assert (outcome.value.sealed, dict(outcome.value.metadata)) == (False, {"format": "pt"})


def test_digests_that_a_header_lacks(tmp_path: Path) -> None:
    """A sound digest of the header over a header without those of the tensors."""
    header = {"__metadata__": {"spine.header": "0" * 64}, "a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}
    text = json.dumps(header, separators=(",", ":")).encode()
    blank = len(text).to_bytes(8, "little") + text
    digest = hashlib.sha256(blank).hexdigest().encode()
    path = tmp_path / "w.safetensors"
    path.write_bytes(blank.replace(b"0" * 64, digest) + b"\x01")
    assert refusal(path) == "E0908 `FILE` is damaged: the numbers of `a` are not those that were written"


# ---- where weights are read ----


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.spine"
    path.write_text(
        "spine 1\nimport std.blocks\nimport std.stems\n\nnetwork Net {\n    input image: 3 x 16 x 16\n"
        "    defaults { act relu, norm batch_norm }\n    widths { level 2: 8 }\n    stem s: resnet_stem channels 8\n"
        "    block b: residual  level 2  after s\n    output C2: b\n}\n"
    )
    return path


def test_everywhere(net: Path, tmp_path: Path) -> None:
    weights = weights_for(flatten(spinedsl.program(net)))
    data = bytearray(to_bytes(weights))
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    module = spinedsl.load(net, weights=path)
    state = module.state_dict()
    assert all(state[name].numpy().tolist() == array.tolist() for name, array in weights.items())
    loaded = safetensors.torch.load_file(path)
    spinedsl.load(net).load_state_dict(loaded)
    assert spinedsl.compile(net, to="onnx", weights=path) == spinedsl.compile(
        net, to="onnx", weights=spinedsl.read_weights(path)
    )
    data[-2] ^= 64
    path.write_bytes(data)
    for reader in (
        lambda: spinedsl.load(net, weights=path),
        lambda: spinedsl.compile(net, to="onnx", weights=path),
        lambda: spinedsl.read_weights(path),
    ):
        with pytest.raises(spinedsl.Mistakes, match="E0908"):
            reader()
