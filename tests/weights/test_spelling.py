"""Names around a network's tensors, files that belong together, and the edges of lists and numbers: one rule each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import spinedsl
from spinedsl.ops.graph import flatten
from spinedsl.ops.primitives import Parameter
from spinedsl.source import Source
from spinedsl.weights import Weights, compare, match, read, to_bytes
from spinedsl.weights.match import LISTED
from spinedsl.weights.spelling import BESIDE, renamed
from tests.building import weights_for
from tests.cli.running import NET
from tests.weights.test_files import parameters
from tests.weights.test_layouts import ARRAYS, OTHERS, PARAMETERS


@pytest.mark.parametrize("others", [["teacher."], ["teacher.", "a."], ["z."]])
def test_a_prefix_counts_by_the_tensors_that_have_their_shapes(others: list[str]) -> None:
    """Another network of the same names, wider, stands in the file too: it is not meant, however it is called."""
    wider = {name: np.zeros((*array.shape, 2), np.float32) for name, array in ARRAYS.items()}
    tensors = {f"student.{name}": array for name, array in ARRAYS.items()}
    for prefix in others:
        tensors |= {f"{prefix}{name}": array for name, array in wider.items()}
    found = compare(PARAMETERS, tensors)
    assert (found.prefix, found.ways, found.missing, found.misfits) == ("student.", {}, (), {})
    assert all(np.array_equal(array, ARRAYS[name]) for name, array in found.fitting().items())


@pytest.mark.parametrize("name", sorted(BESIDE - {"head"}))  # which is a keyword
def test_a_row_may_be_called_as_a_part_of_a_host(name: str) -> None:
    """Its tensors are the network's; where the network has no such row, they are somebody else's."""
    text = NET.replace("block b:", f"block {name}:").replace("C2: b", f"C2: {name}")
    graph = flatten(spinedsl.program(Source.from_text(text, "net.spine")))
    tensors = weights_for(graph)
    found = compare(graph.parameters, tensors)
    assert (found.whole, found.beside) == (True, ())
    beside = {f"{name}.weight": np.ones(3, np.float32)}
    found = compare(PARAMETERS, {**ARRAYS, **beside})
    assert (found.whole, found.beside) == (True, (*beside,))


def test_of_several_patterns_the_first_that_fits_counts() -> None:
    tensors = {"a.b.w": np.ones(1), "c.w": np.zeros(2)}
    for patterns, names in (
        ([("a.*", "x.*"), ("*", "y.*")], ["x.b.w", "y.c.w"]),
        ([("a.b.*", ""), ("*.w", "y.*")], ["y.c"]),
        ([("a.*.w", "x.*"), ("a.*", "y.*"), ("c.*", "z.*")], None),
    ):
        if names is None:
            with pytest.raises(ValueError, match=r"`a.\*` is the name of no tensor"):
                renamed(tensors, patterns)
        else:
            assert list(renamed(tensors, patterns)) == names


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_by_rows_and_by_columns(order: str, tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    np.savez(tmp_path / "w.npz", a=np.array(array, order=order))  # type: ignore[call-overload]
    found = read(tmp_path / "w.npz").value
    assert found is not None
    assert found.tensors["a"].tolist() == array.tolist()


# ---- several files ----


def sharded(folder: Path, sealed: dict[str, bool]) -> Path:
    """An index and a file for each tensor, written by us or by the library."""
    for name, ours in sealed.items():
        tensors = {name: np.ones(2, np.float32)}
        path = folder / f"{name}.safetensors"
        if ours:
            path.write_bytes(to_bytes(tensors))
        else:
            save_file(tensors, path)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {name: f"{name}.safetensors" for name in sealed}}))
    return index


@pytest.mark.parametrize("sealed", [(True, True), (True, False), (False, True), (False, False)])
def test_several_files_are_sealed_if_each_is(sealed: tuple[bool, bool], tmp_path: Path) -> None:
    found = read(sharded(tmp_path, dict(zip("ab", sealed, strict=True)))).value
    assert found is not None
    assert found.sealed == all(sealed)


def test_a_tensor_stands_in_the_file_that_the_index_says(tmp_path: Path) -> None:
    """Also one that the index has in another file: which of the two is meant is not guessed."""
    index = sharded(tmp_path, {"a": True, "b": True})
    save_file({"a": np.ones(2, np.float32), "b": np.zeros(2, np.float32)}, tmp_path / "a.safetensors")
    (said,) = read(index).diagnostics
    assert "`a.safetensors` beside it holds `b`, which it does not list there" in said.message


def test_a_folder_with_an_index_is_what_the_index_says(tmp_path: Path) -> None:
    """Whatever else is there: one of its files may have the usual name too."""
    sharded(tmp_path, {"model": True, "other": True})
    found = read(tmp_path).value
    assert found is not None
    assert sorted(found.tensors) == ["model", "other"]
    (tmp_path / "model.safetensors.index.json").rename(tmp_path / "mine.safetensors.index.json")
    (tmp_path / "model.safetensors").rename(tmp_path / "m.safetensors")
    index = tmp_path / "mine.safetensors.index.json"
    index.write_text(index.read_text().replace("model.safetensors", "m.safetensors"))
    found = read(tmp_path).value
    assert found is not None
    assert sorted(found.tensors) == ["model", "other"]


# ---- edges ----


@pytest.mark.parametrize("count", [1, LISTED - 1, LISTED, LISTED + 1, 3 * LISTED])
def test_what_is_listed_and_what_is_not_add_up(count: int) -> None:
    wanted = parameters(kept=(1,), **{f"p{i:03}": (1,) for i in range(count)})
    tensors = {"kept": np.ones(1), "other": np.ones(3)}
    (said,) = match(wanted, Weights("w.pt", tensors), "Net").diagnostics
    missing = [note for note in said.notes if note.startswith("missing: ")]
    more = [int(note.split()[1]) for note in missing if note.endswith(" more")]
    assert len(missing) - len(more) + sum(more) == count
    assert len(missing) - len(more) == min(count, LISTED)
    assert all(more)


@pytest.mark.parametrize(("value", "usable"), [(0.0, True), (-0.0, True), (1e-30, True), (-1e-30, False)])
def test_a_variance_may_be_0_and_not_less(value: float, usable: bool) -> None:
    """A channel that never moved has a variance of 0, which its norm's epsilon takes."""
    wanted: dict[str, Parameter] = parameters(**{"norm.running_var": (2,)})
    assert match(wanted, Weights("w.pt", {"norm.running_var": np.array([value, 1])}), "Net").ok == usable


def test_other_weights_of_the_same_shapes_are_taken_as_they_are() -> None:
    found = compare(PARAMETERS, dict(reversed([*OTHERS.items()])))
    assert found.whole
    assert list(found.fitting()) == list(PARAMETERS)
    assert all(np.array_equal(array, OTHERS[name]) for name, array in found.fitting().items())
