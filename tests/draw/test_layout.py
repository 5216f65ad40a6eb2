"""The figure is legible: counted on the rendered SVG, nothing runs through a block, and nothing lies upon another."""

from __future__ import annotations

from functools import cache
from itertools import combinations, pairwise

import pytest
from hypothesis import given

import spinedsl
from spinedsl.draw import Figure, lay_out, to_svg
from spinedsl.draw.figure import LABEL, Arrow
from spinedsl.draw.glyphs import BOLD, REGULAR, TIMES, shortened, text_width
from spinedsl.source import Source
from spinedsl.testing import STANDARD, networks
from tests.draw.drawn import (
    FIGURE_4,
    all_figures,
    arrows_through,
    blocks_on_blocks,
    example,
    labels_outside,
    long_names,
    overlapping_labels,
    read,
)
from tests.generate import NETWORKS
from tests.profiles import drawn

figures = cache(all_figures)
NAMES = [
    *NETWORKS.values(), "SpineNet49S", "SpineNet143", "SpineNet190", "Plain", "Wide",
    "ResNet152", "random", "by channels", "side by side", "marked", "renamed",
    *(name for _, name in FIGURE_4 if name not in NETWORKS.values()),
]  # fmt: skip


def on_each_other(figure: Figure) -> list[str]:
    """Pairs of arrows that share more than a point."""
    lines: dict[tuple[str, float], list[tuple[float, float, Arrow]]] = {}
    for panel in figure.panels:
        for arrow in panel.arrows:
            for (a, b), (c, d) in pairwise(arrow.points):
                assert a == c or b == d, "an arrow runs aslant"
                key, ends = (("across", b), sorted((a, c))) if b == d else (("down", a), sorted((b, d)))
                lines.setdefault(key, []).append((ends[0], ends[1], arrow))
    return [
        f"{one.feed.source} -> {one.feed.target} on {other.feed.source} -> {other.feed.target}"
        for stretches in lines.values()
        for (a, b, one), (c, d, other) in combinations(stretches, 2)
        if one is not other and min(b, d) - max(a, c) > 0.01
    ]


def faults(figure: Figure) -> list[str]:
    """Everything that hinders reading."""
    drawing = read(to_svg(figure, "light"))
    assert len(drawing.blocks) == sum(len(panel.boxes) for panel in figure.panels)
    assert len(drawing.arrows) == sum(len(panel.arrows) for panel in figure.panels) > 0
    return [
        *overlapping_labels(drawing),
        *labels_outside(drawing),
        *arrows_through(drawing),
        *blocks_on_blocks(drawing),
        *on_each_other(figure),
    ]


def test_all_figures_are_named() -> None:
    assert set(NAMES) == set(figures())


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_legible(name: str) -> None:
    assert faults(figures()[name]) == []


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name not in ("ResNet152", "random", "side by side", "renamed")]
)
def test_labels_of_examples_are_large_enough_at_1600_pixels(name: str) -> None:
    assert min(1600 / figures()[name].width, 2) * LABEL >= 10


@pytest.mark.parametrize("name", ["ResNet152", "random"])
def test_large_networks_are_dense(name: str) -> None:
    figure = figures()[name]
    assert figure.width / len(figure.panels[0].boxes) < 52
    assert figure.height < 700


def test_long_names_are_shortened() -> None:
    figure = lay_out(long_names())
    words = [box.words for box in figure.panels[0].boxes.values()]
    assert any(text.startswith("a_stage") and text.endswith("…") for text in words)
    assert faults(figure) == []


@drawn(40)
@given(networks(STANDARD.but(most=24)))
def test_random_networks_are_legible(text: str) -> None:
    assert faults(lay_out(spinedsl.program(Source.from_text(text)))) == []


def test_the_test_sees_what_it_looks_for() -> None:
    svg = to_svg(figures()["SpineNet49"], "light")
    drawing = read(svg)
    (left, top, *_) = drawing.labels[next(label for label in drawing.labels if label.startswith("b7 "))]
    moved = svg.replace('y="45"', f'y="{top + 5}"').replace('x="16"', f'x="{left}"', 2)
    assert overlapping_labels(read(moved))
    assert labels_outside(read(svg.replace('text x="16"', 'text x="-9"')))
    b7 = next(outline for block, outline in drawing.blocks.items() if block.startswith("b7:"))
    (x, y), *_ = b7
    line = next(iter(drawing.arrows.values()))
    crossing = svg.replace(f'd="M{line[0][0]:g} {line[0][1]:g}L', f'd="M{x - 9} {y + 9}L{x + 90} {y + 9}L', 1)
    assert arrows_through(read(crossing))


