"""The reference interpreter against PyTorch's own functions, for every primitive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from spinedsl.ops.graph import Graph, Node, flatten
from spinedsl.ops.interpret import RULES, run
from spinedsl.ops.primitives import PRIMITIVES, pads
from spinedsl.ops.types import Type
from tests.building import CASES, Network, case, image_for, op, weights_for

Tensor = torch.Tensor
Weights = dict[str, Tensor]


def padded(x: Tensor, node: Node, value: float = 0) -> Tensor:
    a: dict[str, Any] = node.attributes
    kernel, padding = (value if isinstance(value, tuple) else (value, value) for value in (a["kernel"], a["padding"]))
    rows, columns = (pads(kernel[axis], a["stride"], a.get("dilation", 1), padding[axis]) for axis in (0, 1))
    return functional.pad(x, (*columns, *rows), value=value)


def level_size(node: Node, image: Tensor) -> list[int]:
    return [-(-size // 2 ** cast(int, node.attributes["level"])) for size in image.shape[2:]]


def conv(node: Node, w: Weights, x: Tensor) -> Tensor:
    a: dict[str, Any] = node.attributes
    x = padded(x, node)
    return functional.conv2d(x, kernel(node, w), w.get("bias"), a["stride"], 0, a["dilation"], a["groups"])


def kernel(node: Node, w: Weights) -> Tensor:
    """Of a standardised one each output is a channel of a batch norm in training, as timm's `StdConv2d` has it."""
    weight, how = w["weight"], node.attributes["weight"]
    if how == "plain":
        return weight
    gain = w["gain"] * real(node, "gamma") * weight[0].numel() ** -0.5 if how == "scaled" else None
    flat = weight.reshape(1, len(weight), -1)
    normed = functional.batch_norm(flat, None, None, gain, training=True, eps=real(node, "epsilon"))
    return normed.reshape(weight.shape)


def average_pool(node: Node, w: Weights, x: Tensor) -> Tensor:
    a: dict[str, Any] = node.attributes
    ones = torch.ones_like(x)
    total, count = (functional.avg_pool2d(padded(y, node), a["kernel"], a["stride"]) for y in (x, ones))
    return total / count


def layer_norm(node: Node, w: Weights, x: Tensor) -> Tensor:
    last = x.movedim(1, -1)
    return functional.layer_norm(last, last.shape[-1:], w["weight"], w["bias"], real(node, "epsilon")).movedim(-1, 1)


def real(node: Node, name: str) -> float:
    value: Any = node.attributes[name]
    return float(value)


def whole(node: Node, name: str) -> int:
    value: Any = node.attributes[name]
    return int(value)


def sides(node: Node) -> list[int]:
    return [whole(node, side) for side in ("left", "right", "top", "bottom")]


def reshape(graph: Graph, node: Node, x: Tensor) -> Tensor:
    """Of the sizes that the program was written for."""
    return x.reshape(-1, *graph.types[node.result].shape)


def left(node: Node) -> tuple[int | None, int | None]:
    """Positions along each side after a pool over all of them, or over one side; None are as many as before."""
    over = node.attributes["over"]
    return None if over == "width" else 1, None if over == "height" else 1


def kept(node: Node, x: Tensor) -> int:
    return {"both": 1, "width": x.shape[2], "height": x.shape[3]}[str(node.attributes["over"])]


def mode(node: Node) -> str:
    return str(node.attributes["mode"])


