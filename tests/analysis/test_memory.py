"""Peak memory in closed form against arrays of the interpreter, and what eager PyTorch needs, against live tensors."""

from __future__ import annotations

import pytest
from hypothesis import given

import spinedsl
from spinedsl.analysis import peak_activation_bytes, row_activation_bytes
from spinedsl.ops.graph import flatten
from spinedsl.source import Source
from spinedsl.testing import STANDARD, networks
from tests.analysis.live import eager_peak, freed_early_peak
from tests.analysis.ways import JOINED, STRETCHED, WAYS, network
from tests.generate import NETWORKS
from tests.profiles import drawn
from tests.witnesses import EXAMPLES


@pytest.mark.parametrize(("file", "name"), NETWORKS.items())
def test_examples_need_what_arrays_take_that_are_dropped_early(file: str, name: str) -> None:
    own = {"spinenet_tpu.spine": 224, "learning/drawing_styles/networks.spine": 64}  # made for one size
    side = own.get(file, 128)
    graph = flatten(spinedsl.program(EXAMPLES / file, network=name, size=(side, side)))
    assert peak_activation_bytes(graph) == freed_early_peak(graph)


@pytest.mark.parametrize("body", [*WAYS.values(), *STRETCHED.values()], ids=[*WAYS, *STRETCHED])
def test_every_operation_needs_what_its_array_takes(body: str) -> None:
    graph = flatten(spinedsl.program(Source.from_text(network(body, 64, 64))))
    assert peak_activation_bytes(graph) == freed_early_peak(graph)


@pytest.mark.parametrize("size", [(64, 64), (50, 77)])
def test_rows_resized_to_one_another(size: tuple[int, int]) -> None:
    text = JOINED.format(height=size[0], width=size[1], sizes="any")
    graph = flatten(spinedsl.program(Source.from_text(text)))
    assert peak_activation_bytes(graph) == freed_early_peak(graph)


@drawn(40)
@given(networks())
def test_random_networks_need_what_arrays_take(text: str) -> None:
    graph = flatten(spinedsl.program(STANDARD.source(text)))
    assert peak_activation_bytes(graph) == freed_early_peak(graph)


@pytest.mark.parametrize(("file", "name"), NETWORKS.items())
def test_eager_pytorch_needs_more(file: str, name: str) -> None:
    """As the help of `stats` puts it: about twice as much at most, by how many rows there are."""
    program = spinedsl.program(EXAMPLES / file, network=name)
    least = peak_activation_bytes(flatten(program))
    assert least < eager_peak(program) <= 2.1 * least


CHAIN = """spine 1
stem_type enter(x, channels) -> channels {{ return conv(x, channels, kernel = 1) }}
block_type own(x, channels, stride) -> channels {{
    {body}
}}
network N {{
    input image: 1 x 8 x 8
    defaults {{ act relu }}
    stem s: enter channels 2
    block b: own level 0 after s channels 2
    output C: b
}}
"""
MAP = 2 * 8 * 8 * 4  # bytes of each map; the image has half as many


@pytest.mark.parametrize(
    ("body", "maps"),
    [
        ("return act(x)", 2),  # the image is no longer needed
        ("return act(x) + x", 3),
        ("let y = act(x)\n    return act(y) + y", 3),
        ("return act(reshape(x, 2))", 2),  # the same numbers
        ("return act(transpose(x, first = 0, second = 0))", 2),
        ("return act(reshape(transpose(reshape(x, 1, 2)), 2))", 2),  # an axis of one moves nothing
        ("let y = concat(x, x)\n    return conv(reshape(transpose(reshape(y, 2, 2)), 4), channels, kernel = 1)", 4),
        ("return concat(act(slice(x, 1)), slice(x, 1, start = 1))", 2),  # x and two halves, then both and the whole
        ("return act(slice(x, 2))", 2),  # all of it
        ("return x * sigmoid(parameter(channels))", 2 + 2 * 4 / MAP),  # weights are none, what is made of them is
        ("return x * parameter(channels, like = x)", 2),
        ("return resize(conv(x, channels, kernel = 1), like = act(x))", 3),
    ],
)
def test_by_hand(body: str, maps: float) -> None:
    graph = flatten(spinedsl.program(Source.from_text(CHAIN.format(body=body))))
    assert peak_activation_bytes(graph) == maps * MAP


def test_outputs_are_held_to_the_end() -> None:
    wide = (
        "block_type wide(x, channels, stride) -> channels { return act(conv(x, channels, kernel = 1, stride = 2)) }\n"
    )
    text = CHAIN.format(body="return act(x)").replace("network N", wide + "network N")
    rows = "    output C: b\n    block w: wide level 1 after b channels 16\n    output D: w\n"
    graph = flatten(spinedsl.program(Source.from_text(text.replace("    output C: b\n", rows))))
    # `w` holds two maps of twice as many numbers as `b`, which is no longer read but is an output.
    assert peak_activation_bytes(graph) == freed_early_peak(graph) == (2 + 2 + 1) * MAP


def test_of_a_row_its_own_map_counts() -> None:
    program = spinedsl.program(EXAMPLES / "spinenet.spine", network="SpineNet49S")
    assert row_activation_bytes(flatten(program))["b0"] == 164 * 160 * 160 * 4
