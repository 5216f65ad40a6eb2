"""Paint a figure as PNG, by resvg.

Words need a font. The extra `draw` brings one, so that a PNG is the same on every machine.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from zlib import crc32

from spinedsl.draw.glyphs import FONTS

HEADER = 33  # bytes of a PNG before its first chunk that may say anything: eight of the format, 25 of sizes
ZOOM = 2  # small print stays sharp
FONT = "font_source_sans_pro"  # a package of font files, part of the extra `draw`
FAMILY = "Source Sans Pro"
FILES = ("SourceSansPro-Regular.ttf", "SourceSansPro-Semibold.ttf")
PROBE = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text y="15" font-family="{}">{}</text></svg>'


class NoFont(Exception):
    """No font is there to draw words with: a PNG would come without them, and nothing would say so."""


def to_png(svg: str) -> bytes:
    """An SVG as PNG, twice as large as it says.

    Raises:
        NoFont: neither the extra `draw` nor the machine has a font.
    """
    if _paint(PROBE.format(FONTS, "b0")) == _paint(PROBE.format(FONTS, "")):
        raise NoFont
    return _signed(_paint(svg, ZOOM))


def _signed(png: bytes) -> bytes:
    """The same picture with a note of what made it, as the format has it: after the header, before the pixels."""
    kind, text = b"tEXt", b"Software\0spinedsl"
    chunk = len(text).to_bytes(4, "big") + kind + text + crc32(kind + text).to_bytes(4, "big")
    return png[:HEADER] + chunk + png[HEADER:]


def _paint(svg: str, zoom: float = 1) -> bytes:
    import resvg_py  # noqa: PLC0415  only for PNG

    files = font_files()
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg, zoom=zoom, skip_system_fonts=bool(files), font_files=files or None,
            sans_serif_family=FAMILY if files else None,
        )
    )  # fmt: skip


def font_files() -> list[str]:
    """The font of the extra `draw`: regular and bold. None where the package is missing: the machine's fonts serve."""
    found = find_spec(FONT)
    if found is None or found.origin is None:
        return []
    return [str(Path(found.origin).parent / "files" / name) for name in FILES]
