"""The picture of a bench: a bar for each engine, as long as the median time of the processor.

In: a `Bench`. Out: a whole SVG. A rule in each bar is the best time, the line at its end where the middle half lies.
"""

from __future__ import annotations

import statistics

from spinedsl.draw.chart import heading, page, text
from spinedsl.timing.report import Bench, Timing

LEFT, WIDTH, TOP, STEP, THICK = 190, 420, 66, 34, 18
FILL = {"float32": "#0068a8", "bfloat16": "#6f9a37", "int8": "#c24f00"}


def plot(report: Bench) -> str:
    """Times of the processor, in milliseconds, from 0."""
    longest = max(max(_middle(one)[1], one.median) for one in report.timings) or 1e-9
    size = " x ".join(map(str, report.shape))
    threads = "1 thread" if report.threads == 1 else f"{report.threads} threads"
    parts = heading(f"{report.network} at {size}, {threads}", str(report.machine))
    for number, one in enumerate(report.timings):
        parts += _row(report, one, TOP + number * STEP, WIDTH / longest)
    bottom = TOP + len(report.timings) * STEP + 14
    legend = "time of the processor in ms, median of the rounds; white: the best; line: the middle half"
    parts.append(text(LEFT, bottom, legend, "faint"))
    return page(max(LEFT + WIDTH + 190, 24 + 6.4 * len(str(report.machine))), bottom + 16, parts)


def _row(report: Bench, one: Timing, y: float, scale: float) -> list[str]:
    low, high = (value * scale for value in _middle(one))
    middle, end, best = y + THICK / 2, LEFT + one.median * scale, LEFT + one.best * scale
    bar = f'<rect x="{LEFT}" y="{y:g}" width="{one.median * scale:.1f}" height="{THICK}" fill="{FILL[one.precision]}"/>'
    figures = f"{1000 * one.median:.1f} ms, {report.ratio(one):.2f}, {report.share(one):.0%} of the peak"
    return [
        text(LEFT - 8, middle + 4, one.title, "ink", "end"),
        bar,
        f'<path d="M{best:.1f} {y:g}V{y + THICK:g}" stroke="#ffffff" stroke-width="2"/>',
        f'<path d="M{LEFT + low:.1f} {middle:g}H{LEFT + high:.1f}" stroke="#1b1f24" stroke-width="2"/>',
        text(max(end, LEFT + high) + 8, middle + 4, figures, "faint"),
    ]


def _middle(one: Timing) -> tuple[float, float]:
    """Where the middle half of the times lies."""
    if len(one.cpu) < 2:
        return one.median, one.median
    low, _, high = statistics.quantiles(one.cpu, n=4, method="inclusive")
    return low, high
