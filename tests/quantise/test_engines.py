"""What every engine of `spine quantize` promises, and that NNCF says nothing of its own."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

import numpy as np
import onnx
import onnxruntime
import pytest

from spinedsl import api, extras
from spinedsl.agreement import lively_weights
from spinedsl.ops.graph import flatten
from spinedsl.quantise.engines import ENGINES, PACKAGES, Made, prepared, version
from spinedsl.quantise.network import HEAVY, Float, row_of, runner
from spinedsl.timing.measure import error_of
from tests.patience import HANG

NET = """\
spine 1
import std.blocks
import std.outputs
import std.resample
import std.stems

block_type twice(x, channels) -> channels {
    var y = conv(x, channels, kernel = 1)
    repeat 2 { y = relu(shared conv(y, channels, kernel = 3)) }
    return conv(concat([y, max_pool(y, kernel = 3, stride = 1)]), channels, kernel = 1)
}

block_type gated(x, channels) -> channels {
    let y = swish(conv(x, channels, kernel = 3, groups = channels))
    return relu(group_norm(conv(y, channels, kernel = 1), groups = 4))
}

network Net {
    input image: 3 x 32 x 32
    defaults { act relu, norm batch_norm }
    widths { level 2..3: 16 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 16
    block a: residual  level 2  after s
    block b: bottleneck  level 3  from a
    block c: residual  level 2  from a, b
    block d: twice  level 2  from c
    output C2: endpoint  from d  channels 8
    block e: gated  level 2  from c
    block f: residual  level 3  from b, e
    output C3: endpoint  from f  channels 8
}
"""
ROWS = ["s", "a", "b", "c", "d", "e", "f"]
LACKING = {name: extras.missing(packages) for name, packages in PACKAGES.items()}
WITH = [
    pytest.param(name, marks=pytest.mark.skipif(bool(LACKING[name]), reason=f"not installed: {LACKING[name]}"))
    for name in ENGINES
]
needs_nncf = pytest.mark.skipif(bool(LACKING["nncf"]), reason="NNCF is not installed: pip install 'spinedsl[nncf]'")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Float:
    path = tmp_path_factory.mktemp("net") / "net.spine"
    path.write_text(NET)
    program = api.program(path)
    return Float(program, lively_weights(flatten(program).parameters), 18)


def images(count: int, seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(seed).standard_normal((count, 3, 32, 32)).astype(np.float32)


CALIBRATE, MEASURE = [images(1, seed) for seed in range(1, 7)], images(3)


@pytest.fixture(scope="module", params=WITH)
def made(request: pytest.FixtureRequest, network: Float) -> Made:
    return prepared(request.param, network, CALIBRATE)


def kernels(model: onnx.ModelProto) -> Mapping[str, tuple[str, onnx.TensorProto, onnx.TensorProto | None]]:
    """Of each convolution its row, the tensor of its kernel, and the scale of that where there is one."""
    tensors = {one.name: one for one in model.graph.initializer}
    makers = {output: node for node in model.graph.node for output in node.output}
    found: dict[str, tuple[str, onnx.TensorProto, onnx.TensorProto | None]] = {}
    for node in model.graph.node:
        if node.op_type == "Conv":
            maker = makers.get(node.input[1])
            given = [node.input[1]] if maker is None else maker.input
            found[node.name] = row_of(node), tensors[given[0]], tensors[given[1]] if maker is not None else None
    return found


def error(network: Float, model: onnx.ModelProto) -> float:
    found = error_of(network.run(MEASURE), runner(model)(MEASURE))
    assert found is not None
    return found


# ---- what is int8 ----


@pytest.mark.parametrize("rows", [ROWS, ["a"], ["d"], ["e"], ["s", "c"], []])
def test_just_these_rows_become_int8_with_a_scale_for_each_channel(rows: list[str], network: Float, made: Made) -> None:
    model = made(rows)
    onnx.checker.check_model(model, full_check=True)
    float_kernels = kernels(network.model)
    for name, (row, kernel, scale) in kernels(model).items():
        if row in rows:
            assert kernel.data_type == onnx.TensorProto.INT8, name
            assert scale is not None
            assert list(scale.dims) == [kernel.dims[0]]
        else:
            both = (onnx.numpy_helper.to_array(one) for one in (kernel, float_kernels[name][1]))
            assert (next(both) == next(both)).all(), name
    assert {name for name, (row, *_) in kernels(model).items() if row in ("C2", "C3")} == {"C2.conv", "C3.conv"}
    assert bool(rows) == any(node.op_type == "QuantizeLinear" for node in model.graph.node)


def test_all_int8_is_near_and_nothing_is_the_same(network: Float, made: Made) -> None:
    assert error(network, made([])) == 0
    assert 0 < error(network, made(ROWS)) < 0.2
    alone = [error(network, made([row])) for row in ROWS]
    assert 0 < min(alone) <= max(alone) < 0.2


@pytest.mark.parametrize(("rows", "ends"), [(ROWS, 1), (["d"], 1), (["e"], 0), (["a", "c"], 0)])
def test_onnx_runtime_computes_in_int8_what_is_int8(
    rows: list[str], ends: int, network: Float, made: Made, tmp_path: Path
) -> None:
    """Each convolution of the row, behind a pool and a concatenation, and before a norm that is not folded, too.

    `ends` are those whose result a float row takes: NNCF does not round that, so ONNX Runtime computes it in float.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(made(rows).SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = [node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node]
    heavy = sum(network.heavy(row) for row in rows)
    assert found.count("QLinearConv") in (heavy, heavy - ends)
    assert found.count("Conv") + found.count("QLinearConv") == len(kernels(network.model))


def test_the_batch_stays_open(network: Float, made: Made) -> None:
    model = made(ROWS)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    both = dict(zip(names, session.run(names, {"image": MEASURE}), strict=True))
    found = error_of(runner(model)(MEASURE), both)
    assert found is not None
    assert found < 1e-6
    assert model.ir_version == network.model.ir_version


def test_a_kernel_that_is_shared_is_kept_once(network: Float, made: Made) -> None:
    model = made(ROWS)
    names = {name: kernel.name for name, (row, kernel, _) in kernels(model).items() if row == "d"}
    assert names.pop("d.conv_3_2") == names["d.conv_3"]
    assert len({*names.values()}) == len(names) == 5
    given = {value for node in model.graph.node for value in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= given, "no tensor that nothing reads"


@pytest.mark.parametrize("engine", WITH)
def test_of_predictions_alone_nothing_becomes_int8(engine: str, tmp_path: Path) -> None:
    text = "spine 1\n\nstem_type plain(x, channels) -> channels {\n    return conv(x, channels, kernel = 3)\n}\n\n"
    text += "network One {\n    input image: 3 x 32 x 32\n    stem s: plain channels 8\n    output C: s\n}\n"
    (tmp_path / "one.spine").write_text(text)
    program = api.program(tmp_path / "one.spine")
    network = Float(program, lively_weights(flatten(program).parameters), 18)
    assert not network.rows
    assert error(network, prepared(engine, network, CALIBRATE)([])) == 0


@pytest.mark.parametrize("engine", WITH)
@pytest.mark.parametrize("opset", [13, 23])
def test_a_kernel_along_the_channels_becomes_int8(engine: str, opset: int, tmp_path: Path) -> None:
    """In ONNX it is a node that gives it the axes of a kernel, and where it is shared there are several."""
    text = NET.replace(
        "    return relu(group_norm(conv(y, channels, kernel = 1), groups = 4))",
        "    var z = channel_conv(global_average_pool(y), kernel = 3)\n"
        "    repeat 2 { z = relu(shared channel_conv(z, kernel = 5)) }\n"
        "    return conv(y * sigmoid(z), channels, kernel = 1)",
    )
    (tmp_path / "net.spine").write_text(text)
    program = api.program(tmp_path / "net.spine")
    network = Float(program, lively_weights(flatten(program).parameters), opset)
    model = prepared(engine, network, CALIBRATE)(ROWS)
    onnx.checker.check_model(model, full_check=True)
    found = {name: kernel for name, (row, kernel, _) in kernels(model).items() if row == "e"}
    assert {kernel.data_type for kernel in found.values()} == {onnx.TensorProto.INT8}
    assert sorted(tuple(kernel.dims)[1:] for kernel in found.values()).count((1, 5, 1)) == 2
    assert 0 < error(network, model) < 0.2


@pytest.mark.parametrize("engine", WITH)
@pytest.mark.parametrize("opset", [13, 23])
def test_every_opset(engine: str, opset: int, network: Float) -> None:
    other = Float(network.program, network.weights, opset)
    model = prepared(engine, other, CALIBRATE)(ROWS)
    assert [one.version for one in model.opset_import if not one.domain] == [opset]
    assert error(network, model) < 0.2


@pytest.mark.parametrize("engine", WITH)
def test_seven_bits_are_half_the_values(engine: str, network: Float) -> None:
    for reduce_range, least, most in ((False, 120, 128), (True, 60, 64)):
        model = prepared(engine, network, CALIBRATE, reduce_range=reduce_range)(["a"])
        arrays = [onnx.numpy_helper.to_array(kernel) for row, kernel, _ in kernels(model).values() if row == "a"]
        assert arrays
        assert all(least <= np.abs(array.astype(int)).max() <= most for array in arrays)


@pytest.mark.parametrize("engine", WITH)
def test_the_version_is_that_of_the_package(engine: str, made: Made) -> None:
    assert version(engine).startswith(f"{engine} ")


# ---- NNCF ----


@needs_nncf
def test_nncf_corrects_biases_of_rows_in_int8_alone(network: Float) -> None:
    def biases(model: onnx.ModelProto) -> dict[str, tuple[str, bytes]]:
        tensors = {one.name: onnx.numpy_helper.to_array(one).tobytes() for one in model.graph.initializer}
        heavy = (node for node in model.graph.node if node.op_type in HEAVY)
        return {node.name: (row_of(node), tensors[node.input[2]]) for node in heavy if len(node.input) == 3}

    made, before = prepared("nncf", network, CALIBRATE), biases(network.model)
    for rows in (ROWS, ["a"]):
        moved = {row for name, (row, bias) in biases(made(rows)).items() if bias != before[name][1]}
        assert "a" in moved
        assert moved <= {*rows}, "what is float has the bias that it had"


@needs_nncf
def test_nncf_tells_nobody_whoever_imported_it(network: Float, capfd: pytest.CaptureFixture[str]) -> None:
    before = logging.getLoggerClass()
    prepared("nncf", network, CALIBRATE[:2])
    from nncf.telemetry import decorator

    with mock.patch.object(decorator, "telemetry") as told:
        prepared("nncf", network, CALIBRATE[:2])
    assert not told.mock_calls
    assert capfd.readouterr() == ("", "")
    assert logging.getLoggerClass() is before
    assert logging.root.manager.disable == 0


SILENT = """
import json, logging, socket, sys, urllib.request
from pathlib import Path

reached = []
socket.socket.connect = lambda *given: reached.append(str(given[1]))
urllib.request.urlopen = lambda *given, **more: reached.append(str(given[0]))

import numpy
import spinedsl
spinedsl.quantize(sys.argv[1], calibrate=sys.argv[2], error=1, engine="nncf")
print(json.dumps([reached, "openvino_telemetry" in sys.modules, logging.getLoggerClass() is logging.Logger]))
"""


@needs_nncf
def test_nncf_prints_nothing_and_writes_nothing(tmp_path: Path) -> None:
    """In a process of its own, where nothing was imported before and no test tells NNCF that it is one."""
    from PIL import Image

    (tmp_path / "net.spine").write_text(NET)
    (tmp_path / "photos").mkdir()
    for seed in range(4):
        pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"photos/{seed}.png")
    home = tmp_path / "home"
    home.mkdir()
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", SILENT, str(tmp_path / "net.spine"), str(tmp_path / "photos")],
        capture_output=True, text=True, check=False, timeout=HANG, cwd=tmp_path,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout), done.stderr) == ([[], False, True], "")
    written = {path.relative_to(home).parts[-1] for path in home.rglob("*") if path.is_file()}
    assert not [name for name in written if "onnxruntime" not in name and name != "deviceid"], "ONNX Runtime's own"
    assert {path.name for path in tmp_path.iterdir()} == {"net.spine", "photos", "home"}
