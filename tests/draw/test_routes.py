"""Where arrows run between blocks: in the middle of a gap, and without crossing each other where they need not."""

from __future__ import annotations

from functools import cache
from itertools import chain, combinations, pairwise

import pytest

import spinedsl
from spinedsl.draw import lay_out
from spinedsl.draw.figure import Arrow
from spinedsl.draw.layout import LANE
from spinedsl.draw.routes import Link, route
from spinedsl.source import Source
from tests.draw.drawn import all_figures as drawn_figures


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_arrows_between_two_blocks_run_around_the_middle(count: int) -> None:
    """One runs from middle to middle, and several lie as far above it as below."""
    made = route([2, 2], [Link(0, 1, number) for number in range(count)], last=9)
    assert [one.way for one in made.routes] == ["row"] * count
    for ends in ([one.leave for one in made.routes], [one.enter for one in made.routes]):
        assert sorted(ends) == sorted(-end for end in ends)
        assert len(set(ends)) == count


all_figures = cache(drawn_figures)


def on_a_vertical(arrow: Arrow) -> bool:
    """It comes along a horizontal from the left, and ends up or down into its block."""
    if len(arrow.points) < 3:
        return False
    before, corner, end = arrow.points[-3:]
    return corner[0] == end[0] and before[1] == corner[1] and before[0] < corner[0]


def test_arrows_into_one_side_of_a_block_do_not_cross_each_other() -> None:
    """Of two, the one that comes along further away from the block turns further to the right."""
    pairs = 0
    for panel in (panel for figure in all_figures().values() for panel in figure.panels):
        sides: dict[tuple[str, bool], list[tuple[float, float]]] = {}
        for arrow in filter(on_a_vertical, panel.arrows):
            (x, y), (_, end) = arrow.points[-2:]
            sides.setdefault((arrow.feed.target, y < end), []).append((x, abs(y - end)))
        for one, other in chain.from_iterable(combinations(ends, 2) for ends in sides.values()):
            pairs += 1
            assert (one[0] < other[0]) == (one[1] < other[1])
    assert pairs > 20


def test_lanes_stay_inside_the_bands_that_they_belong_to() -> None:
    """No arrow runs along the border of two bands, or beyond it, however many lanes a band has above and below."""
    across = 0
    for figure in all_figures().values():
        borders = [*(band.top for band in figure.bands.values()), *(band.bottom for band in figure.bands.values())]
        for arrow in (arrow for panel in figure.panels for arrow in panel.arrows):
            for (_, y), (_, end) in pairwise(arrow.points):
                if y == end:
                    across += 1
                    assert min(abs(y - border) for border in borders) > LANE - 0.01
    assert across > 100


NET = """\
spine 1
import std.blocks
import std.stems
import std.resample
import std.outputs

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 8, level 3: 8, level 4: 12 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 8
    block a: residual level 2 after s
    block b: residual level 3 from s, a
    block c: residual level 3 from a, b
    block d: residual level 3 from a, b
    block e: residual level 4 from b, c
    block f: residual level 3 from b, e absorb c, d
    output P3: endpoint from f channels 8
}
"""


def test_an_orphan_is_absorbed_and_read_by_nothing() -> None:
    """`c` is absorbed as `d` is, and `e` reads it too."""
    (panel,) = lay_out(spinedsl.program(Source.from_text(NET, "net.spine"))).panels
    assert {name: box.role for name, box in panel.boxes.items()} == {
        "s": "stem", "a": "stem", "b": "block", "c": "block", "d": "orphan", "e": "block", "f": "output",
    }  # fmt: skip
    kinds = {(arrow.feed.source, arrow.feed.target): arrow.feed.kind for arrow in panel.arrows}
    assert (kinds["c", "f"], kinds["d", "f"], kinds["c", "e"]) == ("absorbed", "absorbed", "resampled")
