"""Which channels each primitive says that it reads, against the gradients that PyTorch finds, for random attributes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from random import Random
from typing import Any

import pytest
import torch

from spinedsl.ops.channels import ALL, Channels, count
from spinedsl.ops.graph import Node
from spinedsl.ops.primitives import PRIMITIVES, Attribute, Kind, Primitive, Problem
from spinedsl.ops.types import Type, vector
from spinedsl.record import replace
from tests.building import HERE
from tests.ops.test_interpret import TORCH

CASES, TRIES = 60, 20_000
ROUNDING = 1e-9
BATCH = 24  # so many that an activation lets some number of each channel through
VALUES: dict[Kind, tuple[Any, ...]] = {
    Kind.CHANNELS: (1, 2, 3, 4, 6, 8, 12),
    Kind.COUNT: (1, 1, 2, 3, 4),
    Kind.GROUPS: (1, 1, 2, 3, 4, 12),
    Kind.WHOLE: (0, 1, 2),
    Kind.POSITION: (0, 0, 1, 2, 5),
    Kind.RATIO: (0, 1, -1, Fraction(1, 2)),
    Kind.SHARE: (0, Fraction(1, 5)),
    Kind.POSITIVE: (Fraction(1, 10),),
    Kind.FLAG: (True, False),
    Kind.PADDING: ("same", "symmetric", 0, 1),
    Kind.INITIAL: (1,),
}


def attribute_of(attribute: Attribute, draw: Random) -> Any:
    if attribute.many:
        size = draw.choice((1, 2, 3))
        return tuple(draw.choice(VALUES[attribute.kind]) for _ in range(size))
    return draw.choice(attribute.choices if attribute.kind is Kind.CHOICE else VALUES[attribute.kind])


def type_of(row: Primitive, draw: Random) -> Type:
    """A map of a level, one pooled to 1x1, or a vector; its channels perhaps along axes."""
    channels = draw.choice((1, 2, 3, 4, 6, 8, 12, 24))
    maps = [Type(channels, 4, 8, 2), Type(channels, 4, 8, 2), Type(channels, 1, 1, None)]
    found = draw.choice(maps if 4 in row.ranks and (2 not in row.ranks or draw.random() < 0.7) else [vector(channels)])
    if row.lays_out and draw.random() < 0.5:
        sizes = tuple(draw.choice((1, 2, 3)) for _ in range(draw.choice((2, 3))))
        product = 1
        for size in sizes:
            product *= size
        found = replace(found, channels=product, axes=sizes)
    return found


def cases(name: str) -> Iterator[tuple[list[Type], dict[str, Any], Type]]:
    """Types and attributes that a primitive takes."""
    row, draw, found = PRIMITIVES[name], Random(name), 0
    for _ in range(TRIES):
        most = row.most if row.most is not None else 4
        types = [type_of(row, draw) for _ in range(draw.randint(row.least, most))]
        if row.sized:
            types[-1] = Type(3, 16, 32, 0)
        attributes = {attribute.name: attribute_of(attribute, draw) for attribute in row.attributes}
        if "padding" in attributes and types[0].is_pooled:
            attributes |= {"padding": "symmetric", "dilation": 1}  # else the window may stand on padding alone
        try:
            result = row.shape(types, attributes)
        except ZeroDivisionError:
            continue
        if not isinstance(result, Problem):
            yield types, attributes, result
            found += 1
            if found == CASES:
                return
    assert found > CASES // 4, f"{found} cases of {name}"


def gradients(name: str, types: list[Type], attributes: dict[str, Any], result: Type, wanted: Channels) -> list[int]:
    """By autograd: the channels of each input that have a gradient from `wanted` channels of the result."""
    row = PRIMITIVES[name]
    random = torch.Generator().manual_seed(1)
    weights = {
        parameter.name: torch.randn(parameter.shape, generator=random).double().abs() + 0.1
        for parameter in row.parameters(types, attributes)
    }
    inputs = [torch.randn(BATCH, *type_.shape, generator=random).double().requires_grad_() for type_ in types]
    node = Node(name, tuple(range(len(types))), attributes, {}, len(types), "x", "b", HERE)
    value = inputs[0].reshape(BATCH, *result.shape) if name == "reshape" else TORCH[name](node, weights, *inputs)
    flat = value.reshape(value.shape[0], result.channels, -1)
    kept = torch.tensor([bool(wanted >> channel & 1) for channel in range(result.channels)])
    total = (flat * torch.rand(flat.shape, generator=random) * kept[:, None]).sum()
    if not total.requires_grad:
        return [0] * len(types)
    found = torch.autograd.grad(total, inputs, allow_unused=True)
    return [_reached(gradient, type_) for gradient, type_ in zip(found, types, strict=True)]


def _reached(gradient: torch.Tensor | None, type_: Type) -> int:
    if gradient is None:
        return 0
    reached = (gradient.reshape(BATCH, type_.channels, -1).abs() > ROUNDING).any(2).any(0)
    return sum(1 << channel for channel in range(type_.channels) if reached[channel])


def bits(wanted: Channels, channels: int) -> int:
    return (1 << channels) - 1 if wanted == ALL else wanted


@pytest.mark.parametrize("name", PRIMITIVES)
def test_reads_what_has_a_gradient_and_nothing_else(name: str) -> None:
    draw, row = Random(name), PRIMITIVES[name]
    for types, attributes, result in cases(name):
        start = draw.randrange(result.channels)
        stop = draw.randint(start + 1, result.channels)
        some = draw.getrandbits(result.channels) or 1
        for wanted in (ALL, (1 << stop) - (1 << start), some):
            claimed = row.depends_on(types, attributes, result, wanted)
            read = [bits(one, type_.channels) for one, type_ in zip(claimed, types, strict=True)]
            got = gradients(name, types, attributes, result, bits(wanted, result.channels))
            case = f"{bin(wanted)} of {result} from {', '.join(map(str, types))} with {attributes}"
            assert [one | other for one, other in zip(read, got, strict=True)] == read, f"too little is read: {case}"
            # Of one channel only the sign is left by `l2_normalise`; not every channel is the largest of some image.
            if name not in ("l2_normalise", "channel_max"):
                assert got == read, f"too much is read: {case}"


@pytest.mark.parametrize("name", PRIMITIVES)
def test_of_no_channel_nothing_is_read_and_of_all_it_says_whether_less_is(name: str) -> None:
    row = PRIMITIVES[name]
    for types, attributes, result in cases(name):
        assert row.depends_on(types, attributes, result, 0) == (0,) * len(types)
        if not row.narrows and not row.sized:
            read = row.depends_on(types, attributes, result, ALL)
            assert read == (ALL,) * len(types)


def test_a_primitive_without_the_column_reads_everything() -> None:
    types = [Type(4, 8, 8, 2), Type(6, 8, 8, 2)]
    row = Primitive("new", lambda types, attributes: types[0])
    assert row.depends_on(types, {}, types[0], 1) == (ALL, ALL)
    assert row.depends_on(types, {}, types[0], 0) == (0, 0)
    assert [count(ALL, 4), count(0b101, 4)] == [4, 2]
