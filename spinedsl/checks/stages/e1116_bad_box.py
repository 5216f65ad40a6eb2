"""E1116: box that cannot be."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1116",
    title="box that cannot be",
    message="{what} {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A box lies in its picture, its right is not before its left, nor its bottom above its top. One that
hangs over an edge by at most a pixel is cut off there without a word, since rounding makes such boxes;
one that is 0 pixels wide or high is no mistake (W1113).

Others mostly mean that the boxes belong to another picture or to another size of it, that width and
height are taken for right and bottom, or that pixels are taken for shares. A training loss of such
boxes may be infinite, so they are not read.
""",
)
