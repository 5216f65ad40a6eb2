"""PNG: words are in it, on every machine that has a font; where none is, that is said."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from spinedsl.draw import NoFont, lay_out, png, to_png, to_svg
from tests.draw.drawn import example


def picture(theme: str = "light") -> tuple[str, Image.Image]:
    """The first tutorial's SVG, and its PNG read back."""
    svg = to_svg(lay_out(example("tutorial/1_first_network.spine", "First")), theme)
    return svg, Image.open(io.BytesIO(to_png(svg))).convert("RGB")


@pytest.mark.parametrize(("theme", "paper"), [("light", (255, 255, 255)), ("dark", (20, 24, 29))])
def test_words_are_painted(theme: str, paper: tuple[int, int, int]) -> None:
    svg, image = picture(theme)
    width, height = (float(svg.partition(f'{side}="')[2].partition('"')[0]) for side in ("width", "height"))
    assert (image.width, image.height) == (round(width * 2), round(height * 2))
    assert image.getpixel((2, 2)) == paper
    title = image.crop((32, 20, 130, 60))
    assert sum(count for count, colour in title.getcolors(10_000) or [] if colour != paper) > 100


def without_fonts(paint: Callable[..., Any]) -> Callable[..., Any]:
    """resvg on a machine without any font."""
    return lambda **options: paint(**{**options, "skip_system_fonts": True})


def test_without_any_font_there_is_no_textless_png(monkeypatch: pytest.MonkeyPatch) -> None:
    import resvg_py

    svg = to_svg(lay_out(example("tutorial/1_first_network.spine", "First")), "light")
    monkeypatch.setattr(png, "FONT", "font_that_nobody_has")
    monkeypatch.setattr(resvg_py, "svg_to_bytes", without_fonts(resvg_py.svg_to_bytes))
    with pytest.raises(NoFont):
        to_png(svg)


def test_the_packaged_font_makes_the_machines_fonts_needless(monkeypatch: pytest.MonkeyPatch) -> None:
    import resvg_py

    if not png.font_files():
        pytest.skip("the font package is not installed")
    svg = to_svg(lay_out(example("tutorial/1_first_network.spine", "First")), "light")
    usual = to_png(svg)
    monkeypatch.setattr(resvg_py, "svg_to_bytes", without_fonts(resvg_py.svg_to_bytes))
    assert to_png(svg) == usual
