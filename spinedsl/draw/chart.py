"""Charts: what pictures of figures have in common: one page, one style, a heading, words that are escaped.

In: parts of an SVG. Out: a whole SVG, which `draw.png` paints as PNG.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from spinedsl.brief import cut

FONT = "Helvetica, Arial, 'Source Sans Pro', sans-serif"
STYLE = """\
.paper{fill:#ffffff}
.ink{fill:#1b1f24}
.faint{fill:#5b6770}
.rule{stroke:#d5dade;stroke-width:1;fill:none}
.frame{stroke:#5b6770;stroke-width:1;fill:none}
.line{stroke:#0068a8;stroke-width:2;fill:none}
.chance{stroke:#98a2ab;stroke-width:1;stroke-dasharray:4 4;fill:none}
.one{stroke:#98a2ab;stroke-width:1;fill:none}
.dot{fill:#c24f00}
.label{fill:#1b1f24;stroke:#ffffff;stroke-width:3;paint-order:stroke}
"""
LETTERS_OF_A_LINE = 80


def page(width: float, height: float, parts: Sequence[str]) -> str:
    """A whole SVG of this size in pixels."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
    head += f' viewBox="0 0 {width:g} {height:g}" font-family="{FONT}" font-size="12">'
    body = "\n".join(parts)
    paper = f'<rect class="paper" width="{width:g}" height="{height:g}"/>'
    return f"{head}\n<style>\n{STYLE}</style>\n{paper}\n{body}\n</svg>\n"


def text(x: float, y: float, words: str, kind: str = "ink", anchor: str = "start", more: str = "") -> str:
    """Words at a place, of a kind of the style.

    `anchor` is `start`, `middle` or `end`, `more` further attributes.
    """
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}"{more}>{escape(words)}</text>'


def heading(title: str, figures: str) -> list[str]:
    """A title, and what it is about in figures."""
    return [text(12, 22, cut(title, LETTERS_OF_A_LINE), more=' font-weight="bold"'), text(12, 40, figures, "faint")]
