"""ONNX models as weights: those that we wrote are checked to the bit, and others are read with care."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from spinedsl.backends.onnx import emit_model
from spinedsl.ops.graph import flatten
from spinedsl.weights import read
from tests.building import op, single, weights_for

PROGRAM = single(lambda x: op("batch_norm", op("conv", x, channels=4, kernel=3)))


def written() -> bytes:
    return emit_model(PROGRAM, weights_for(flatten(PROGRAM)), metadata={"spine.weights": "a test"})


def refusal(path: Path) -> str:
    outcome = read(path)
    assert outcome.value is None
    (said,) = outcome.diagnostics
    return f"{said.code.id} {said.message.replace(str(path), 'FILE')}"


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(written())
    onnx.checker.check_model(path, full_check=True)
    found = read(path).value
    assert found is not None
    assert found.sealed
    assert (found.metadata["spine.weights"], found.metadata["spine.network"]) == ("a test", "Net")
    expected = weights_for(flatten(PROGRAM))
    assert {name: array.tolist() for name, array in found.tensors.items()} == {
        name: array.tolist() for name, array in expected.items()
    }


def test_single_bits(tmp_path: Path) -> None:
    """All of the mark and the digest at the end, and every seventh of the rest.

    Each is damage, or said to be a change that leaves the tensors as they were; or it is in their names or shapes.
    """
    expected = {name: array.tobytes() for name, array in weights_for(flatten(PROGRAM)).items()}
    data = written()
    path = tmp_path / "net.onnx"
    unseen = []
    for bit in (*range(0, 8 * len(data), 7), *range(8 * (len(data) - 100), 8 * len(data))):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        outcome = read(path)
        codes = [found.code.id for found in outcome.diagnostics]
        if outcome.value is None:
            seen = codes == ["E0908"]
        else:
            got = {name: array.tobytes() for name, array in outcome.value.tensors.items()}
            other_form = "other names" in outcome.diagnostics[0].message and got.keys() != expected.keys()
            seen = codes == ["W0902"] and not outcome.value.sealed and (got == expected or other_form)
        if not seen:
            unseen.append(bit)
    assert unseen == []


def saved(path: Path, *tensors: TensorProto) -> Path:
    graph = helper.make_graph([], "g", [], [], initializer=list(tensors))
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


def test_models_of_others(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float16).reshape(2, 3)
    found = read(saved(tmp_path / "m.onnx", numpy_helper.from_array(array, "a"))).value
    assert found is not None
    assert not found.sealed
    assert found.tensors["a"].tolist() == array.tolist()


def external(name: str) -> TensorProto:
    tensor = TensorProto(name=name, dims=[1], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    return tensor


TENSORS = {
    "external": ([external("a")], "it keeps the numbers of `a` in a file that is not beside it"),
    "twice": ([numpy_helper.from_array(np.ones(1), "a")] * 2, "`a` stands in it twice"),
    "texts": (
        [TensorProto(name="a", dims=[1], data_type=TensorProto.STRING, string_data=[b"x"])],
        "`a` has numbers of type object",
    ),
    "too short": ([TensorProto(name="a", dims=[2**40], data_type=TensorProto.FLOAT, raw_data=bytes(4))], "ValueError"),
    "negative": ([TensorProto(name="a", dims=[-2, -2], data_type=TensorProto.FLOAT, raw_data=bytes(16))], "ValueError"),
    "no type": ([TensorProto(name="a", dims=[1], raw_data=bytes(4))], "TypeError"),
}


@pytest.mark.parametrize("case", TENSORS)
def test_tensors_that_are_refused(case: str, tmp_path: Path) -> None:
    tensors, reason = TENSORS[case]
    assert refusal(saved(tmp_path / "m.onnx", *tensors)).startswith(
        f"E0903 `FILE` is not a valid weights file: {reason}"
    )


@pytest.mark.parametrize("said", [("offset", "length"), ("offset",), ("length",), ()])
def test_where_tensors_of_others_stand_in_another_file(said: tuple[str, ...], tmp_path: Path) -> None:
    """A model may leave out where its tensor begins, and how long it is: then from the beginning, and to the end.

    The library reads the same.
    """
    numbers = np.arange(12, dtype=np.float32)
    (tmp_path / "w.data").write_bytes(numbers.tobytes())
    first, last = (4 if "offset" in said else 0), (9 if "length" in said else len(numbers))
    tensor = TensorProto(name="a", dims=[last - first], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    places = {"location": "w.data", "offset": str(4 * first), "length": str(4 * (last - first))}
    for key, value in places.items():
        if key == "location" or key in said:
            tensor.external_data.add(key=key, value=value)
    found = read(saved(tmp_path / "m.onnx", tensor)).value
    assert found is not None
    assert found.tensors["a"].tolist() == numbers[first:last].tolist()
    theirs = onnx.load(tmp_path / "m.onnx").graph.initializer[0]
    assert numpy_helper.to_array(theirs).tolist() == numbers[first:last].tolist()


def test_no_model(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\xff\xffhello")
    assert refusal(path).startswith("E0903 `FILE` is not a valid weights file: ")
    for data, why in ((b"", "it is empty"), (b"\x08\x08", "it is cut off: it has no graph")):
        path.write_bytes(data)
        assert refusal(path).startswith(f"E0903 `FILE` is not a valid weights file: {why}")
