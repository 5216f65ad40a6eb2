"""YOLO's boxes with points, where no `kpt_shape` tells: they are told from outlines, and outlines from them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from spinedsl.data.boxes import open_boxes
from tests.data.making import put

Numbers = NDArray[np.float64]
Draw = np.random.Generator


def centre(draw: Draw, size: Numbers) -> Numbers:
    return size / 2 + draw.random(2) * (1 - size)


def person(draw: Draw, count: int, each: int, most: float) -> list[float]:
    """A box with points, of which some are not there and some stand a little beside it."""
    size = draw.uniform(most / 10, most, 2)
    middle = centre(draw, size)
    row = [*middle, *size]
    for _ in range(count):
        at = (middle + draw.uniform(-0.5, 0.5, 2) * size).clip(0, 1)
        there = draw.random() < 0.8
        row += [*(at if there else (0, 0)), *([float(draw.integers(1, 3)) if there else 0] if each == 3 else [])]
    return row


def turned(draw: Draw) -> list[float]:
    """The corners of a rectangle that is turned, as aerial pictures have them."""
    size = draw.uniform(0.01, 0.3, 2)
    angle = draw.uniform(0, 2 * np.pi)
    across, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    middle = draw.uniform(0.2, 0.8, 2)
    sides = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    corners = [middle + i * size[0] / 2 * across + j * size[1] / 2 * down for i, j in sides]
    start = draw.integers(4)
    return [number for corner in corners[start:] + corners[:start] for number in corner]


def rounded(count: int, draw: Draw) -> list[float]:
    """An outline of so many corners around a middle, at uneven distances."""
    size = draw.uniform(0.02, 0.2, 2)
    middle = draw.uniform(0.25, 0.75, 2)
    angles = np.sort(draw.uniform(0, 2 * np.pi, count))
    far = draw.uniform(0.5, 1, count)
    corners = middle + np.stack([np.cos(angles), np.sin(angles)], 1) * far[:, None] * size
    return corners.ravel().tolist()


def opened(folder: Path, rows: list[list[float]], shape: str = "") -> list[str]:
    """The codes of what is reported, and what the warning proposes."""
    put(folder / "images" / "a.png", size=64)
    (folder / "labels").mkdir(exist_ok=True)
    lines = [" ".join(["0", *(f"{number:.6g}" for number in row)]) for row in rows]
    (folder / "labels" / "a.txt").write_text("\n".join(lines) + "\n")
    (folder / "classes.txt").write_text("person\n")
    if shape:
        (folder / "data.yaml").write_text(f"{shape}\n")
    found = open_boxes(folder)
    return [text for one in found.diagnostics for text in (one.code.id, *(fix.text for fix in one.fixes))]


@pytest.mark.parametrize("most", [0.1, 0.3, 0.6])
@pytest.mark.parametrize(("count", "each"), [(17, 2), (5, 2), (4, 3), (10, 3), (2, 3)])
def test_boxes_with_points_are_told(count: int, each: int, most: float, tmp_path: Path) -> None:
    """And what is proposed makes boxes of them."""
    rows = [person(np.random.default_rng(seed), count, each, most) for seed in range(40)]
    shape = f"kpt_shape: [{count}, {each}]"
    codes = opened(tmp_path, rows)
    assert codes[:2] == ["W1114", f"if so, write `{shape}` into `data.yaml` there"]
    assert each == 3 or codes[2:] == [], "a 2 that says that a point is seen is no place in a picture"
    assert opened(tmp_path, rows, shape) == []
    found = open_boxes(tmp_path).value
    assert found is not None
    sides = [[x - w / 2, y - h / 2, x + w / 2, y + h / 2] for x, y, w, h, *_ in rows]
    np.testing.assert_allclose(found.pictures[0].sides, np.array(sides) * 64, atol=1e-3)


@pytest.mark.parametrize("count", [3, 17])
def test_an_odd_count_of_numbers_is_no_outline(count: int, tmp_path: Path) -> None:
    rows = [person(np.random.default_rng(seed), count, 3, 0.3) for seed in range(3)]
    shape = f"kpt_shape: [{count}, 3]"
    fix = f"if points stand behind the box, write `{shape}` into `data.yaml` there"
    assert opened(tmp_path, rows) == ["E1115", fix] * 3 + ["W1107"]
    assert opened(tmp_path, rows, shape) == []


OUTLINES: dict[str, Callable[[Draw], list[float]]] = {
    "turned": turned,
    **{f"of {count} corners": partial(rounded, count) for count in (3, 4, 5, 6, 8, 14, 20)},
    "whole pictures": lambda draw: [0, 0, 1, 0, 1, 1, 0, 1, 0, 0],
    "of all lengths": lambda draw: rounded(int(draw.integers(3, 20)), draw),
}


@pytest.mark.parametrize("kind", OUTLINES)
def test_outlines_are_taken_for_nothing_else(kind: str, tmp_path: Path) -> None:
    """Small ones in the middle, whose first two corners would make a box that holds the others, too."""
    rows = [OUTLINES[kind](np.random.default_rng(seed)) for seed in range(60)]
    for some in (rows, rows[:7], [[0.5 + (number - 0.5) / 20 for number in row] for row in rows]):
        assert opened(tmp_path, some) == []
