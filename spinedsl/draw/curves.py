"""The picture of what a network holds while it runs: a line as it is written, and one in the best order.

In: a name and two curves, bytes by operation. Out: a whole SVG.
"""

from __future__ import annotations

from collections.abc import Sequence

from spinedsl.brief import unit_of
from spinedsl.draw.chart import heading, page, text

LEFT, TOP, WIDTH, HEIGHT = 64, 64, 640, 260
LINES = (("as written", "#98a2ab"), ("best order", "#0068a8"))


def memory_figure(name: str, figures: str, curves: Sequence[Sequence[int]]) -> str:
    """The curves over the operations in running order, in the unit that fits."""
    most = max((max(curve, default=0) for curve in curves), default=0) or 1
    unit, called = unit_of(most)
    bottom = TOP + HEIGHT
    parts = heading(name, figures)
    parts.append(f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}"/>')
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * HEIGHT
        parts.append(f'<path class="rule" d="M{LEFT} {y:g}H{LEFT + WIDTH}"/>')
        parts.append(text(LEFT - 8, y + 4, f"{share * most / unit:.1f}", "faint", "end"))
    for number, ((title, colour), curve) in enumerate(zip(LINES, curves, strict=True)):
        parts.append(_line(curve, most, colour))
        words = f"{title}: {max(curve, default=0) / unit:.1f} {called}"
        x = LEFT + number * WIDTH / len(LINES)
        parts.append(f'<rect x="{x:g}" y="{bottom + 14}" width="18" height="4" fill="{colour}"/>')
        parts.append(text(x + 24, bottom + 20, words))
    parts.append(text(LEFT + WIDTH, bottom + 20, f"{called} over the operations as they run", "faint", "end"))
    return page(LEFT + WIDTH + 24, bottom + 36, parts)


def _line(curve: Sequence[int], most: int, colour: str) -> str:
    step = WIDTH / max(1, len(curve))
    places = [f"M{LEFT} {TOP + HEIGHT}"]
    for at, value in enumerate(curve):
        places.append(f"V{TOP + HEIGHT - value / most * HEIGHT:.1f}H{LEFT + (at + 1) * step:.1f}")
    return f'<path fill="none" stroke="{colour}" stroke-width="2" d="{"".join(places)}"/>'
