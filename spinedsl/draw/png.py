"""Paint a figure as PNG, by resvg.

Words need a font. The extra `draw` brings one, so that a PNG is the same on every machine.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spinedsl.draw.glyphs import FONTS

ZOOM = 2  # small print stays sharp
FONT = "font_source_sans_pro"  # a package of font files, part of the extra `draw`
FILES = ("SourceSansPro-Regular.ttf", "SourceSansPro-Semibold.ttf")
PROBE = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text y="15" font-family="{}">{}</text></svg>'


class NoFont(Exception):
    """No font is there to draw words with: a PNG would come without them, and nothing would say so."""


def to_png(svg: str) -> bytes:
    """An SVG as PNG, twice as large as it says.

    Raises:
        NoFont: neither the extra `draw` nor the machine has a font.
    """
    import resvg_py  # noqa: PLC0415  only for PNG

    fonts = _fonts()
    if len({bytes(resvg_py.svg_to_bytes(svg_string=PROBE.format(FONTS, text), **fonts)) for text in ("", "b0")}) == 1:
        raise NoFont
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=ZOOM, **fonts))


def _fonts() -> dict[str, Any]:
    """How resvg is told of the package's font; nothing where the package is missing, and the machine's fonts serve."""
    found = find_spec(FONT)
    if found is None or found.origin is None:
        return {}
    files = [str(Path(found.origin).parent / "files" / name) for name in FILES]
    return {"skip_system_fonts": True, "font_files": files, "sans_serif_family": "Source Sans Pro"}
