"""Hostile weights files: said to be what they are, before anything is made room for or run."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spinedsl.weights import read


def said(path: Path) -> str:
    outcome = read(path)
    assert outcome.value is None
    (diagnostic,) = outcome.diagnostics
    assert diagnostic.code.id in {"E0903", "E0904"}
    assert "\n" not in diagnostic.message
    return diagnostic.message.replace(str(path), "FILE").removeprefix("`FILE` is not a valid weights file: ")


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    """Nothing here may take memory that a file only claims to need."""
    pages = Path("/proc/self/statm")
    if not pages.exists():
        yield
        return
    import resource

    used = int(pages.read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**29, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


# ---- safetensors ----


def tensors(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(shape: list[int], start: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


TWICE = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
SAFETENSORS = {
    "overlap": tensors({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12)),
    "hole": tensors({"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, bytes(12)),
    "beyond the end": tensors({"a": entry([2**40], 0, 2**42)}, bytes(8)),
    "negative shape": tensors({"a": entry([-1], 0, 4)}, bytes(4)),
    "negative offset": tensors({"a": entry([1], -4, 0)}, bytes(4)),
    "shape beyond a word": tensors({"a": entry([2**63, 0], 0, 0)}),
    "shape and size": tensors({"a": entry([3], 0, 8)}, bytes(8)),
    "product that wraps": tensors({"a": entry([2**32, 2**32], 0, 0)}),
    "list": tensors(b"[]"),
    "deep": tensors(b"[" * 100_000),
    "deep in a tensor": tensors(b'{"a":' * 100_000),
    "no entry": tensors({"a": 1}),
    "metadata of numbers": tensors({"__metadata__": {"a": 1}}),
    "metadata of digests alone": tensors({"__metadata__": "spinedsl."}),
    "not a number": tensors(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}', bytes(4)),
    "no type": tensors({"a": {"shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    "type of four bits": tensors({"a": entry([2], 0, 1, "F4")}, bytes(1)),
    "surrogate": tensors(b'{"\\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', bytes(1)),
    "no UTF-8": tensors(b'{"\xff":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', bytes(1)),
}


@pytest.mark.parametrize("content", SAFETENSORS)
def test_safetensors(content: str, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(SAFETENSORS[content])
    assert said(path)


def test_duplicate_names(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(tensors(TWICE, bytes(1)))
    assert said(path) == "`a` stands in its header twice"


def test_huge_headers(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    assert said(path)
    with path.open("wb") as file:
        file.write((2**30).to_bytes(8, "little") + b"{")
        file.truncate(2**31)
    assert said(path) == "its header has 1073741824 bytes, and 16777216 would be many"


# ---- npz ----


def array(header: str, data: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def archive(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def shape(text: str, kind: str = "'<f4'") -> str:
    return f"{{'descr': {kind}, 'fortran_order': False, 'shape': {text}}}"


NPZ = {
    "no array": ({"notes.txt": b"hello"}, "`notes.txt` in it is no array"),
    "claims more": (
        {"a.npy": array(shape("(1000000000000,)"), bytes(4))},
        "`a` says that its shape is (1000000000000,), which is not what it holds",
    ),
    "claims less": ({"a.npy": array(shape("(1,)"), bytes(8))}, "`a` says that its shape is (1,)"),
    "negative": ({"a.npy": array(shape("(-1, -2)"), bytes(8))}, "`a` says that its shape is (-1, -2)"),
    "objects": ({"a.npy": array(shape("(1,)", "'|O'"), bytes(8))}, "`a` holds Python objects, not numbers"),
    "records": ({"a.npy": array(shape("(1,)", "[('x', '<f4')]"), bytes(4))}, "`a` has numbers of type [('x', '<f4')]"),
    "texts": ({"a.npy": array(shape("(1,)", "'<U1'"), bytes(4))}, "`a` has numbers of type <U1"),
    "version": ({"a.npy": b"\x93NUMPY\x03\x00" + bytes(8)}, "`a` has a header of version 3.0"),
    "code": ({"a.npy": array("__import__('os').abort()")}, "ValueError: malformed node"),
    "no magic": ({"a.npy": b"hello"}, "ValueError: "),
}


@pytest.mark.parametrize("content", NPZ)
def test_npz(content: str, tmp_path: Path) -> None:
    members, expected = NPZ[content]
    assert said(archive(tmp_path / "w.npz", members)).startswith(expected)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_npz_with_a_name_twice(tmp_path: Path) -> None:
    path = archive(tmp_path / "w.npz", {"a.npy": array(shape("(1,)"), bytes(4))})
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("a.npy", array(shape("(1,)"), bytes(4)))
    assert said(path) == "`a` stands in it twice"


def bomb(path: Path, name: str, size: int) -> Path:
    """A small archive of one member of so many zeros."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file, file.open(name, "w") as member:
        member.write(array(shape(f"({size // 4},)")))
        for _ in range(size // 2**20):
            member.write(bytes(2**20))
    return path


@pytest.mark.parametrize(("file", "member"), [("w.npz", "a.npy"), ("w.pt", "w/data/0")])
def test_zip_bombs(file: str, member: str, tmp_path: Path) -> None:
    path = bomb(tmp_path / file, member, 2**27)
    assert path.stat().st_size < 2**20
    assert said(path) == f"its {path.stat().st_size} bytes would unfold to {2**27 + 128}"


def test_npz_that_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    content: dict[str, Any] = {
        "a/b:0": np.arange(6, dtype=">f8").reshape(2, 3),
        "c": np.asfortranarray(np.ones((2, 3, 4), np.float16)),
    }
    for save in (np.savez, np.savez_compressed):
        save(path, **content)
        found = read(path).value
        assert found is not None
        assert {name: value.tolist() for name, value in found.tensors.items()} == {
            name: value.tolist() for name, value in content.items()
        }


def test_npz_bit_by_bit(tmp_path: Path) -> None:
    """Whatever happens to an archive, nothing is raised, and numbers never change: zip has checksums."""
    path = tmp_path / "w.npz"
    np.savez_compressed(path, a=np.arange(4, dtype=np.float32))
    data = path.read_bytes()
    for bit in range(0, 8 * len(data), 7):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        found = read(path).value
        if found is not None and "a" in found.tensors:
            assert found.tensors["a"].tolist() == [0, 1, 2, 3]


# ---- PyTorch ----


def test_tensors_that_claim_more_than_the_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save({"a": torch.zeros(1).expand(2**20, 2**20)}, path)
    assert said(path) == "its tensors up to `a` claim far more numbers than it holds"
    many = torch.zeros(2**20)
    torch.save({f"p{i}": many for i in range(100)}, path)
    assert said(path) == "its tensors up to `p16` claim far more numbers than it holds"


@pytest.mark.parametrize("function", [torch.FloatStorage, bytearray, torch.zeros])
def test_pickles_that_ask_for_memory(function: Callable[[int], object], tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return function, (2**36,)

    path = tmp_path / "w.pt"
    path.write_bytes(pickle.dumps(Trap(), protocol=2))
    assert said(path)
