"""Draw the scale-permuted figure: x is the order of the blocks, y is their level, as in the paper's Figure 4.

`lay_out` places blocks and routes arrows, of one network or of several side by side; `to_svg`, `to_html` and `to_png`
write the figure. `Marking` says what to mark in it.
"""

from spinedsl.draw.figure import Figure
from spinedsl.draw.layout import lay_out
from spinedsl.draw.marks import Mark, Marking
from spinedsl.draw.page import to_html
from spinedsl.draw.png import NoFont, to_png
from spinedsl.draw.svg import to_svg

__all__ = ["Figure", "Mark", "Marking", "NoFont", "lay_out", "to_html", "to_png", "to_svg"]
