"""What a rendered figure holds, read back from its SVG alone: boxes of text, outlines of blocks, lines of arrows."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import spinedsl
from spinedsl.cli.draw import marked
from spinedsl.compare import Difference, compare, side
from spinedsl.draw import Figure, lay_out
from spinedsl.draw.glyphs import text_width
from spinedsl.ops.program import Program
from spinedsl.source import Source
from spinedsl.testing import STANDARD
from spinedsl.testing.networks import HIGHEST, to_text
from tests.generate import NETWORKS

EXAMPLES = Path(__file__).parents[2] / "examples"
SVG = "{http://www.w3.org/2000/svg}"
Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom
CAP = 0.72  # height of capitals and digits, of the font size
FAMILY = [("spinenet.spine", name) for name in ("SpineNet49S", "SpineNet143", "SpineNet190")]
FIGURE_4 = [("fpn.spine", "ResNet50FPN"), ("permuted.spine", "R23SP30_256"), ("permuted.spine", "R0SP53")]
FIGURE_4 += [("spinenet.spine", "SpineNet49")]
FAMILY += FIGURE_4
FAMILY += [("tutorial/6_edits.spine", name) for name in ("Plain", "Wide")]


def example(file: str, network: str, size: tuple[int, int] | None = None) -> Program:
    """The program of an example."""
    return spinedsl.program(EXAMPLES / file, network=network, size=size)


def resnet_152() -> Program:
    """ResNet-152 with a feature pyramid, each of its 50 blocks a row of its own."""
    names = [f"c{level}_{i + 1}" for level, count in ((2, 3), (3, 8), (4, 36), (5, 3)) for i in range(count)]
    blocks = [f"block {name}: bottleneck level {name[1]} after {before}" for before, name in pairwise(["s", *names])]
    text = (EXAMPLES / "fpn.spine").read_text()
    start, end = text.index("    block c2:"), text.index("    block t5:")
    text = text[:start] + "\n".join(blocks) + "\n" + text[end:]
    for stage, last in (("c5", "c5_3"), ("c4", "c4_36"), ("c3", "c3_8")):
        text = re.sub(rf"\b{stage}\b", last, text)
    text = re.sub(r"\n    head [^}]*(?=\n})", "", text[: text.index("\n}\n") + 3])
    program = spinedsl.program(Source.from_text(text))
    assert sum(row.type_name == "bottleneck" for row in program.rows) == 50
    return program


def random_60(seed: int = 4) -> Program:
    """A network of at least 60 blocks drawn at random."""
    draw = random.Random(seed)
    rows = [tuple(draw.randint(0, highest) for highest in HIGHEST) for _ in range(110)]
    program = spinedsl.program(STANDARD.source(to_text(STANDARD, [], rows, (0,) * 9)))  # type: ignore[arg-type]
    assert sum(row.kind == "block" for row in program.rows) >= 60
    return program


def long_names() -> Program:
    """The first tutorial, with names that no block has room for."""
    text = (EXAMPLES / "tutorial/1_first_network.spine").read_text()
    for short, long in (("a", "a_stage_of_residual_blocks_that_begins_here"), ("C3", "Wide_mouthed_feature_map_W")):
        text = re.sub(rf"\b{short}\b(?=[:,\s])(?!\s+(is|file|name|network|block)\b)", long, text)
    return spinedsl.program(Source.from_text(text))


def all_figures() -> dict[str, Figure]:
    """Figures of every example, of members of families, of large networks, side by side and marked."""
    figures = {network: lay_out(example(file, network)) for file, network in [*NETWORKS.items(), *FAMILY]}
    figures["ResNet152"] = lay_out(resnet_152())
    figures["random"] = lay_out(random_60())
    figures["by channels"] = lay_out(example("spinenet.spine", "SpineNet96"), widths="channels")
    figures["side by side"] = lay_out(
        *(example(file, network) for file, network in FIGURE_4),
    )
    figures["marked"] = marked(difference("Plain", "Permuted"))
    figures["renamed"] = marked(renamed())
    return figures


def difference(old: str, new: str) -> Difference:
    """Two networks of the tutorial of edits, compared."""
    return compare(*(side(EXAMPLES / "tutorial/6_edits.spine", network=name) for name in (old, new)))


def renamed() -> Difference:
    """SpineNet-49, and the same with other names for two blocks and an output, one of them too long for its block."""
    text = (EXAMPLES / "spinenet.spine").read_text()
    names = {"b9": "farthest", "b10": "a_block_of_level_five_that_many_read", "P4": "Fourth"}
    new = re.sub(r"\b(b9|b10|P4)\b", lambda found: names[found[0]], text)
    return compare(*(side(Source.from_text(version), network="SpineNet49") for version in (text, new)))


@dataclass(frozen=True)
class Drawing:
    """The parts of an SVG."""

    size: Point
    labels: dict[str, Box]  # by the words and a number
    inside: dict[str, tuple[Point, ...]]  # of labels in blocks: the outline
    blocks: dict[str, tuple[Point, ...]]
    arrows: dict[str, list[Point]]


def read(svg: str) -> Drawing:
    """Take an SVG apart. Text is as wide as the widest of the common fonts makes it."""
    root = ET.fromstring(svg)
    labels: dict[str, Box] = {}
    inside: dict[str, tuple[Point, ...]] = {}
    blocks: dict[str, tuple[Point, ...]] = {}
    arrows: dict[str, list[Point]] = {}
    for element in root.iter(f"{SVG}text"):
        labels[f"{element.text} #{len(labels)}"] = _box_of(element)
    for group in root.iter(f"{SVG}g"):
        title, path = group.find(f"{SVG}title"), group.find(f"{SVG}path")
        if title is None or path is None:
            continue
        name = (title.text or "").partition("\n")[0]
        points = [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.attrib["d"])]
        if group.get("class") == "arrow":
            tip = re.match(r"M(-?[\d.]+) (-?[\d.]+)", group.findall(f"{SVG}path")[1].attrib["d"])
            assert tip is not None
            arrows[f"{name} #{len(arrows)}"] = [*points, (float(tip[1]), float(tip[2]))]
        else:
            blocks[f"{name} #{len(blocks)}"] = tuple(points)
            boxes = [_box_of(element) for element in group.findall(f"{SVG}text")]
            inside |= {label: tuple(points) for label, box in labels.items() if box in boxes}
    size = float(root.attrib["width"]), float(root.attrib["height"])
    return Drawing(size, labels, inside, blocks, arrows)


def _box_of(element: ET.Element) -> Box:
    size = float(element.attrib["font-size"])
    width = text_width(element.text or "", size, bold=element.get("font-weight") is not None)
    x, y = float(element.attrib["x"]), float(element.attrib["y"])
    left = x - width / 2 if element.get("text-anchor") == "middle" else x
    return left, y - CAP * size, left + width, y


# ---- what must not be ----


def overlapping_labels(drawing: Drawing) -> list[str]:
    """Pairs of labels, one upon the other."""
    return [
        f"{one} and {other}"
        for (one, a), (other, b) in combinations(drawing.labels.items(), 2)
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


def labels_outside(drawing: Drawing) -> list[str]:
    """Labels that leave the canvas, or their block."""
    width, height = drawing.size
    found = [
        name
        for name, (left, top, right, bottom) in drawing.labels.items()
        if left < 0 or top < 0 or right > width or bottom > height
    ]
    for name, outline in drawing.inside.items():
        left, top, right, bottom = drawing.labels[name]
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        found += [f"{name} leaves its block"] * (not all(within(corner, outline) for corner in corners))
    return found


def arrows_through(drawing: Drawing) -> list[str]:
    """Arrows that run through a block, or through words."""
    found = []
    for arrow, points in drawing.arrows.items():
        steps = walk(points)[2:-2]  # both ends touch an outline
        for block, outline in drawing.blocks.items():
            near = [p for p in steps if _in_box(p, outline)]
            found += [f"{arrow} through {block}"] * any(within(point, outline) for point in near)
        for label, (left, top, right, bottom) in drawing.labels.items():
            found += [f"{arrow} through {label}"] * any(left < x < right and top < y < bottom for x, y in steps)
    return found


def blocks_on_blocks(drawing: Drawing) -> list[str]:
    """Pairs of blocks that touch."""
    boxes = {
        name: (*map(min, zip(*o, strict=True)), *map(max, zip(*o, strict=True))) for name, o in drawing.blocks.items()
    }
    return [
        f"{one} on {other}"
        for (one, a), (other, b) in combinations(boxes.items(), 2)
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


def walk(points: list[Point]) -> list[Point]:
    """Points along a line, about a pixel apart."""
    steps = []
    for (a, b), (c, d) in pairwise(points):
        count = max(1, int(abs(c - a) + abs(d - b)))
        steps += [(a + (c - a) * i / count, b + (d - b) * i / count) for i in range(count)]
    return [*steps, points[-1]]


def _in_box(point: Point, outline: tuple[Point, ...]) -> bool:
    xs, ys = zip(*outline, strict=True)
    return bool(min(xs) < point[0] < max(xs) and min(ys) < point[1] < max(ys))


def within(point: Point, outline: tuple[Point, ...]) -> bool:
    """The point is inside the polygon."""
    x, y = point
    inside = False
    for (a, b), (c, d) in pairwise([*outline, outline[0]]):
        if (b > y) != (d > y) and x < a + (c - a) * (y - b) / (d - b):
            inside = not inside
    return inside
