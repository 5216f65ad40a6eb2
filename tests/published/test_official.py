"""Every model of both official codes, block by block, at sizes and with activations that no output was stored for.

The reading of the codes (`official.py`) has first to reproduce what they gave; then the compiled networks are compared
with it, on weights that the reading dumps under the names of the code, and that the product converts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
from torch import Tensor

from spinedsl.ops.graph import Graph
from spinedsl.weights import Weights, convert
from tests.published.engines import by_interpreter, by_onnx_runtime, by_torch
from tests.published.examples import graph_of
from tests.published.official import GARDEN, TPU, Official
from tests.published.official_heads import classifier, retinanet
from tests.published.reference import DATA, variables
from tests.published.test_published import CASES, SCALED, Case
from tests.published.values import Array, image

Witness = Callable[..., dict[str, Array]]


@lru_cache(maxsize=1)
def reading(model: str, dialect: str, activation: str, size: str, batch: int = 1) -> Official:
    height, width = map(int, size.split("x"))
    return Official(model, dialect, activation).run(image(height, width, batch))


def scaled(value: Array, theirs: Array) -> float:
    assert value.shape == theirs.shape
    return float(np.abs(value - theirs).max() / np.abs(theirs).max())


# ---- the reading ----


def model_of(case: Case) -> tuple[str, str, str]:
    """The model, the code and the activation, by the name of the file."""
    words = case.file.split("_")
    model = "Mobile49" if "mobile49" in words else {"spinenet49": "49", "spinenet49s": "49S"}[words[0]]
    return model, TPU if "tpu" in words else GARDEN, "swish" if "swish" in words else "relu"


STORED = [pytest.param(case, id=case.file) for case in CASES if case.model != "resnet50"]


@pytest.mark.parametrize("case", STORED)
def test_the_reading_gives_what_the_codes_gave(case: Case) -> None:
    found = reading(*model_of(case), case.size, case.batch)
    with np.load(DATA / f"{case.file}.npz") as stored:
        assert stored.files
        for key in stored.files:
            value = found.nodes[int(key[4:])] if key.startswith("node") else found.outputs[f"P{key[3:]}"]
            theirs = stored[key].transpose(0, 3, 1, 2)
            images, channels = theirs.shape[:2]
            assert scaled(value.numpy()[:images, :channels], theirs) <= SCALED, key


@pytest.mark.parametrize(("listed", "model"), [("spinenet49", "49"), ("spinenet_mobile49", "Mobile49")])
@pytest.mark.parametrize("dialect", [GARDEN, TPU])
def test_the_reading_names_every_variable(listed: str, model: str, dialect: str) -> None:
    found = reading(model, dialect, "relu", "128x128").variables
    assert {name: value.shape for name, value in found.items()} == {
        getattr(variable, dialect): variable.shape for variable in variables(listed)
    }


# ---- the networks ----


def compare(witness: Witness, graph: Graph, found: Official, heads: dict[str, Tensor]) -> None:
    """Every block and output, and the weights by way of `spine weights convert`."""
    converted = convert(graph, Weights("dump.npz", found.variables))
    assert converted.value is not None, converted.diagnostics
    assert converted.value.left_out == ()
    expected = {f"b{index}": value for index, value in enumerate(found.nodes)} | found.outputs | heads
    image_type = graph.program.input_type
    pixels = image(image_type.height, image_type.width, 1)
    values = witness(graph.program, converted.value.tensors, pixels, set(expected))
    assert values.keys() == expected.keys()
    for row, theirs in expected.items():
        assert scaled(values[row], theirs.numpy()) <= SCALED, row


def network_of(model: str, dialect: str, activation: str) -> str:
    """The network of `examples/`, with the epsilon that the reading has; `_C` is tensorflow/tpu with swish."""
    if dialect == TPU:
        code = "_C" if activation == "swish" and not model.startswith("Mobile") else "_TPU"
        return f"SpineNet{model}{code}(epsilon = 1e-3)"
    return f"SpineNet{model}" + ("" if model.startswith("Mobile") else f"(activation = {activation})")


def named(network: str, *others: str) -> str:
    """What `pytest -k` finds a comparison by."""
    return "-".join([network.partition("(")[0], *others])


NETWORKS = [
    ("49S", GARDEN, "relu", "128x128"),
    ("49S", TPU, "relu", "384x128"),
    ("49", GARDEN, "swish", "128x256"),
    ("49", TPU, "swish", "256x128"),
    ("96", GARDEN, "relu", "128x128"),
    ("96", GARDEN, "swish", "128x256"),
    ("96", TPU, "swish", "128x128"),
    ("143", GARDEN, "swish", "128x128"),
    ("143", TPU, "relu", "256x128"),
    ("143L", GARDEN, "relu", "128x128"),
    ("190", GARDEN, "relu", "128x128"),
    ("190", TPU, "swish", "128x128"),
    ("Mobile49XS", GARDEN, "swish", "256x256"),
    ("Mobile49S", GARDEN, "swish", "128x384"),
    ("Mobile49", GARDEN, "swish", "256x128"),
    ("Mobile49", TPU, "swish", "128x256"),
]
LARGE = ("143L", "190")  # only PyTorch runs them: their ONNX models take half a gigabyte each


RUNS = [
    pytest.param(*row, witness, id=named(network_of(*row[:3]), *row[2:], witness.__name__))
    for row in NETWORKS
    for witness in (by_torch, by_onnx_runtime)
    if witness is by_torch or row[0] not in LARGE
]


@pytest.mark.parametrize(("model", "dialect", "activation", "size", "witness"), RUNS)
def test_every_block_of_every_model(model: str, dialect: str, activation: str, size: str, witness: Witness) -> None:
    graph = graph_of(network_of(model, dialect, activation), size)
    compare(witness, graph, reading(model, dialect, activation, size), {})


# ---- sizes that do not divide ----

BY_WIDTH = "rules { sizes any }\nresample spinenet_by_width(alpha = alpha)"
RESIZED = "rules { sizes any }\nresample spinenet(alpha = alpha, resized = true)"
MOBILE_RESIZED = "rules { sizes any }\nresample spinenet_mobile(resized = true)"
SIZES = (
    [("49S", TPU, BY_WIDTH, f"{side}x{side}") for side in (96, 100, 127, 160, 224, 225, 320)]
    + [("49S", GARDEN, RESIZED, f"{side}x{side}") for side in (126, 127, 189, 192, 253)]
    + [("49S", GARDEN, RESIZED, "127x256"), ("49S", TPU, BY_WIDTH, "127x256")]
    + [("Mobile49XS", GARDEN, MOBILE_RESIZED, "192x192"), ("Mobile49", TPU, MOBILE_RESIZED, "127x127")]
)
ODD = [pytest.param(*row, id=named(network_of(*row[:2], "swish"), row[3])) for row in SIZES]


@pytest.mark.parametrize(("model", "dialect", "edits", "size"), ODD)
@pytest.mark.parametrize("witness", [by_torch, by_onnx_runtime])
def test_sizes_that_a_code_takes_though_they_do_not_divide(
    witness: Witness, model: str, dialect: str, edits: str, size: str
) -> None:
    graph = graph_of(network_of(model, dialect, "swish"), size, edits)
    compare(witness, graph, reading(model, dialect, "swish", size), {})


def test_the_interpreter_takes_them_too() -> None:
    graph = graph_of("SpineNet49S_TPU(epsilon = 1e-3)", "100x100", BY_WIDTH)
    compare(by_interpreter, graph, reading("49S", TPU, "relu", "100x100"), {})


@pytest.mark.parametrize("size", ["192x192", "256x128"])
def test_the_example_of_any_size(size: str) -> None:
    """`SpineNet49_AnySize`, as it stands in the file."""
    compare(by_torch, graph_of("SpineNet49_AnySize", size), reading("49", GARDEN, "relu", size), {})


@pytest.mark.parametrize(("model", "dialect", "size"), [
    ("49S", GARDEN, "224x224"), ("49S", GARDEN, "320x256"), ("49S", TPU, "320x256"), ("49S", TPU, "97x333"),
    ("Mobile49", GARDEN, "224x224"), ("Mobile49", TPU, "192x192"),
])  # fmt: skip
def test_sizes_that_no_code_takes(model: str, dialect: str, size: str) -> None:
    """There the any-size mode is our own: nothing exists that it could differ from."""
    with pytest.raises(ValueError, match=r"cannot be added|do not divide"):
        reading(model, dialect, "relu", size)


# ---- heads ----


@pytest.mark.parametrize("witness", [by_torch, by_onnx_runtime])
@pytest.mark.parametrize(("network", "model", "dialect", "activation"), [
    ("RetinaNet49S", "49S", GARDEN, "relu"),
    ("RetinaNet49S_TPU(epsilon = 1e-3, activation = swish)", "49S", TPU, "swish"),
    ("RetinaNetMobile49", "Mobile49", GARDEN, "swish"),
    ("RetinaNetMobile49_TPU(epsilon = 1e-3)", "Mobile49", TPU, "swish"),
])  # fmt: skip
def test_retinanet(witness: Witness, network: str, model: str, dialect: str, activation: str) -> None:
    found = reading(model, dialect, activation, "128x128")
    compare(witness, graph_of(network, "128x128"), found, retinanet(found))


@pytest.mark.parametrize("witness", [by_torch, by_onnx_runtime, by_interpreter])
@pytest.mark.parametrize("size", ["128x128", "160x160", "224x224"])
def test_classifier49_tpu(witness: Witness, size: str) -> None:
    found = reading("49", TPU, "relu", size)
    compare(witness, graph_of("Classifier49_TPU(epsilon = 1e-3)", size), found, {"logits": classifier(found, 1001)})
