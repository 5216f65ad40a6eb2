"""An exported model gives what the checkpoint gives, in every format that is installed, for pictures of any size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import spinedsl
from spinedsl.backends import OPSETS, Options
from spinedsl.backends.onnx import emit
from spinedsl.backends.onnx.nodes import Nodes, Value
from spinedsl.data.use import TRAINED
from spinedsl.inference import deployed
from spinedsl.inference.compared import made, samples_of
from spinedsl.inference.export import Told, export
from spinedsl.inference.exported import batched, open_exported
from spinedsl.inference.formats import FORMATS, Wanted, written
from spinedsl.inference.parity import parity
from spinedsl.ops.digests import HEX, MODEL_MARK
from spinedsl.tasks import TASKS, Reading
from spinedsl.tasks.task import LABELS
from tests.inference.exporting import KINDS, checkpoint, engine, model_of, pictures, trained
from tests.training.running import NET

PACKAGES = {"executorch": ("executorch",), "litert": ("litert_torch", "ai_edge_litert"), "openvino": ("openvino",)}


def write(kind: str, wanted: Wanted, folder: Path, name: str = "onnx") -> Path:
    outcome = written(name, model_of(kind), wanted, folder)
    assert outcome.value is not None, outcome.diagnostics
    return folder / outcome.value[0]


def session_of(path: Path) -> Any:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


# ---- ONNX ----


@pytest.mark.parametrize("kind", KINDS)
def test_an_onnx_model_gives_what_pytorch_gives(kind: str, tmp_path: Path) -> None:
    path = write(kind, Wanted(), tmp_path)
    onnx.checker.check_model(str(path), full_check=True)
    session, expected = session_of(path), engine(kind).run(pictures())
    for pixels, row in zip(pictures(), expected, strict=True):
        (found,) = session.run(None, {"images": pixels[None]})
        np.testing.assert_allclose(found[0], row, atol=2e-6)
    opened = open_exported(path)
    assert opened.value is not None, opened.diagnostics
    np.testing.assert_allclose(opened.value.run(pictures()), expected, atol=2e-6)
    for field in ("kind", "output", "classes", "preprocessing", "network", "digest", "step"):
        assert getattr(opened.value, field) == getattr(engine(kind), field), field


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("kind", ["crop", "faces"])
def test_every_opset_and_16_bits(kind: str, opset: int, tmp_path: Path) -> None:
    for half in (False, True):
        path = write(kind, Wanted(opset=opset, half=half), tmp_path)
        assert onnx.load(str(path)).opset_import[0].version == opset
        opened = open_exported(path)
        assert opened.value is not None, opened.diagnostics
        found, expected = opened.value.run(pictures()), engine(kind).run(pictures())
        assert parity("ONNX", "pictures", engine(kind).kind, expected, found, half=half).fine


@pytest.mark.parametrize("kind", ["crop", "faces"])
def test_each_level_of_passes(kind: str, tmp_path: Path) -> None:
    """Norms are folded but at level 0; what comes out stays the same."""
    norms = []
    for level, runtime in ((0, ""), (1, ""), (2, "onnxruntime"), (2, "openvino")):
        path = write(kind, Wanted(optimise=level, runtime=runtime), tmp_path)
        norms.append(sum(node.op_type == "BatchNormalization" for node in onnx.load(str(path)).graph.node))
        opened = open_exported(path)
        assert opened.value is not None, opened.diagnostics
        np.testing.assert_allclose(opened.value.run(pictures()), engine(kind).run(pictures()), atol=2e-6)
    assert norms[0] > norms[1] == norms[2] == norms[3]


def test_images_of_one_size_alone_where_that_is_asked_for(tmp_path: Path) -> None:
    path = write("grey", Wanted(inside=False, batch=3), tmp_path)
    assert session_of(path).get_inputs()[0].shape == [3, 16, 32, 1]
    opened = open_exported(path)
    assert opened.value is not None
    np.testing.assert_allclose(opened.value.run(pictures()), engine("grey").run(pictures()), atol=2e-6)


def test_what_a_model_says_of_itself(tmp_path: Path) -> None:
    properties = {entry.key: entry.value for entry in onnx.load(str(write("crop", Wanted(), tmp_path))).metadata_props}
    assert json.loads(properties[TRAINED]) == {
        "version": 1, "task": "classification", "output": "logits", "classes": ["red", "green", "blue"],
        "preprocessing": trained("crop").preprocessing.to_json(), "network": "Small", "digest": model_of("crop").digest,
        "step": 2, "input": {"name": "images", "layout": "NHWC", "type": "uint8", "sizes": "any"},
        "outputs": ["shares"], "aligned": False,
    }  # fmt: skip
    assert properties["spine.network"] == "Small"
    assert any(text == NET for key, text in properties.items() if key.startswith("spine.source."))


def test_its_initialisers_are_the_weights(tmp_path: Path) -> None:
    weights = spinedsl.read_weights(write("crop", Wanted(optimise=0), tmp_path))
    own = {name: tensor for name, tensor in trained("crop").module.state_dict().items() if "num_batches" not in name}
    assert weights.tensors.keys() == own.keys()
    assert all(np.array_equal(weights.tensors[name], tensor.numpy()) for name, tensor in own.items())


def test_its_folded_initialisers_give_weights_too(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="has 3 norms in its kernels"):
        weights = spinedsl.read_weights(write("crop", Wanted(), tmp_path))
    own = engine("crop").run(pictures())
    module = trained("crop").module
    kept = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    try:
        told = {name: torch.from_numpy(array.copy()) for name, array in weights.tensors.items()}
        module.load_state_dict({**kept, **told})
        assert not np.array_equal(module.state_dict()["s.enter.norm.running_mean"], kept["s.enter.norm.running_mean"])
        np.testing.assert_allclose(engine("crop").run(pictures()), own, atol=2e-6)
    finally:
        module.load_state_dict(kept)


def test_values_that_are_called_as_input_and_output_are(tmp_path: Path) -> None:
    text = (
        NET.replace("input image", "input images").replace("block b:", "block shares:").replace("C2: b", "C2: shares")
    )
    (tmp_path / "net.spine").write_text(text)
    program = spinedsl.program(tmp_path / "net.spine", outputs=["logits"])
    whole = deployed.Deployed(program, trained("letterbox").preprocessing, "classification", "logits")
    assert whole.names == ("images.2", "shares.2")
    files = emit(program, Options(dynamic=frozenset({"batch"})), around=whole.around).value
    assert files is not None
    onnx.checker.check_model(files["Small.onnx"], full_check=True)


def test_every_task_has_its_nodes() -> None:
    """Of boxes a compiled model has its own: `spine compile --detect`."""
    assert deployed.DECODED.keys() == {kind for kind, task in TASKS.items() if task.truth == LABELS}


@pytest.mark.parametrize("opset", [13, 18])
@pytest.mark.parametrize("kind", deployed.DECODED)
def test_the_nodes_of_a_task_are_its_decoding(kind: str, opset: int) -> None:
    """Of usual outputs, of zeros, of very small and very large ones."""
    nodes = Nodes("task", {"output"}, opset)
    found = deployed.DECODED[kind].nodes(nodes, Value(nodes, "output", np.dtype(np.float32)))
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", 6]) for name in ("output", found.name)
    ]
    graph = onnx.helper.make_graph(nodes.made, "task", ends[:1], ends[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=8)
    drawn = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32) * [[1], [0], [1e-14], [1e4], [50]]
    given = drawn.astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    reading = Reading("output", ("output",), 6)
    expected = TASKS[kind].decode(reading, {"output": torch.from_numpy(given)}, (8, 8), {}).numpy()
    np.testing.assert_allclose(session.run(None, {"output": given})[0], expected, rtol=1e-5, atol=1e-7)


def test_tensors_that_no_file_holds_stand_in_a_second_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("spinedsl.backends.onnx.MOST_BYTES", 1000)
    outcome = written("onnx", model_of("crop"), Wanted(), tmp_path)
    assert outcome.value is not None, outcome.diagnostics
    assert {path.name for path in tmp_path.iterdir()} == set(outcome.value)
    assert len(outcome.value) == 2
    opened = open_exported(tmp_path / outcome.value[0])
    assert opened.value is not None, opened.diagnostics
    np.testing.assert_allclose(opened.value.run(pictures()), engine("crop").run(pictures()), atol=2e-6)


# ---- other formats ----


@pytest.mark.parametrize("batch", [None, 3])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "onnx"])
def test_a_format_gives_what_pytorch_gives(name: str, kind: str, batch: int | None, tmp_path: Path) -> None:
    for package in PACKAGES.get(name, ()):
        pytest.importorskip(package)
    wanted = Wanted(batch=batch, inside=False)
    run = FORMATS[name].run(write(kind, wanted, tmp_path, name), wanted)
    found = run([engine(kind).preprocessing.fit(pixels) for pixels in pictures()])
    np.testing.assert_allclose(found, engine(kind).run(pictures()), atol=5e-6)


def test_a_network_that_a_converter_does_not_know_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no such operation: aten::pixel_shuffle\nmore of it")

    monkeypatch.setattr(torch.export, "export", fail)
    outcome = written("torch", model_of("crop"), Wanted(), tmp_path)
    assert outcome.value is None
    assert [found.code.id for found in outcome.diagnostics] == ["E1042"]
    assert "RuntimeError: no such operation: aten::pixel_shuffle" in outcome.diagnostics[0].message


# ---- the table ----


def exported(kind: str, folder: Path, **told: Any) -> Any:
    return export(
        trained(kind), checkpoint(kind), stem="model", formats=["onnx", "torch"], wanted=Wanted(), told=Told(**told)
    )


def test_all_that_is_exported_is_compared(tmp_path: Path) -> None:
    outcome = exported("crop", tmp_path)
    assert outcome.value is not None, outcome.diagnostics
    assert [(one.format, one.count, one.alike) for one in outcome.value.parity] == [
        ("ONNX", 8, 1.0),
        ("PyTorch", 8, 1.0),
    ]
    assert all(one.fine and one.difference < 1e-5 for one in outcome.value.parity)
    assert list(outcome.value.files) == ["model.onnx", "model.pt2", "model.svg", "model.md"]


WRONG: Mapping[str, Any] = {
    "another mean": lambda nodes, value: nodes.apply("Softmax", value + 0.0, axis=0),
    "classes that change places": lambda nodes, value: nodes.apply("Softmax", value * -1.0, axis=1),
    "no numbers": lambda nodes, value: nodes.apply("Softmax", value / 0.0 * 0.0, axis=1),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_model_that_gives_something_else_is_an_error(
    what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    changed = deployed.Decoded("shares", "", WRONG[what])
    monkeypatch.setattr(deployed, "DECODED", {**deployed.DECODED, "classification": changed})
    outcome = exported("crop", tmp_path)
    assert outcome.value is None
    assert {found.code.id for found in outcome.diagnostics} == {"E1041"}


def test_what_counts_as_agreement() -> None:
    two = np.array([[0.6, 0.4], [0.50001, 0.49999]], dtype=np.float32)
    swapped = np.array([[0.6, 0.4], [0.49999, 0.50001]], dtype=np.float32)
    assert parity("", "", "classification", two, two, half=False).alike == 1
    near = parity("", "", "classification", two, swapped, half=False)
    assert (near.alike, near.fine) == (0.5, True)
    assert near.difference == pytest.approx(2e-5, rel=0.05)
    assert not parity("", "", "classification", two, two[:, ::-1], half=True).fine
    assert not parity("", "", "classification", two, two[:1], half=True).fine
    assert not parity("", "", "classification", two, two * np.nan, half=True).fine
    assert not parity("", "", "classification", two, two + np.float32(0.01), half=False).fine
    assert parity("", "", "classification", two, two + np.float32(0.01), half=True).fine
    unit = np.eye(3, dtype=np.float32)
    assert parity("", "", "embedding", unit, unit, half=False).fine
    turned = parity("", "", "embedding", unit, unit[::-1].copy(), half=False)
    assert (turned.alike, turned.fine) == (0.0, False)


def test_made_pictures_follow_from_nothing_but_the_size() -> None:
    pre = trained("crop").preprocessing
    assert all(np.array_equal(one, two) for one, two in zip(made(pre).pictures, made(pre).pictures, strict=True))
    assert (1, 1, 3) in {one.shape for one in made(pre).pictures}
    assert samples_of(trained("crop"), checkpoint("crop")) is None  # its data was in memory


def test_pictures_of_several_sizes_come_back_in_their_order() -> None:
    runs = []

    def run(images: Any) -> Any:
        runs.append(images.shape)
        return images.reshape(len(images), -1)[:, :1].astype(np.float32)

    given = [
        np.full(size, number, np.uint8) for number, size in enumerate([(2, 2, 3), (1, 1, 3), (2, 2, 3), (2, 2, 1)])
    ]
    assert batched(run, given, None)[:, 0].tolist() == [0, 1, 2, 3]
    assert runs == [(2, 2, 2, 3), (1, 1, 1, 3), (1, 2, 2, 1)]
    runs.clear()
    assert batched(run, given, 4)[:, 0].tolist() == [0, 1, 2, 3]
    assert {shape[0] for shape in runs} == {4}
    assert len(batched(run, [], 4)) == 0


# ---- what is no exported model ----


def test_what_is_no_exported_model_says_why(tmp_path: Path) -> None:
    whole = write("crop", Wanted(), tmp_path).read_bytes()
    (tmp_path / "net.spine").write_text(NET)
    (plain,) = spinedsl.compile(tmp_path / "net.spine", to="onnx").values()
    model = onnx.load_from_string(whole)
    said = next(entry for entry in model.metadata_props if entry.key == TRAINED)
    about = json.loads(said.value)

    def saying(text: str) -> bytes:
        """The model as another tool would write it, with another property."""
        said.value = text
        return bytes(model.SerializeToString()[: -len(MODEL_MARK) - HEX])

    cases = [
        ("cannot read", None),
        ("does not load", b"no model at all"),
        ("damaged", whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:]),
        ("does not say what it is for", plain),
        ("newer spinedsl", saying(json.dumps({**about, "version": 2}))),
        ("cannot be read", saying(said.value[:-5])),
        ("cannot be read (`height` must be", saying(json.dumps({**about, "preprocessing": {"height": 0, "width": 1}}))),
        ("are not those that it names", saying(json.dumps({**about, "outputs": ["other"]}))),
        ("cannot be read", saying("[]")),
    ]
    for words, data in cases:
        target = tmp_path / "other.onnx"
        target.unlink(missing_ok=True)
        if data is not None:
            target.write_bytes(data)
        outcome = open_exported(target)
        assert outcome.value is None, words
        (found,) = outcome.diagnostics
        assert words in found.message, found.message
        assert found.code.id == ("E0801" if data is None else "E1040")


def test_a_model_that_another_tool_rewrote_is_read(tmp_path: Path) -> None:
    path = write("crop", Wanted(), tmp_path)
    model = onnx.load(str(path))
    model.doc_string = "seen by another tool"
    kept = [entry for entry in model.metadata_props if entry.key != "spine.sha256"]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    path.write_bytes(model.SerializeToString())
    opened = open_exported(path)
    assert opened.value is not None, opened.diagnostics
    np.testing.assert_allclose(opened.value.run(pictures()), engine("crop").run(pictures()), atol=2e-6)


def test_formats_need_what_the_command_line_asks_for() -> None:
    from spinedsl.cli import export as command
    from spinedsl.cli.output import KINDS as FILES

    assert list(command.TO) == list(command.NEEDS) == list(FORMATS)
    for name, format_ in FORMATS.items():
        assert command.NEEDS[name] == format_.packages
        assert format_.ending in FILES[command.TO[name]].endings
