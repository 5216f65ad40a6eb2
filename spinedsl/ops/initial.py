"""The values that a parameter starts with: a pure function of the seed, its canonical name and its `Initial`.

In: a seed and parameters by canonical name. Out: float32 arrays. The same bits come out on every machine, here and in
the generated PyTorch code, which repeats this definition: it uses integers of 32 bits and correctly rounded float64
`+ - * /` and `sqrt`, nothing whose last bit a library decides. For the number at flat index i (C order):

    key = crc32("SEED/NAME")
    u   = (mix(mix(i) ^ key) + 0.5) / 2^32                                     strictly between 0 and 1
    constant          value
    uniform           (2 u - 1) * sqrt(3 value / fan)
    truncated_normal  z * (sqrt(value / fan) / TRUNCATED_DEVIATION), where
                      z = Phi^-1(Phi(-2) + u (Phi(2) - Phi(-2))), a standard normal number between -2 and 2

The last is Keras' `VarianceScaling`. Phi^-1 is an odd rational function, fitted to 1.3e-8: with
q = (u - 0.5) * WITHIN_TWO and t = q * q, z = q * NUMERATOR(t) / DENOMINATOR(t), from left to right, both polynomials by
Horner's rule.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spinedsl.ops.primitives import Initial, Parameter

Float32: TypeAlias = NDArray[np.float32]

# Multipliers of `mix`, found by search for little bias (the "lowbias32" integer hash): x ^= x >> 16; x *= FIRST;
# x ^= x >> 15; x *= SECOND; x ^= x >> 16, all modulo 2^32.
FIRST = 0x7FEB352D
SECOND = 0x846CA68B

WITHIN_TWO = 0.9544997361036416  # Phi(2) - Phi(-2)
TRUNCATED_DEVIATION = 0.87962566103423978  # standard deviation of a standard normal number cut off at -2 and 2
NUMERATOR = (0.192955432, 1.0083880312, -2.5677180409, 1.7371194356, -0.46048350305, 0.042573098567)
DENOMINATOR = (1.0, -1.5724635229, 0.86491135693, -0.20149244742, 0.016984211183)  # both from the highest power down

_CHUNK = 16384  # numbers at a time: every buffer stays in the cache of one core


def key(name: str, seed: int) -> int:
    """What makes the numbers of one parameter differ from those of another."""
    return zlib.crc32(f"{seed}/{name}".encode())


def scale(initial: Initial) -> float:
    """What the numbers in [-1, 1] (`uniform`) or [-2, 2] (`truncated_normal`) are multiplied by."""
    variance = float(initial.value) / initial.fan
    return math.sqrt(3 * variance) if initial.how == "uniform" else math.sqrt(variance) / TRUNCATED_DEVIATION


def values(name: str, parameter: Parameter, seed: int) -> Float32:
    """The starting values of one parameter."""
    return seeded({name: parameter}, seed)[name]


class Drawn(Mapping[str, Float32]):
    """The starting values of every parameter, each made when it is asked for, and kept by nobody."""

    def __init__(self, parameters: Mapping[str, Parameter], seed: int) -> None:
        self.parameters, self.seed = parameters, seed

    def __getitem__(self, name: str) -> Float32:
        return values(name, self.parameters[name], self.seed)

    def __iter__(self) -> Iterator[str]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)


def seeded(parameters: Mapping[str, Parameter], seed: int) -> dict[str, Float32]:
    """The starting values of every parameter, by canonical name."""
    tensors = {name: np.empty(parameter.shape, np.float32) for name, parameter in parameters.items()}
    drawn: list[tuple[Float32, Initial, int]] = []
    for name, parameter in parameters.items():
        if parameter.initial.how == "constant":
            tensors[name].fill(float(parameter.initial.value))
        else:
            drawn.append((tensors[name].reshape(-1), parameter.initial, key(name, seed)))
    work = _Work()
    # The inner hash depends on the index alone: it is computed once for all tensors that are long enough.
    for start in range(0, max((flat.size for flat, _, _ in drawn), default=0), _CHUNK):
        work.begin(start)
        drawn = [entry for entry in drawn if entry[0].size > start]
        for flat, initial, name_key in drawn:
            work.fill(flat[start : start + _CHUNK], initial, name_key)
    return tensors


class _Work:
    """Buffers of one chunk, written again and again."""

    def __init__(self) -> None:
        self.indices = np.arange(_CHUNK, dtype=np.uint32)
        self.base, self.bits, self.shifted = (np.empty(_CHUNK, np.uint32) for _ in range(3))
        self.q, self.t, self.top, self.bottom = (np.empty(_CHUNK, np.float64) for _ in range(4))

    def begin(self, start: int) -> None:
        """Hash the indices from `start` on."""
        np.add(self.indices, np.uint32(start), out=self.base)
        _mix(self.base, self.shifted)

    def fill(self, out: Float32, initial: Initial, name_key: int) -> None:
        """Write the numbers at the indices that `begin` hashed."""
        count = out.size
        bits, q = self.bits[:count], self.q[:count]
        np.bitwise_xor(self.base[:count], np.uint32(name_key), out=bits)
        _mix(bits, self.shifted[:count])
        # u - 0.5 = (bits - 2^31 + 0.5) / 2^32 without rounding. Flipping the highest bit subtracts 2^31 from a number
        # that is read as signed, and signed ones become floats faster.
        np.bitwise_xor(bits, np.uint32(1 << 31), out=bits)
        np.add(bits.view(np.int32), 0.5, out=q)
        if initial.how == "uniform":
            np.multiply(q, 2.0**-31, out=q)  # 2 u - 1
        else:
            self.normal(count)
        # The product is rounded to float64, then to float32: two steps, as in the generated code.
        np.multiply(q, scale(initial), out=q)
        out[...] = q

    def normal(self, count: int) -> None:
        """Turn bits - 2^31 + 0.5 in `q` into z. A factor of 2^-32 changes no digit: it may go into the constant."""
        q, t, top, bottom = (buffer[:count] for buffer in (self.q, self.t, self.top, self.bottom))
        np.multiply(q, WITHIN_TWO * 2.0**-32, out=q)
        np.multiply(q, q, out=t)
        _horner(NUMERATOR, t, top)
        _horner(DENOMINATOR, t, bottom)
        np.multiply(q, top, out=q)
        np.divide(q, bottom, out=q)


def _mix(x: NDArray[np.uint32], shifted: NDArray[np.uint32]) -> None:
    """Scramble `x` in place."""
    for shift, factor in ((16, FIRST), (15, SECOND)):
        np.right_shift(x, np.uint32(shift), out=shifted)
        np.bitwise_xor(x, shifted, out=x)
        np.multiply(x, np.uint32(factor), out=x)
    np.right_shift(x, np.uint32(16), out=shifted)
    np.bitwise_xor(x, shifted, out=x)


def _horner(coefficients: tuple[float, ...], t: NDArray[Any], out: NDArray[Any]) -> None:
    """The polynomial at `t`. A leading 1 costs no multiplication: 1 * t is t, bit for bit."""
    first, second, *rest = coefficients
    np.add(t if first == 1 else np.multiply(t, first, out=out), second, out=out)
    for coefficient in rest:
        np.multiply(out, t, out=out)
        np.add(out, coefficient, out=out)
