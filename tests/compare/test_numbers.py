"""Which operations give the same whatever order their inputs have: asked of the interpreter, primitive by primitive."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pytest

from spinedsl.compare.numbers import Sizes, numbered
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Op
from tests.building import image_for, op, single

BINARY = ("add", "multiply", "concat", "resize")


@pytest.mark.parametrize("name", BINARY)
def test_two_inputs_exchanged_are_the_same_number_where_they_give_the_same_numbers(name: str) -> None:
    def both(*, exchanged: bool) -> tuple[Hashable, np.ndarray]:
        def body(x: object) -> Op:
            inputs = [op("sigmoid", x), op("relu", x)]  # type: ignore[arg-type]
            return op(name, *(inputs[::-1] if exchanged else inputs))

        program = single(body)
        graph = flatten(program)
        number = numbered(graph, table, Sizes.DIVIDED)[graph.outputs["P"]]
        return number, run(graph, {}, image_for(program))["P"]

    table: dict[Hashable, int] = {}
    (number, map_), (other_number, other_map) = both(exchanged=False), both(exchanged=True)
    assert (number == other_number) == bool(np.array_equal(map_, other_map))


@pytest.mark.parametrize(
    ("weight", "read"), [("plain", set()), ("standardised", {"epsilon"}), ("scaled", {"epsilon", "gamma"})]
)
def test_an_attribute_that_another_leaves_without_a_meaning_makes_no_other_number(weight: str, read: set[str]) -> None:
    """As `defaults` may give it to convolutions that have no use for it."""
    table: dict[Hashable, int] = {}

    def number(**given: Any) -> int:
        graph = flatten(single(lambda x: op("conv", x, channels=4, kernel=3, weight=weight, **given)))
        return numbered(graph, table, Sizes.DIVIDED)[graph.outputs["P"]]

    usual = number()
    assert {name for name in ("epsilon", "gamma", "gain_init") if number(**{name: 2}) != usual} == read


@pytest.mark.parametrize(
    ("paddings", "given", "alike"),
    [
        (("same", 1), {"kernel": 4, "stride": 2}, {Sizes.DIVIDED, Sizes.ONE}),
        (("same", "symmetric"), {"kernel": 3, "stride": 2}, set()),
        (("same", "symmetric"), {"kernel": 3, "stride": 1}, set(Sizes)),
        (("same", 0), {"kernel": 1, "stride": 2}, set(Sizes)),
        (("symmetric", 1), {"kernel": 3, "stride": 2}, set(Sizes)),
        (("same", 1), {"kernel": 3, "stride": 2}, set()),
    ],
)
def test_paddings_have_one_number_where_they_pad_alike(
    paddings: tuple[Any, Any], given: dict[str, Any], alike: set[Sizes]
) -> None:
    """For all sizes: what `same` pads depends on them where the stride does not divide them."""
    table: dict[Hashable, int] = {}

    def number(padding: Any, sizes: Sizes) -> int:
        graph = flatten(single(lambda x: op("conv", x, channels=4, padding=padding, **given)))
        return numbered(graph, table, sizes)[graph.outputs["P"]]

    one, other = paddings
    assert {sizes for sizes in Sizes if number(one, sizes) == number(other, sizes)} == alike
