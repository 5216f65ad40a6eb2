"""Values made from a seed: the definition in plain numbers, the distribution, and that nothing but the name matters."""

from __future__ import annotations

import hashlib
import math
import zlib
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest
import torch

from spinedsl.ops import initial
from spinedsl.ops.initial import seeded, values
from spinedsl.ops.primitives import PRIMITIVES, Initial, Parameter
from spinedsl.ops.types import Type, Value, vector

NORMAL = Initial("truncated_normal", 1, 100)
UNIFORM = Initial("uniform", Fraction(1, 3), 7)
M32 = 0xFFFFFFFF


def mixed(x: int) -> int:
    """The hash of the definition, one number at a time."""
    x ^= x >> 16
    x = x * 0x7FEB352D & M32
    x ^= x >> 15
    x = x * 0x846CA68B & M32
    return x ^ x >> 16


def by_definition(name: str, index: int, how: Initial, seed: int) -> float:
    """One value, in Python's floats, which round as IEEE says."""
    u = (mixed(mixed(index) ^ zlib.crc32(f"{seed}/{name}".encode())) + 0.5) / 2**32
    if how.how == "uniform":
        return (2 * u - 1) * math.sqrt(3 * float(how.value) / how.fan)
    q = (u - 0.5) * initial.WITHIN_TWO
    t, top, bottom = q * q, 0.0, 0.0
    for coefficient in initial.NUMERATOR:
        top = top * t + coefficient
    for coefficient in initial.DENOMINATOR:
        bottom = bottom * t + coefficient
    return q * top / bottom * (math.sqrt(float(how.value) / how.fan) / initial.TRUNCATED_DEVIATION)


@pytest.mark.parametrize("how", [NORMAL, UNIFORM], ids=["normal", "uniform"])
@pytest.mark.parametrize("shape", [(3,), (2, 3, 5, 7), (40_000,)], ids=str)
def test_values_are_those_of_the_definition(how: Initial, shape: tuple[int, ...]) -> None:
    made = values("b5.squeeze.conv.weight", Parameter("weight", shape, how), seed=3)
    assert made.shape == shape
    assert made.dtype == np.float32
    flat = made.reshape(-1)
    for index in {0, 1, flat.size // 2, flat.size - 1, min(16_384, flat.size - 1)}:
        assert flat[index] == np.float32(by_definition("b5.squeeze.conv.weight", index, how, 3))


def test_inverse_of_the_normal_distribution() -> None:
    """Against the standard library, over all of the range."""
    q = np.linspace(-0.5, 0.5, 20_001) * initial.WITHIN_TWO
    z = q * np.polyval(initial.NUMERATOR, q * q) / np.polyval(initial.DENOMINATOR, q * q)
    exact = np.array([NormalDist().inv_cdf(0.5 + one) for one in q])
    assert np.abs(z - exact).max() < 2e-8
    assert pytest.approx(NormalDist().cdf(2) - NormalDist().cdf(-2), abs=1e-15) == initial.WITHIN_TWO


@pytest.mark.parametrize(("how", "bound"), [(NORMAL, 2 / 0.8796), (UNIFORM, math.sqrt(3))], ids=["normal", "uniform"])
def test_distribution(how: Initial, bound: float) -> None:
    deviation = math.sqrt(how.value / how.fan)
    made = values("w", Parameter("weight", (300_000,), how), seed=0).astype(np.float64) / deviation
    assert abs(made.mean()) < 0.01
    assert made.std() == pytest.approx(1, abs=0.01)
    assert np.abs(made).max() <= bound + 1e-3
    assert abs(np.corrcoef(made[:-1], made[1:])[0, 1]) < 0.01  # neighbours know nothing of each other


def test_constant() -> None:
    made = values("w", Parameter("bias", (4,), Initial("constant", Fraction(-1, 4))), seed=0)
    assert made.tolist() == [-0.25] * 4


@pytest.mark.parametrize(
    ("primitive", "attributes", "fans"),
    [
        ("conv", {"channels": 10, "kernel": 3}, (4 * 9, 10 * 9)),
        ("conv", {"channels": 10, "kernel": 3, "groups": 2}, (2 * 9, 5 * 9)),
        ("conv_transpose", {"channels": 10, "kernel": 4}, (4 * 16 // 4, 10 * 16)),
        ("linear", {"features": 10}, (4, 10)),
    ],
)
def test_the_variance_is_shared_out_over_what_goes_in_or_comes_out(
    primitive: str, attributes: dict[str, int], fans: tuple[int, int]
) -> None:
    """By hand, for four channels or numbers that go in."""
    row, x = PRIMITIVES[primitive], vector(4) if primitive == "linear" else Type(4, 8, 8, 1)
    usual: dict[str, Value] = {attribute.name: attribute.default for attribute in row.attributes}
    for how, fan in zip(("fan_in", "fan_out"), fans, strict=True):
        given: dict[str, Value] = {**usual, **attributes, "init_fan": how}
        assert row.parameters([x], given)[0].initial.fan == fan


def test_depends_on_name_and_seed_alone() -> None:
    small, large = Parameter("weight", (10,), NORMAL), Parameter("weight", (50_000,), NORMAL)
    together = seeded({"a": small, "big": large, "b": small, "c": Parameter("bias", (3,), Initial("constant", 1))}, 1)
    assert list(together) == ["a", "big", "b", "c"]
    assert np.array_equal(together["a"], values("a", small, 1))
    assert np.array_equal(together["big"], values("big", large, 1))
    assert not np.array_equal(together["a"], together["b"])
    assert not np.array_equal(together["a"], values("a", small, 2))


def test_nothing_to_make() -> None:
    assert seeded({}, 0) == {}


def test_the_same_bits_for_good() -> None:
    """Weights made by an older version must come out again: this digest never changes."""
    made = seeded({"a": Parameter("weight", (70_000,), NORMAL), "b": Parameter("weight", (9,), UNIFORM)}, 0)
    digest = hashlib.sha256(made["a"].tobytes() + made["b"].tobytes()).hexdigest()
    assert digest == "6d8067b76cc69b28020a090e31f5d1ac8fcc85cd7be7aab7ceaa4590a7e9129f"


def test_plain_torch_makes_the_same_bits() -> None:
    """As generated code does it: integers of 64 bits, of which the lower 32 are kept, and float64."""

    def mix(x: torch.Tensor) -> torch.Tensor:
        for shift, factor in ((16, initial.FIRST), (15, initial.SECOND)):
            x = ((x ^ x >> shift) * factor) & M32
        return x ^ x >> 16

    u = (mix(mix(torch.arange(50_000)) ^ zlib.crc32(b"0/w")).double() + 0.5) / 2**32
    q = (u - 0.5) * initial.WITHIN_TWO
    t = q * q
    top, bottom = torch.zeros_like(t), torch.zeros_like(t)
    for coefficient in initial.NUMERATOR:
        top = top * t + coefficient
    for coefficient in initial.DENOMINATOR:
        bottom = bottom * t + coefficient
    drawn = (q * top / bottom * initial.scale(NORMAL)).float().numpy()
    assert np.array_equal(drawn, values("w", Parameter("weight", (50_000,), NORMAL), 0))
