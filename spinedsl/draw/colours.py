"""Colours: one style sheet for each theme, of classes that the templates use, and the heat scale of costs.

Every level has a hue of its own; they stay apart for colour-blind readers (after Okabe and Ito) and against the paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spinedsl.draw.marks import KINDS

THEMES = ("auto", "light", "dark")
HUES = {  # by level modulo 8
    "light": ("#5b6770", "#0e7490", "#00805d", "#946c00", "#c24f00", "#b33a70", "#6d45a3", "#0068a8"),
    "dark": ("#a9b4bd", "#5cc6dc", "#3fd0a3", "#e0bb55", "#f4935a", "#ef8fb5", "#b996e6", "#63b6f0"),
}
COLOURS = {
    "light": {
        "paper": "#ffffff",
        "ink": "#1b1f24",
        "faint": "#5b6770",
        "fill": "#ffffff",
        "stem": "#d5dade",
        "red": "#cf0000",
        "grey": "#98a2ab",
        "added": "#0a7a34",
        "added-fill": "#d3f2dc",
        "dropped": "#cf0000",
        "dropped-fill": "#fbdcdc",
        "renamed": "#0068a8",
        "renamed-fill": "#d5eaf9",
        "changed": "#9a6700",
        "changed-fill": "#fdeab5",
        "cold": "#ffffff",
        "hot": "#ee7b33",
    },
    "dark": {
        "paper": "#14181d",
        "ink": "#eceff2",
        "faint": "#a9b4bd",
        "fill": "#242a31",
        "stem": "#525c66",
        "red": "#ff6b6b",
        "grey": "#707b85",
        "added": "#52d07f",
        "added-fill": "#17402a",
        "dropped": "#ff6b6b",
        "dropped-fill": "#4a2023",
        "renamed": "#63b6f0",
        "renamed-fill": "#173a55",
        "changed": "#e8b93e",
        "changed-fill": "#4a3a12",
        "cold": "#242a31",
        "hot": "#b3541e",
    },
}
STEPS = 9  # of the heat scale


def step_of(cost: int, most: int) -> int:
    """The step of the heat scale, from 0, at which a cost of at most `most` stands; the scale is linear."""
    return min(STEPS - 1, cost * STEPS // most) if most else 0


def style_sheet(theme: str, tiers: Iterable[int], beyond: int) -> str:
    """The style sheet of an SVG: of one theme, or for `auto` of the one that the reader's system asks for."""
    tiers = tuple(tiers)
    if theme != "auto":
        return "\n".join(_rules(theme, tiers, beyond, ""))
    dark = "\n".join(_rules("dark", tiers, beyond, ""))
    return "\n".join([*_rules("light", tiers, beyond, ""), "@media (prefers-color-scheme: dark) {", dark, "}"])


def switched_sheet(tiers: Iterable[int], beyond: int) -> str:
    """The same for a page whose root element may have `data-theme`: what that says goes before the system's wish."""
    tiers = tuple(tiers)
    asked = "\n".join(_rules("dark", tiers, beyond, ":root:not([data-theme=light]) "))
    return "\n".join(
        [
            *_rules("light", tiers, beyond, ""),
            "@media (prefers-color-scheme: dark) {",
            asked,
            "}",
            *_rules("dark", tiers, beyond, ":root[data-theme=dark] "),
        ]
    )


def _rules(theme: str, tiers: tuple[int, ...], beyond: int, where: str) -> Iterator[str]:
    """The style rules of a theme, each for the class of an element."""
    colours = COLOURS[theme]
    rules = {
        "paper": f"fill:{colours['paper']}",
        "ink": f"fill:{colours['ink']}",
        "faint": f"fill:{colours['faint']}",
        "red": f"fill:{colours['red']}",
        "rule": f"stroke:{colours['faint']}",
        "line": f"stroke:{colours['grey']}",
        "head": f"fill:{colours['grey']}",
        "block": f"fill:{colours['fill']};stroke:{colours['ink']};stroke-width:1.2",
        "orphan": f"fill:{colours['fill']};stroke:{colours['ink']};stroke-width:1.2;stroke-dasharray:4 3",
        "stem": f"fill:{colours['stem']};stroke:{colours['ink']};stroke-width:1.2",
        "output": f"fill:{colours['fill']};stroke:{colours['red']};stroke-width:2.2",
    }
    for tier in tiers:
        hue = HUES[theme][0 if tier == beyond else tier % len(HUES[theme])]
        rules |= {f"fill-{tier}": f"fill:{hue}", f"line-{tier}": f"stroke:{hue}"}
    for step in range(STEPS):
        rules[f"heat-{step}"] = f"fill:{_mixed(colours['cold'], colours['hot'], step / (STEPS - 1))}"
    for kind in KINDS:
        rules[f"line-{kind}"] = f"stroke:{colours[kind]}"
        rules[f"fill-{kind}"] = f"fill:{colours[kind]}"
        rules[kind] = f"fill:{colours[f'{kind}-fill']};stroke:{colours[kind]};stroke-width:2"
    for name, declarations in rules.items():
        yield f"{where}.{name}{{{declarations}}}"


def _mixed(cold: str, hot: str, share: float) -> str:
    """A colour between two."""
    ends = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (cold, hot)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(*ends, strict=True))
