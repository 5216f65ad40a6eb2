"""Pictures of an evaluation: the confusion of classes, and the curves of verification and precision, as SVG.

In: counts or operating points, names, and a title. Out: a whole SVG, which `draw.png` paints as PNG.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from spinedsl.brief import cut
from spinedsl.draw.chart import LETTERS_OF_A_LINE, heading, page, text

RIGHT, WRONG = (0, 104, 168), (194, 79, 0)  # of cells on and off the diagonal
WRITTEN = 24  # classes up to which each cell has its number
NAMED = 60  # classes up to which each row has its name
LETTERS = 18  # of a name
WIDTH, HEIGHT = 460, 320  # of a curve


def _shade(colour: tuple[int, int, int], share: float) -> str:
    """White to a colour."""
    return "#" + "".join(f"{round(255 + (one - 255) * share):02x}" for one in colour)


def confusion(counts: Sequence[Sequence[int]], names: Sequence[str], title: str, figures: str) -> str:
    """How often each class (row) was taken for each (column): shades are shares of the row, blue where it is right."""
    count = len(names)
    side = max(2.0, min(44.0, 900 / count))
    margin = 9 + 6.4 * max(min(LETTERS, len(name)) for name in names) if count <= NAMED else 20
    left, top = margin + 22, 62 + margin + 14
    whole = side * count
    parts = heading(title, figures)
    parts.append(text(left + whole / 2, 62, "predicted", "faint", "middle"))
    turned = f' transform="rotate(-90 14 {top + whole / 2:g})"'
    parts.append(text(14, top + whole / 2, "true", "faint", "middle", turned))
    for row, cells in enumerate(counts):
        total = sum(cells)
        for column, cell in enumerate(cells):
            if cell:
                shade = _shade(RIGHT if row == column else WRONG, 0.08 + 0.92 * cell / total)
                at = f'x="{left + column * side:g}" y="{top + row * side:g}" width="{side:g}" height="{side:g}"'
                parts.append(f'<rect {at} fill="{shade}"/>')
            if cell and count <= WRITTEN:
                ink = "paper" if cell / total > 0.55 else "ink"
                size = f' font-size="{min(12, side / max(2, len(str(cell))) * 1.3):.3g}"'
                middle = (left + (column + 0.5) * side, top + (row + 0.5) * side + 4)
                parts.append(text(*middle, str(cell), ink, "middle", size))
    parts.append(f'<rect class="frame" x="{left:g}" y="{top:g}" width="{whole:g}" height="{whole:g}"/>')
    if count <= NAMED:
        size = f' font-size="{min(12, side):.3g}"'
        for number, name in enumerate(names):
            along = (number + 0.5) * side + min(12, side) / 3
            parts.append(text(left - 6, top + along, cut(name, LETTERS), "ink", "end", size))
            place = (left + along, top - 6)
            turned = f' transform="rotate(-90 {place[0]:g} {place[1]:g})"'
            parts.append(text(*place, cut(name, LETTERS), "ink", "start", f"{size}{turned}"))
    words = max(min(LETTERS_OF_A_LINE, len(title)) * 7, len(figures) * 6)
    return page(max(left + whole + 16, 24 + words), top + whole + 16, parts)


def verification(points: Sequence[Any], operating: Sequence[tuple[float, Any]], title: str, figures: str) -> str:
    """The share of pairs of one person that is accepted over that of pairs of two, whose axis is logarithmic."""
    least = min((one.false_rate for one in points if one.false_rate > 0), default=0.1)
    start = min(-1, math.floor(math.log10(least) + 1e-9))
    left, top = 62, 60

    def place(false_rate: float, rate: float) -> tuple[float, float]:
        share = 1 - max(math.log10(false_rate), start) / start if false_rate > 0 else 0.0
        return left + share * WIDTH, top + (1 - rate) * HEIGHT

    parts = heading(title, figures)
    for power in range(start, 1):
        x = place(10.0**power, 0)[0]
        parts.append(f'<path class="rule" d="M{x:g} {top}V{top + HEIGHT}"/>')
        parts.append(text(x, top + HEIGHT + 18, f"{100 * 10.0**power:g}%", "faint", "middle"))
    for tenth in range(0, 11, 2):
        y = place(1, tenth / 10)[1]
        parts.append(f'<path class="rule" d="M{left} {y:g}H{left + WIDTH}"/>')
        parts.append(text(left - 8, y + 4, f"{tenth * 10}%", "faint", "end"))
    chance = [place(10 ** (start * (1 - n / 60)), 10 ** (start * (1 - n / 60))) for n in range(61)]
    parts.append(f'<path class="chance" d="M{" ".join(f"{x:.1f},{y:.1f}" for x, y in chance)}"/>')
    shown = [place(one.false_rate, one.rate) for one in points]
    stairs = [f"M{shown[0][0]:.1f} {shown[0][1]:.1f}", *(f"H{x:.1f}V{y:.1f}" for x, y in shown[1:])]
    parts.append(f'<path class="line" d="{"".join(stairs)}"/>')
    parts.append(f'<rect class="frame" x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}"/>')
    for far, one in operating:
        x, y = place(far, one.rate)
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
        below = y + 18 if y < top + HEIGHT - 30 else y - 10
        parts.append(text(x + 6, below, f"TAR {one.rate:.1%} at FAR {far:.3g}", "label"))
    parts.append(text(left + WIDTH / 2, top + HEIGHT + 38, "accepted of pairs of two persons (FAR)", "faint", "middle"))
    turned = f' transform="rotate(-90 16 {top + HEIGHT / 2:g})"'
    parts.append(text(16, top + HEIGHT / 2, "accepted of pairs of one person (TAR)", "faint", "middle", turned))
    return page(left + WIDTH + 70, top + HEIGHT + 52, parts)


def precision(
    whole: Sequence[float], classes: Sequence[tuple[str, float, Sequence[float]]], title: str, figures: str
) -> str:
    """Precision over recall at an overlap of 0.50: the mean of the classes, and each of them where they are few.

    Args:
        whole: at recalls of 0, …, 1.
        classes: name, average precision and the same of each.
        title: of the picture.
        figures: in words.
    """
    left, top = 62, 60

    def path(values: Sequence[float], kind: str) -> str:
        steps = max(1, len(values) - 1)
        points = (f"{left + WIDTH * n / steps:.1f},{top + HEIGHT * (1 - one):.1f}" for n, one in enumerate(values))
        return f'<path class="{kind}" d="M{" ".join(points)}"/>'

    parts = heading(title, figures)
    for tenth in range(0, 11, 2):
        x, y = left + WIDTH * tenth / 10, top + HEIGHT * (1 - tenth / 10)
        parts.append(f'<path class="rule" d="M{x:g} {top}V{top + HEIGHT}M{left} {y:g}H{left + WIDTH}"/>')
        parts.append(text(x, top + HEIGHT + 18, f"{tenth * 10}%", "faint", "middle"))
        parts.append(text(left - 8, y + 4, f"{tenth * 10}%", "faint", "end"))
    several = 1 < len(classes) <= WRITTEN
    parts += [path(curve, "one") for _, _, curve in classes if several]
    parts.append(path(whole, "line"))
    parts.append(f'<rect class="frame" x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}"/>')
    beside = left + WIDTH + 14
    if several:
        room = min(18.0, HEIGHT / len(classes))
        for number, (name, ap, _) in enumerate(classes):
            place = top + 12 + number * room
            parts.append(text(beside, place, f"{ap:.3f} {cut(name, LETTERS)}", "faint", "start", ' font-size="11"'))
    parts.append(text(left + WIDTH / 2, top + HEIGHT + 38, "objects that are found (recall)", "faint", "middle"))
    turned = f' transform="rotate(-90 16 {top + HEIGHT / 2:g})"'
    parts.append(text(16, top + HEIGHT / 2, "boxes that are right (precision)", "faint", "middle", turned))
    words = 24 + max(min(LETTERS_OF_A_LINE, len(title)) * 7, len(figures) * 6)
    return page(max(words, beside + (150 if several else 16)), top + HEIGHT + 52, parts)
