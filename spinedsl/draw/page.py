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
    from markupsafe import Markup  # noqa: PLC0415  not needed for anything else

    svg = to_svg(figure, theme, colour, in_page=True)
    return environment().get_template("page.html.jinja").render(
        title=", ".join(panel.title for panel in figure.panels),
        subtitle="; ".join(panel.subtitle for panel in figure.panels),
        theme=theme,
        fonts=FONTS,
        figure=Markup(svg),  # noqa: S704  it was escaped when it was made
    )  # fmt: skip