TORCH: dict[str, Callable[..., Tensor]] = {
    "conv": conv,
    "batch_norm": lambda n, w, x: functional.batch_norm(
        x, w["running_mean"], w["running_var"], w["weight"], w["bias"], eps=real(n, "epsilon")
    ),
    "layer_norm": layer_norm,
    "group_norm": lambda n, w, x: functional.group_norm(
        x, whole(n, "groups"), w["weight"], w["bias"], real(n, "epsilon")
    ),
    "relu": lambda n, w, x: functional.relu(x),
    "relu6": lambda n, w, x: functional.relu6(x),
    "swish": lambda n, w, x: functional.silu(x),
    "hard_swish": lambda n, w, x: functional.hardswish(x),
    "sigmoid": lambda n, w, x: torch.sigmoid(x),
    "hard_sigmoid": lambda n, w, x: functional.relu6(x + 3) * real(n, "slope"),
    "gelu": lambda n, w, x: functional.gelu(x),
    "identity": lambda n, w, x: x,
    "add": lambda n, w, x, y: x + y,
    "multiply": lambda n, w, x, y: x * y,
    "add_scalar": lambda n, w, x: x + real(n, "value"),
    "multiply_scalar": lambda n, w, x: x * real(n, "value"),
    "concat": lambda n, w, *xs: torch.cat([x.expand(max(map(len, xs)), *x.shape[1:]) for x in xs], 1),
    "pad": lambda n, w, x: (
        functional.pad(x, sides(n), value=real(n, "value"))
        if mode(n) == "constant"
        else functional.pad(x, sides(n), mode={"reflect": "reflect", "edge": "replicate"}[mode(n)])
    ),
    "crop": lambda n, w, x: functional.pad(x, [-side for side in sides(n)]),
    "transpose": lambda n, w, x: x.transpose(whole(n, "first") + 1, whole(n, "second") + 1),
    "constant": lambda n, w: torch.tensor([float(v) for v in n.attributes["values"]]).double().reshape(1, -1, 1, 1),
    "max_pool": lambda n, w, x: functional.max_pool2d(
        padded(x, n, -torch.inf), n.attributes["kernel"], whole(n, "stride")
    ),
    "average_pool": average_pool,
    "global_average_pool": lambda n, w, x: functional.adaptive_avg_pool2d(x, left(n)),
    "conv_transpose": lambda n, w, x: functional.conv_transpose2d(
        x, w["weight"], w.get("bias"), whole(n, "stride"), (whole(n, "kernel") - whole(n, "stride")) // 2
    ),
    "linear": lambda n, w, x: functional.linear(x, w["weight"], w.get("bias")),
    "flatten": lambda n, w, x: x.flatten(1),
    "softmax": lambda n, w, x: functional.softmax(x, 1),
    "l2_normalise": lambda n, w, x: functional.normalize(x, eps=real(n, "epsilon")),
    "slice": lambda n, w, x: x[:, whole(n, "start") :][:, : whole(n, "channels")],
    "upsample": lambda n, w, x: functional.interpolate(x, scale_factor=2 ** whole(n, "levels"), mode=mode(n)),
    "resize": lambda n, w, x, y: functional.interpolate(x, y.shape[2:], mode=mode(n)),
    "resize_to_level": lambda n, w, x, y: functional.interpolate(x, level_size(n, y), mode=mode(n)),
    "crop_to_level": lambda n, w, x, y: x[:, :, : level_size(n, y)[0], : level_size(n, y)[1]],
    "divide": lambda n, w, x, y: x / y,
    "maximum": lambda n, w, x, y: torch.where(x >= y, x, y),
    "minimum": lambda n, w, x, y: torch.where(x <= y, x, y),
    "maximum_scalar": lambda n, w, x: torch.where(x >= real(n, "value"), x, real(n, "value")),
    "minimum_scalar": lambda n, w, x: torch.where(x <= real(n, "value"), x, real(n, "value")),
    "power": lambda n, w, x: torch.pow(x, real(n, "exponent")),
    "exp": lambda n, w, x: torch.exp(x),
    "channel_mean": lambda n, w, x: x.mean(1, keepdim=True),
    "channel_max": lambda n, w, x: x.max(1, keepdim=True).values,
    "channel_sum": lambda n, w, x: x.sum(1, keepdim=True),
    "global_max_pool": lambda n, w, x: x.amax([axis + 2 for axis, size in enumerate(left(n)) if size], keepdim=True),
    "global_sum_pool": lambda n, w, x: functional.adaptive_avg_pool2d(x, left(n)) * (x[0, 0].numel() / kept(n, x)),
    "adaptive_average_pool": lambda n, w, x: functional.adaptive_avg_pool2d(x, whole(n, "size")),
    "channel_conv": lambda n, w, x: (
        functional.conv1d(
            x.flatten(1, -1)[:, None] if x.dim() == 2 else x.permute(0, 2, 3, 1).flatten(0, 2)[:, None],
            w["weight"],
            padding=whole(n, "kernel") // 2,
        )[:, 0]
        .reshape(len(x), *x.shape[2:], -1)
        .movedim(-1, 1)
    ),
    "pixel_shuffle": lambda n, w, x: functional.pixel_shuffle(x, whole(n, "factor")),
    "pixel_unshuffle": lambda n, w, x: functional.pixel_unshuffle(x, whole(n, "factor")),
    "dropout": lambda n, w, x: x,
    "parameter": lambda n, w, *like: w["weight"][None],
    "stochastic_depth": lambda n, w, x: x,
}


