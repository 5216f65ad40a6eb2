"""Draw the scale-permuted figure: x is the order of the blocks, y is their level, as in the paper's Figure 4.

`lay_out` places blocks and routes arrows, of one network or of several side by side; `to_svg` writes the figure.
"""

from spinedsl.draw.layout import Figure, lay_out
from spinedsl.draw.svg import to_svg

__all__ = ["Figure", "lay_out", "to_svg"]
