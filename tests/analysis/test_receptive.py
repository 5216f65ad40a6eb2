"""Receptive fields in closed form against PyTorch's gradients, and against sets of columns where fields are wide."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given

import spinedsl
from spinedsl.analysis import reach, receptive_fields
from spinedsl.analysis.receptive import RULES
from spinedsl.ops.graph import flatten
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.program import Program
from spinedsl.source import Source
from spinedsl.testing import STANDARD, networks
from tests.analysis.fields import by_autograd, by_sets, unit
from tests.analysis.ways import JOINED, STRETCHED, WAYS, network
from tests.generate import NETWORKS
from tests.profiles import drawn
from tests.witnesses import EXAMPLES

SMALL = STANDARD.but(levels=(1, 2, 3), channels=(4, 8), most=4, sizes=("divisible",))
OWN = ("b", "after_")  # the rows of those networks that differ


def fields(program: Program) -> dict[str, int | None]:
    """In closed form."""
    return receptive_fields(flatten(program))


def long_enough(program: Program) -> int:
    """Pixels of an image in whose middle no field meets a border, a multiple of what the network takes."""
    widest = max((field for field in fields(program).values() if field is not None), default=0)
    step = max(unit(program), 32)
    return 2 * -(-(widest + 2 * step) // step) * step


def own(body: str, *, any_size: bool = False) -> Callable[[int, int], Program]:
    """The network with such a block, for a height and a width."""
    return lambda height, width: spinedsl.program(Source.from_text(network(body, height, width, any_size=any_size)))


@pytest.mark.parametrize("body", WAYS.values(), ids=WAYS.keys())
def test_each_way_of_reading_a_map(body: str) -> None:
    build = own(body)
    program = build(64, 64)
    assert by_autograd(build, long_enough(program), rows=OWN) == {row: fields(program)[row] for row in OWN}


def test_every_primitive_has_its_rule_and_is_read_in_some_way() -> None:
    assert RULES.keys() == PRIMITIVES.keys()
    programs = [own(body)(64, 64) for body in WAYS.values()] + [joined("any")(64, 64)]
    used = {node.primitive for program in programs for node in flatten(program).nodes}
    assert used == PRIMITIVES.keys(), "WAYS of tests/analysis/ways.py"


def joined(sizes: str) -> Callable[[int, int], Program]:
    """The network whose rows are resized to one another."""
    return lambda height, width: spinedsl.program(
        Source.from_text(JOINED.format(height=height, width=width, sizes=sizes))
    )


@pytest.mark.parametrize("sizes", ["any", "divisible"])
def test_rows_resized_to_one_another(sizes: str) -> None:
    program = joined(sizes)(64, 64)
    assert by_autograd(joined(sizes), long_enough(program)) == fields(program)
    assert by_sets(flatten(program), long_enough(program)) == fields(program)


@pytest.mark.parametrize("body", STRETCHED.values(), ids=STRETCHED.keys())
def test_a_stretched_map_reads_no_more_than_is_said(body: str) -> None:
    build = own(body)
    program = build(64, 64)
    for row, field in by_autograd(build, long_enough(program), rows=OWN).items():
        said = fields(program)[row]
        assert field is not None
        assert said is not None
        assert field <= said <= field + 3 * 8  # by what `pad` put around, at level 3


@pytest.mark.parametrize("name", ["bilinear over two levels", "transposed by four", "resized up and down"])
def test_sizes_that_are_rounded_change_no_field(name: str) -> None:
    build = own(WAYS[name], any_size=True)
    program = build(64, 64)
    assert program.any_size
    assert fields(program) == fields(own(WAYS[name])(64, 64)) == fields(build(57, 91))
    assert by_autograd(build, long_enough(program), rows=OWN) == {row: fields(program)[row] for row in OWN}


def test_a_stride_of_three_and_back() -> None:
    build = own("return resize(average_pool(x, kernel = 3, stride = 3), like = x) + x", any_size=True)
    program = build(96, 96)
    assert by_autograd(build, 768, thin=96, rows=OWN) == {row: fields(program)[row] for row in OWN}
    # A step of level 3 is 8 pixels: every position reads the three that it is one of.
    assert fields(program)["b"] == (fields(program)["between"] or 0) + 2 * 8


@drawn(6)
@given(networks(SMALL))
def test_random_networks_read_what_gradients_reach(text: str) -> None:
    def build(height: int, width: int) -> Program:
        return spinedsl.program(STANDARD.source(text), size=(height, width))

    program = build(32, 32)
    assert by_autograd(build, long_enough(program), thin=32) == fields(program), text


@pytest.mark.parametrize(("file", "name"), [*NETWORKS.items(), ("spinenet.spine", "SpineNet49S")])
def test_examples_read_the_columns_that_sets_reach(file: str, name: str) -> None:
    program = spinedsl.program(EXAMPLES / file, network=name)
    assert by_sets(flatten(program), long_enough(program)) == fields(program)


def test_upsampled_columns_read_8_or_16_pixels_and_the_wider_counts() -> None:
    body = "return conv(upsample(conv(x, channels, kernel = 1, stride = 4), levels = 2), channels, kernel = 3)"
    closed = fields(own(body)(64, 64))
    # A column at the border of two that were one reads both: 4 steps of 8 pixels more than the one.
    assert closed["b"] == (closed["between"] or 0) + 4 * 8


def test_by_hand() -> None:
    program = spinedsl.program(EXAMPLES / "spinenet.spine", network="SpineNet49S")
    closed = fields(program)
    assert (closed["s"], closed["b0"], closed["b3"], closed["b10"], closed["P7"]) == (11, 19, 115, 1491, 2003)


@pytest.mark.parametrize("longest", [1, 3, 8])
def test_a_period_that_is_too_long_makes_no_field_smaller(longest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = [own(body)(64, 64) for body in (*WAYS.values(), *STRETCHED.values())]
    exact = [fields(program) for program in programs]
    monkeypatch.setattr(reach, "LONGEST", longest)
    for program, expected in zip(programs, exact, strict=True):
        for row, field in fields(program).items():
            said = expected[row]
            assert (field is None) == (said is None)
            if field is not None and said is not None:
                assert said <= field <= said + 6 * 64