def run_torch(graph: Graph, weights: dict[str, NDArray[np.float32]], image: NDArray[np.float32]) -> NDArray[Any]:
    """The first output, in float64."""
    values = {0: torch.from_numpy(image).double()}
    for node in graph.nodes:
        own = {last: torch.from_numpy(weights[name]).double() for last, name in node.parameters.items()}
        inputs = [values[value] for value in node.inputs]
        if node.primitive == "reshape":
            values[node.result] = reshape(graph, node, inputs[0])
        else:
            values[node.result] = TORCH[node.primitive](node, own, *inputs)
    result: NDArray[Any] = values[next(iter(graph.outputs.values()))].numpy()
    return result


def error(got: NDArray[Any], expected: NDArray[Any]) -> float:
    assert got.shape == expected.shape
    return float(np.abs(got - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("name", CASES)
def test_as_pytorch_does(name: str) -> None:
    program, graph = case(name)
    weights, image = weights_for(graph), image_for(program, batch=2)
    expected = run_torch(graph, weights, image)
    wide = run(graph, weights, image, dtype=np.float64)["P"]
    narrow = run(graph, weights, image)["P"]
    assert (wide.dtype.name, narrow.dtype.name) == ("float64", "float32")
    assert wide.shape == (2, *graph.types[graph.outputs["P"]].shape)
    assert error(wide, expected) < 1e-13
    assert error(narrow, expected) < 2e-6


@pytest.mark.parametrize("name", ["conv3 stride 2", "group_norm", "max_pool", "average_pool", "upsample", "add pooled"])
def test_sizes_come_from_the_image(name: str) -> None:
    program, graph = case(name)
    weights, image = weights_for(graph), image_for(program, times=3)
    assert error(run(graph, weights, image)["P"], run_torch(graph, weights, image)) < 2e-6


def test_every_primitive_has_a_rule_and_a_case() -> None:
    assert set(RULES) == set(PRIMITIVES), "RULES of ops/interpret.py"
    assert {primitive for primitive, _ in CASES.values()} == set(PRIMITIVES), "CASES of tests/building.py"
    assert {*TORCH, "reshape"} == set(PRIMITIVES), "TORCH above"
    for name, (primitive, _) in CASES.items():
        assert primitive in {node.primitive for node in case(name)[1].nodes}, name


def test_every_row_has_its_map() -> None:
    network = Network(Type(2, 8, 8, 0)).block("a", lambda x: op("relu", x)).block("b", lambda x: op("relu6", x), "a")
    graph = flatten(network.output("P", "a").output("Q", "b").program())
    image = np.full((1, 2, 8, 8), 7, np.float32)
    rows = run(graph, {}, image)
    assert {name: float(value.max()) for name, value in rows.items()} == {"a": 7, "b": 6, "P": 7, "Q": 6}


def test_far_values_stay_finite() -> None:
    for primitive in ("sigmoid", "swish", "gelu", "hard_swish", "hard_sigmoid"):
        definition = CASES[primitive][1]
        graph = flatten(Network(Type(1, 2, 2, 0)).block("b", definition).program())
        image = np.array([-1e4, -100, 100, 1e4], np.float32).reshape(1, 1, 2, 2)
        value = run(graph, {}, image)["b"]
        assert np.isfinite(value).all()
        assert value.min() >= -1e-3
