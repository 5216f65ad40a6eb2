"""What the witnesses are given: weights, images, and the sizes of those, all from a seed.

In: a program or its parameters. Out: float32 arrays, the same on every machine with the same NumPy.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl.agreement.report import Size
from spinedsl.ops.initial import seeded
from spinedsl.ops.primitives import Parameter
from spinedsl.ops.program import Program

Float32 = NDArray[np.float32]

SMALL = 32  # pixels: a smaller side leaves little to compare
ODD = (Size(1, 33, 33), Size(2, 50, 37), Size(1, 64, 45))
LAST_BIT = 2.0**-23  # of a float32, over its value


def lively_weights(parameters: Mapping[str, Parameter], seed: int = 0) -> dict[str, Float32]:
    """Seeded kernels; norms and biases that are not at rest, so that each of them shows in the outputs."""
    weights = {name: np.array(value) for name, value in seeded(parameters, seed).items()}
    for name, parameter in parameters.items():
        draw = _draws(seed, name)
        if name.endswith("running_var"):
            weights[name] = draw.uniform(0.5, 1.5, parameter.shape).astype(np.float32)
        elif len(parameter.shape) in (1, 3):
            weights[name] = (weights[name] + 0.1 * draw.standard_normal(parameter.shape)).astype(np.float32)
    return weights


def trembling(weights: Mapping[str, NDArray[np.floating[Any]]], seed: int) -> dict[str, NDArray[np.float64]]:
    """The same weights, off by about their last bit: what float32 cannot tell from them."""
    draw = np.random.default_rng(seed)
    return {name: value * (1 + LAST_BIT * draw.standard_normal(value.shape)) for name, value in weights.items()}


def usual_sizes(program: Program) -> tuple[Size, ...]:
    """A few small legal sizes, square and not, odd where the network takes them.

    Where a definition reads the height or width, that is the program's.
    """
    side = program.divisor * -(-SMALL // program.divisor)
    wanted = (Size(1, side, side), Size(2, side, 2 * side), Size(1, 2 * side, side))
    if program.any_size:
        wanted = ODD
    return tuple(dict.fromkeys(_fixed(program, size) for size in wanted))


def _fixed(program: Program, size: Size) -> Size:
    fixed, axes = program.input_type, program.static_axes
    height = fixed.height if "height" in axes else size.height
    return Size(size.batch, height, fixed.width if "width" in axes else size.width)


def image(program: Program, size: Size, seed: int = 0) -> Float32:
    """A batch of random images, (batch, channels, height, width)."""
    shape = (size.batch, program.input_type.channels, size.height, size.width)
    return _draws(seed, str(size)).standard_normal(shape).astype(np.float32)


def _draws(seed: int, name: str) -> np.random.Generator:
    """Random numbers that depend on a seed, of any sign, and a name."""
    return np.random.default_rng(zlib.crc32(f"{seed}/{name}".encode()))
