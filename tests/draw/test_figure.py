"""The figure: nothing runs through a block, nothing lies upon another, and no name from a file escapes its text."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings

import spinedsl
from spinedsl.draw import Figure, lay_out, to_svg
from spinedsl.draw.layout import BOX_HEIGHT, BOX_WIDTH, Arrow
from spinedsl.source import Source
from tests.generate import NETWORKS
from tests.networks import networks

EXAMPLES = Path(__file__).parents[2] / "examples"
FAMILY = [("spinenet.spine", name) for name in ("SpineNet49S", "SpineNet143", "SpineNet190")]
SVG = "{http://www.w3.org/2000/svg}"


def figure_of(file: str, network: str) -> Figure:
    """Figure of an example."""
    return lay_out(spinedsl.program(EXAMPLES / file, network=network))


def segments(arrow: Arrow) -> list[tuple[float, float, float, float]]:
    """Straight stretches of an arrow: left, top, right, bottom."""
    return [(min(a, c), min(b, d), max(a, c), max(b, d)) for (a, b), (c, d) in pairwise(arrow.points)]


def arrows_through_blocks(figure: Figure) -> list[str]:
    """Arrows that touch the inside of a block."""
    found = []
    for arrow in figure.arrows:
        for left, top, right, bottom in segments(arrow):
            for name, box in figure.boxes.items():
                inside_x = left < box.x + BOX_WIDTH / 2 and right > box.x - BOX_WIDTH / 2
                if inside_x and top < box.y + BOX_HEIGHT / 2 and bottom > box.y - BOX_HEIGHT / 2:
                    found.append(f"{arrow.source} -> {arrow.target} through {name}")
    return found


def arrows_on_each_other(figure: Figure) -> list[str]:
    """Pairs of arrows that share more than a point."""
    lines: dict[tuple[str, float], list[tuple[float, float, Arrow]]] = {}
    for arrow in figure.arrows:
        for left, top, right, bottom in segments(arrow):
            key, ends = (("across", top), (left, right)) if top == bottom else (("down", left), (top, bottom))
            lines.setdefault(key, []).append((*ends, arrow))
    found = []
    for stretches in lines.values():
        for (a, b, one), (c, d, other) in combinations(stretches, 2):
            if one is not other and min(b, d) - max(a, c) > 0.01:
                found.append(f"{one.source} -> {one.target} on {other.source} -> {other.target}")
    return found


@pytest.mark.parametrize(("file", "network"), [*NETWORKS.items(), *FAMILY])
def test_examples_are_legible(file: str, network: str) -> None:
    figure = figure_of(file, network)
    assert figure.arrows
    assert arrows_through_blocks(figure) == []
    assert arrows_on_each_other(figure) == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks(most=16))
def test_random_networks_are_legible(text: str) -> None:
    figure = lay_out(spinedsl.program(Source.from_text(text)))
    assert arrows_through_blocks(figure) == []
    assert arrows_on_each_other(figure) == []


def test_spinenet_has_the_papers_arrows() -> None:
    figure = figure_of("spinenet.spine", "SpineNet49")
    drawn = {(arrow.source, arrow.target): arrow.kind for arrow in figure.arrows}
    assert len(figure.arrows) == len(drawn) == 2 + 2 * 15 + 1
    assert drawn["b11", "b14"] == "absorbed"
    assert drawn["b0", "b1"] == "direct"
    assert drawn["b5", "b15"] == "resampled"
    assert [name for name, box in figure.boxes.items() if box.role == "stem"] == ["s", "b0", "b1"]
    assert {name for name, box in figure.boxes.items() if box.role == "output"} == {"b12", "b13", "b14", "b15", "b16"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_svg_is_well_formed_and_says_every_block(theme: str) -> None:
    figure = figure_of("spinenet.spine", "SpineNet49")
    svg = to_svg(figure, theme)
    assert svg == to_svg(figure, theme)
    root = ET.fromstring(svg)
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert [text for text in texts if text in figure.boxes] == list(figure.boxes)
    titles = [element.text or "" for element in root.iter(f"{SVG}title")]
    assert "b15: bottleneck\nlevel 7, 1024 x 5 x 5\n1,941,504 parameters, 370,278,400 multiply-adds\n" in "".join(
        titles
    )
    assert {element.tag for element in root.iter()} == {
        SVG + tag for tag in ("svg", "title", "defs", "marker", "path", "rect", "text", "g")
    }
