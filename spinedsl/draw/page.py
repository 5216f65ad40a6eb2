"""Write a figure as one HTML page that holds all it needs: it asks for nothing from the network.

Hovering a block or an arrow, or walking through them with the keyboard, says below what it is and brings out what it
is connected to. Light or dark follows the system until the reader switches; the figure zooms and pans.
"""

from __future__ import annotations

from spinedsl.draw.figure import Figure
from spinedsl.draw.glyphs import FONTS
from spinedsl.draw.svg import LEVEL, environment, to_svg


def to_html(figure: Figure, theme: str = "auto", colour: str = LEVEL) -> str:
    """The figure as an HTML page; arguments as those of `to_svg`."""
    return page(to_svg(figure, theme, colour, in_page=True), *captions(figure), theme)


def captions(figure: Figure) -> tuple[str, str]:
    """Title and subtitle of a page with the figure."""
    titles, subtitles = ([getattr(panel, name) for panel in figure.panels] for name in ("title", "subtitle"))
    return ", ".join(titles), "; ".join(subtitles)


def page(svg: str, title: str, subtitle: str, theme: str = "auto", nonce: str = "") -> str:
    """A page with a figure that `to_svg` wrote for one.

    With a `nonce` it listens to its server for further figures, as `watch` sends them, and runs no script but its own.
    """
    from markupsafe import Markup  # noqa: PLC0415  not needed for anything else

    return environment().get_template("page.html.jinja").render(
        title=title,
        subtitle=subtitle,
        theme=theme,
        fonts=FONTS,
        nonce=nonce,
        figure=Markup(svg),  # noqa: S704  it was escaped when it was made
    )  # fmt: skip
