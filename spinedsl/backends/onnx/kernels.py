"""Kernels that a convolution standardises, in ONNX: computed in the graph, of the network's own tensors.

In: a `Step` of a convolution. Out: the name of its kernel. Runtimes compute it once, when they load the model, since it
depends on no input; so a model of `-O0` can be filled with other tensors. At `-O1` there are plain kernels alone.
"""

from __future__ import annotations

from fractions import Fraction
from typing import cast

from onnx import TensorProto

from spinedsl.backends.onnx.sketch import Step, Tensor
from spinedsl.ops.rules import SCALED, gain_factor, is_plain, kernel_of

AXES = (1, 2, 3)  # over all that an output reads
SINGLE = TensorProto.FLOAT


def kernel(step: Step) -> str:
    """What the map is convolved with. Convolutions that share their tensors share it."""
    weight, constants = step.parameters["weight"], step.sketch.constants
    if is_plain(step.attributes):
        return weight
    key = ("standardised", weight, *(step.attributes[name] for name in ("weight", "epsilon", "gamma")))
    if key not in constants:
        constants[key] = _standardised(step, weight)
    return constants[key]


def _standardised(step: Step, weight: str) -> str:
    """The nodes, in float32 in any model: squares of small numbers are none of float16."""
    channels, given = cast(int, step.shape[1]), cast(int, step.given[0][1])
    shape = (channels, given // step.count("groups"), *kernel_of(step.attributes))
    whole, each = Tensor(shape, SINGLE), Tensor((channels, 1, 1, 1), SINGLE)
    weight = _single(step, "weight", weight, whole)
    centred = step.part(
        "kernel.centred", "Sub", weight, step.reduced("kernel.mean", "ReduceMean", weight, AXES, each), tensor=whole
    )
    square = step.part("kernel.square", "Mul", centred, centred, tensor=whole)
    variance = step.reduced("kernel.variance", "ReduceMean", square, AXES, each)
    epsilon = step.single(float(cast(Fraction, step.attributes["epsilon"])))
    safe = step.part("kernel.safe", "Add", variance, epsilon, tensor=each)
    found = step.part(
        "kernel.standardised", "Div", centred, step.part("kernel.deviation", "Sqrt", safe, tensor=each), tensor=whole
    )
    if step.attributes["weight"] == SCALED:
        gain = _single(step, "gain", step.parameters["gain"], Tensor((channels,), SINGLE))
        column = step.part("kernel.gain", "Unsqueeze", gain, step.numbers(*AXES), tensor=each)
        factor = step.single(gain_factor(step.attributes, shape))
        scale = step.part("kernel.scale", "Mul", column, factor, tensor=each)
        found = step.part("kernel.scaled", "Mul", found, scale, tensor=whole)
    if step.sketch.target.half:
        found = step.part("kernel", "Cast", found, tensor=Tensor(shape), to=TensorProto.FLOAT16)
    return found


def _single(step: Step, name: str, parameter: str, tensor: Tensor) -> str:
    """A tensor of the network in float32."""
    if not step.sketch.target.half:
        return parameter
    return step.part(f"kernel.{name}.single", "Cast", parameter, tensor=tensor, to=SINGLE)
