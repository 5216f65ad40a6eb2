"""What was expanded before is remembered, up to a limit: more kinds than that change nothing but the time."""

from __future__ import annotations

from fractions import Fraction

from spinedsl import driver
from spinedsl.ir.expand.context import MAX_REMEMBERED
from spinedsl.lower import lower
from spinedsl.ops.graph import Graph, flatten
from spinedsl.source import Source

MORE = MAX_REMEMBERED + 20
DEFINITION = """spine 1
stem_type enter(image, channels) -> channels { return norm(conv(image, channels, kernel = 1)) }
block_type wide(x, channels) -> channels { return norm(conv(x, channels, kernel = 1)) }
"""


def graph_of(text: str, network: str) -> Graph:
    analysis = driver.analyse(Source.from_text(text)).value
    assert analysis is not None
    return flatten(lower(analysis.checked[network]))


def test_more_shapes_than_are_remembered() -> None:
    """Each block has a width of its own, and each width comes again after all others."""
    widths = [*range(1, MORE + 1)] * 2
    rows = "".join(
        f"block b{at}: wide level 0 channels {width} after {f'b{at - 1}' if at else 's'}\n"
        for at, width in enumerate(widths)
    )
    text = (
        f"{DEFINITION}network N {{\ninput image: 3 x 8 x 8\ndefaults {{ norm batch_norm }}\nstem s: enter channels 5\n"
        f"{rows}output P0: b{len(widths) - 1}\n}}\n"
    )
    parameters = graph_of(text, "N").parameters
    kernels = [p.shape for name, p in parameters.items() if name.endswith("conv.weight")]
    before = [5, *widths[:-1]]
    assert kernels == [(5, 3, 1, 1), *((out, in_, 1, 1) for in_, out in zip(before, widths, strict=True))]


def test_more_defaults_than_are_remembered() -> None:
    """Each network has a momentum of its own; the first is asked for again after all others."""
    network = (
        "network N(momentum = 1) {\ninput image: 3 x 8 x 8\ndefaults { norm batch_norm(momentum = momentum) }\n"
        "stem s: enter channels 4\nblock b: wide level 0 channels 4 after s\noutput P0: b\n}\n"
    )
    instances = "".join(f"network A{at} = N(momentum = {at} / {MORE})\n" for at in (*range(MORE), MORE))
    text = f"{DEFINITION}{network}{instances}network Again = N(momentum = 3 / {MORE})\n"
    analysis = driver.analyse(Source.from_text(text)).value
    assert analysis is not None
    for name, at in (("A0", 0), ("A3", 3), (f"A{MORE - 1}", MORE - 1), ("Again", 3)):
        nodes = flatten(lower(analysis.checked[name])).nodes
        found = {node.attributes["momentum"] for node in nodes if node.primitive == "batch_norm"}
        assert found == {Fraction(at, MORE)}, name