# ---- places ----


def test_spinenet_has_the_papers_arrows() -> None:
    (panel,) = figures()["SpineNet49"].panels
    drawn = {(arrow.feed.source, arrow.feed.target): arrow.feed.kind for arrow in panel.arrows}
    assert len(panel.arrows) == len(drawn) == 2 + 2 * 15 + 1
    assert drawn["b11", "b14"] == "absorbed"
    assert drawn["b0", "b1"] == "direct"
    assert drawn["b5", "b15"] == "resampled"
    assert [name for name, box in panel.boxes.items() if box.role == "stem"] == ["s", "b0", "b1"]
    assert {name for name, box in panel.boxes.items() if box.role == "output"} == {"b12", "b13", "b14", "b15", "b16"}
    assert {box.shape for box in panel.boxes.values()} == {"trapezoid", "rectangle", "diamond"}


@pytest.mark.parametrize("name", ["SpineNet49", "ResNet50FPN", "ConvNeXtTiny", "random"])
def test_order_is_to_the_right_and_level_is_up(name: str) -> None:
    (panel,) = figures()[name].panels
    boxes = list(panel.boxes.values())
    assert [box.row.name for box in boxes] == [row.name for row in panel.program.rows if row.kind != "output"]
    assert all(a.x < b.x for a, b in pairwise(boxes))
    for a, b in combinations([box for box in boxes if box.row.level is not None], 2):
        assert (a.row.level > b.row.level) == (a.y < b.y)  # type: ignore[operator]


def test_heads_stand_above_and_are_read_through_outputs() -> None:
    (panel,) = figures()["RetinaNet49"].panels
    heads = [box for box in panel.boxes.values() if box.row.kind == "head"]
    assert [box.row.name for box in heads] == ["scores", "boxes"]
    assert all(box.y < other.y for box in heads for other in panel.boxes.values() if other.row.kind != "head")
    read_by = [arrow.feed for arrow in panel.arrows if arrow.feed.target == "scores"]
    assert [(feed.source, feed.through) for feed in read_by] == [
        ("b13", "P3"), ("b12", "P4"), ("b14", "P5"), ("b16", "P6"), ("b15", "P7"),
    ]  # fmt: skip


def test_repeats_have_a_badge() -> None:
    (panel,) = figures()["SpineNet190"].panels
    assert panel.boxes["b2"].tag == f"{TIMES}4"
    assert panel.boxes["b14"].tag == f"P5 {TIMES}4"
    assert panel.boxes["s"].tag == ""


def test_networks_side_by_side_share_one_scale() -> None:
    figure = figures()["side by side"]
    assert [panel.title for panel in figure.panels] == ["ResNet50FPN", "R23SP30_256", "R0SP53", "SpineNet49"]
    of_level_3 = {box.y for panel in figure.panels for box in panel.boxes.values() if box.row.level == 3}
    assert len(of_level_3) == 1
    assert all(a.left + a.width < b.left for a, b in pairwise(figure.panels))


def test_widths_follow_channels() -> None:
    (panel,) = lay_out(example("spinenet.spine", "SpineNet49"), widths="channels").panels
    boxes = panel.boxes
    assert boxes["b5"].width == boxes["b10"].width > boxes["b4"].width > boxes["b2"].width > boxes["s"].width


# ---- widths of text ----


def test_text_is_no_wider_than_the_table_says() -> None:
    from PIL import ImageFont

    from spinedsl.draw.png import FILES, font_files

    files = font_files()
    if not files:
        pytest.skip(f"the font package with {FILES[0]} is not installed")
    for file, table, bold in zip(files, (REGULAR, BOLD), (False, True), strict=True):
        font = ImageFont.truetype(file, 1000)
        for code, width in enumerate(table, start=32):
            assert font.getlength(chr(code)) <= width + 1, chr(code)
        assert font.getlength("bottleneck P5 (128 x 64)") / 100 <= text_width("bottleneck P5 (128 x 64)", 10, bold=bold)


def test_shortening_keeps_the_beginning() -> None:
    assert shortened("b15", 11, 40) == "b15"
    assert shortened("a_long_name", 11, 40) == "a_lo…"
    assert shortened("a_long_name", 11, 0) == "…"
