"""`detect`: boxes by PyTorch, by generated files and by ONNX Runtime are the same, in the same order."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import spinedsl
from spinedsl.agreement import lively_weights
from spinedsl.backends.onnx.boxes import NAMES
from spinedsl.cli import main
from spinedsl.ops.detection import DETECTION
from spinedsl.ops.graph import flatten
from spinedsl.record import replace
from spinedsl.source import Source
from spinedsl.tasks.detection import detect
from spinedsl.weights import Weights
from tests.backends.heads import KINDS, case, differing, model, of_onnx, of_pytorch, text

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize("seed", range(48))
def test_three_engines_find_the_same_boxes_in_the_same_order(seed: int) -> None:
    """`make detections` does the same 500 times."""
    assert not differing(seed)


def test_the_cases_have_what_is_hard() -> None:
    found = [of_pytorch(case(seed))["count"] for seed in range(48)]
    assert {len(count) for count in found} == {1, 2, 3, 4}
    assert any(not count.sum() for count in found)
    assert any(int(count.max()) > 60 for count in found)
    scores = torch.cat([of_pytorch(case(seed))["scores"].flatten() for seed in range(0, 48, 3)])
    assert len(set(scores.tolist())) < len(scores) / 10  # ties


@pytest.mark.parametrize("opset", [13, 17, 23])
@pytest.mark.parametrize("seed", [0, 1, 4, 6])
def test_every_opset_finds_them(opset: int, seed: int) -> None:
    one = case(seed)
    expected = of_pytorch(one)
    assert all(torch.equal(values, expected[name]) for name, values in of_onnx(one, opset).items())


OTHER = "task other: detection(classes = 5) classes scores boxes boxes"


def weights_of(source: Source) -> tuple[Any, Weights]:
    program = spinedsl.program(source)
    return program, Weights("w", lively_weights(flatten(program).parameters, 1))


def run(data: bytes, images: torch.Tensor) -> dict[str, Any]:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == [*NAMES]
    return dict(zip(NAMES, session.run(NAMES, {session.get_inputs()[0].name: images.numpy()}), strict=True))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_whole_networks_find_the_same(kind: tuple[bool, bool, int]) -> None:
    """Batches over 1, and sizes that stay open: up to scores that are nearly equal, or at the threshold."""
    source = Source.from_text(text(*kind), "net.spine")
    program, weights = weights_of(source)
    module = spinedsl.load(source, weights=weights, detect=True).eval()
    options: dict[str, Any] = {"detect": True, "score": 0.2, "max_detections": 30}
    (data,) = spinedsl.compile(
        source, to="onnx", weights=weights, dynamic=("batch", "height", "width"), **options
    ).values()
    onnx.checker.check_model(data, full_check=True)
    images = torch.randn(3, 3, 48, 80, generator=torch.Generator().manual_seed(1))
    expected = module.detect(images, score=0.2, most=30)
    ours = detect(module, program, images, score=0.2, most=30)
    assert all(torch.equal(expected[name], getattr(ours, name)) for name in NAMES)
    found = run(data, images)
    assert int(expected["count"].min()) > 0
    alike(found, expected)
    fixed = spinedsl.compile(source, to="onnx", weights=weights, size=(48, 80), batch=3, **options)
    alike(run(next(iter(fixed.values())), images), expected)


def alike(found: dict[str, Any], expected: dict[str, torch.Tensor]) -> None:
    """Each box has one of the same class at the same place with the same score; few are at a tie or at a limit."""
    for image in range(len(expected["count"])):
        count = int(found["count"][image])
        assert abs(count - int(expected["count"][image])) <= 1
        matched = 0
        for box, score, label in zip(*(found[name][image, :count] for name in NAMES[:3]), strict=True):
            near = (expected["boxes"][image] - torch.from_numpy(box)).abs().amax(1) < 0.05
            near &= (expected["scores"][image] - float(score)).abs() < 1e-5
            matched += bool((near & (expected["labels"][image] == int(label))).any())
        assert matched >= count - 1


def test_an_example_finds_the_same_in_both() -> None:
    given: dict[str, Any] = {"network": "RetinaNet49S", "size": (128, 128)}
    program = spinedsl.program(EXAMPLES / "retinanet.spine", **given)
    weights = Weights("w", lively_weights(flatten(program).parameters, 0))
    module = spinedsl.load(EXAMPLES / "retinanet.spine", weights=weights, detect=True, **given).eval()
    images = torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    files = spinedsl.compile(EXAMPLES / "retinanet.spine", to="onnx", weights=weights, detect=True, batch=2, **given)
    alike(run(next(iter(files.values())), images), module.detect(images))


@pytest.mark.parametrize("fixed", [True, False], ids=["fixed", "open"])
def test_onnx_runtime_reads_models_without_a_warning(fixed: bool, capfd: pytest.CaptureFixture[str]) -> None:
    for seed in range(len(KINDS)):
        of_onnx(case(seed), fixed=fixed)
    assert capfd.readouterr().err == ""


def test_what_no_level_can_exceed_is_not_looked_for() -> None:
    """Where the size says that no level has more candidates than are kept, the model has no branch for it."""
    one = case(0)
    count = max(values[0].numel() for name, values in one.outputs.items() if name.startswith("scores"))
    for top, has in ((count, False), (count - 1, True)):
        made = model(replace(one, limits=replace(one.limits, top=top)), fixed=True)
        assert ("If" in {node.op_type for node in made.graph.node}) == has


def test_half_precision_gives_boxes_in_float32() -> None:
    source = Source.from_text(text(True, False, 5), "net.spine")
    _, weights = weights_of(source)
    (data,) = spinedsl.compile(source, to="onnx", weights=weights, detect=True, half=True).values()
    onnx.checker.check_model(data, full_check=True)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    found = session.run(NAMES, {"image": np.zeros((1, 3, 64, 96), np.float16)})
    assert [values.dtype for values in found] == [np.float32, np.float32, np.int64, np.int64]


def test_openvino_finds_them_too() -> None:
    openvino = pytest.importorskip("openvino")
    source = Source.from_text(text(False, True, 5), "net.spine")
    _, weights = weights_of(source)
    module = spinedsl.load(source, weights=weights, detect=True).eval()
    images = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    (data,) = spinedsl.compile(source, to="onnx", weights=weights, detect=True, score=0.3, batch=2).values()
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(data), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    result = compiled([images.numpy()])
    alike({name: result[name] for name in NAMES}, module.detect(images, score=0.3))


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_the_method_can_be_scripted(kind: tuple[bool, bool, int]) -> None:
    source = Source.from_text(text(*kind), "net.spine")
    _, weights = weights_of(source)
    module = spinedsl.load(source, weights=weights, detect=True).eval()
    scripted: Any = torch.jit.script(module)
    images = torch.randn(3, 3, 64, 48, generator=torch.Generator().manual_seed(2))
    tried: list[dict[str, Any]] = [
        {"score": 0.2},
        {"score": 0.999},
        {"score": 0.2, "most": 3, "overlap": 0.1, "top": 5},
    ]
    for given in tried:
        expected, found = module.detect(images, **given), scripted.detect(images, **given)
        assert all(torch.equal(values, found[name]) for name, values in expected.items())


def test_the_file_needs_torch_alone_and_has_the_thresholds(tmp_path: Path) -> None:
    (tmp_path / "net.spine").write_text(text(True, True, 5), encoding="utf-8")
    line = ["compile", str(tmp_path / "net.spine"), "--to", "torch", "--detect", "--score", "0.3", "--top", "50"]
    assert main([*line, "--max-detections", "7", "-o", str(tmp_path / "net.py")]) == 0
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('spinedsl', 'torchvision', 'numpy'))); import torch; from net "
        "import Net; found = Net().eval().detect(torch.randn(2, 3, 64, 64)); print(*found['boxes'].shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "2 7 4\n", done.stderr
    assert "score: float = 0.3, top: int = 50, overlap: float = 0.5, most: int = 7" in (tmp_path / "net.py").read_text()


def test_the_model_says_how_it_finds() -> None:
    source = Source.from_text(text(True, False, 5), "net.spine")
    (data,) = spinedsl.compile(source, to="onnx", detect=True, score=0.3, overlap=0.6, top=9, max_detections=8).values()
    said = {entry.key: entry.value for entry in onnx.load_from_string(data).metadata_props}
    assert json.loads(said[DETECTION]) == {
        "task": "find", "classes": 5, "strides": [8, 16], "score": 0.3, "top": 9, "overlap": 0.6, "max_detections": 8,
    }  # fmt: skip


def test_a_network_may_have_the_names_of_the_outputs() -> None:
    """A row `boxes` or `labels` is called otherwise in the model; its parameters keep their names."""
    rows = text(False, False, 5).replace("b3", "boxes").replace("b4", "count").replace("head boxes", "head corners")
    source = Source.from_text(rows.replace("boxes boxes\n", "boxes corners\n"), "net.spine")
    _, weights = weights_of(source)
    (data,) = spinedsl.compile(source, to="onnx", weights=weights, detect=True, score=0.3, optimise=0).values()
    onnx.checker.check_model(data, full_check=True)
    images = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    alike(run(data, images), spinedsl.load(source, weights=weights, detect=True).eval().detect(images, score=0.3))
    assert {one.name for one in onnx.load_from_string(data).graph.initializer} == {*weights.tensors}


def test_what_is_not_asked_for_changes_nothing() -> None:
    source = Source.from_text(text(False, False, 5), "net.spine")
    (plain,), (finding,) = (spinedsl.compile(source, to="torch", detect=on).values() for on in (False, True))
    assert b"detect" not in plain
    assert all(line in finding.splitlines() for line in plain.splitlines())


@pytest.mark.parametrize(
    ("rows", "asked", "said"),
    [
        ("", {}, "cannot be compiled with `--detect`: it has no detection task"),
        ("task", {"task": "fund"}, "it has no detection task `fund`"),
        ("two", {}, "it has 2 detection tasks, `other` and `find`"),
        ("row", {}, "its row `detect` has the name of a method"),
    ],
)
@pytest.mark.parametrize("to", ["torch", "onnx"])
def test_networks_that_find_nothing(rows: str, asked: dict[str, Any], said: str, to: Any) -> None:
    made = text(False, False, 5)
    if not rows:
        made = "\n".join(line for line in made.splitlines() if "task" not in line) + "\n"
    elif rows == "two":
        made = made.replace("    task find", f"    {OTHER}\n    task find")
    elif rows == "row":
        made = made.replace("b3", "detect")
    source = Source.from_text(made, "net.spine")
    if rows == "row" and to == "onnx":
        assert spinedsl.compile(source, to=to, detect=True)
        return
    with pytest.raises(spinedsl.Mistakes) as error:
        spinedsl.compile(source, to=to, detect=True, **asked)
    (found,) = error.value.diagnostics
    assert found.code.id == "E0916"
    assert said in found.message
    assert found.fixes


MASK = """head mask: segmentation(classes = 3) from P3 channels 4
    task what: segmentation from mask"""
MORE = """head more: retina_tower(outputs = 4, depth = 1) from P3, P4 channels 4
    task other: detection(classes = 5) classes scores boxes more"""
# Rows beside those, what is asked for, and what is reported of the outputs that are asked for; None: nothing.
LEFT_OUT = (
    ("", "", "P3", "`--outputs` leaves out `find`"),
    ("", "find", "scores_P3,scores_P4,boxes_P3", "`--outputs` leaves out `find`"),
    (OTHER, "find", "P3", "`--outputs` leaves out `find`"),
    (OTHER, "other", "P3", "`--outputs` leaves out `other`"),
    (MASK, "", "mask", "`--outputs` leaves out `find`"),
    (MORE, "find", "scores_P3,scores_P4,more_P3,more_P4", "`--outputs` leaves out `find`"),
    ("", "fund", "scores_P3,scores_P4,boxes_P3,boxes_P4", "it has no detection task `fund`"),
)


@pytest.mark.parametrize(("rows", "task", "outputs", "words"), LEFT_OUT)
@pytest.mark.parametrize("to", ["torch", "onnx"])
def test_a_task_whose_outputs_are_left_out(rows: str, task: str, outputs: str, words: str, to: Any) -> None:
    """What is told to do can be done."""
    source = Source.from_text(text(False, False, 5).replace("    task find", f"    {rows}\n    task find"), "net.spine")
    asked: dict[str, Any] = {"to": to, "detect": True, "task": task or None}
    with pytest.raises(spinedsl.Mistakes) as error:
        spinedsl.compile(source, outputs=outputs.split(","), **asked)
    (found,) = error.value.diagnostics
    assert words in found.message
    (fix,) = found.fixes
    if "--outputs" in fix.text:
        asked["outputs"] = fix.text.split("`--outputs ")[1].rstrip("`").split(",")
    else:
        asked["task"] = fix.text.split("`--task ")[1].rstrip("`?")
    assert spinedsl.compile(source, **asked)


def test_thresholds_without_boxes_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "net.spine").write_text(text(True, True, 5), encoding="utf-8")
    line = ["compile", str(tmp_path / "net.spine"), "--to", "onnx", "-o", str(tmp_path / "net.onnx")]
    assert main([*line, "--score", "0.3"]) == 2
    assert "--score makes no difference without `detect`" in capsys.readouterr().err
    for wrong in ("1.5", "nan", "much"):
        with pytest.raises(SystemExit):
            main([*line, "--detect", "--score", wrong])
        assert f"expected a number from 0 to 1, got '{wrong}'" in capsys.readouterr().err
