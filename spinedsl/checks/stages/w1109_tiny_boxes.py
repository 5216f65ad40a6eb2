"""W1109: boxes too small for the network's image."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1109",
    title="boxes too small for the network's image",
    message="{count} of `{path}` {are} less than {least:g} pixels wide or high in an image of {width}x{height}",
    label="",
    default=Default.WARNING,
    explanation="""\
Pictures get the size of the network's image, and their objects get smaller with them. What is then
less than two pixels wide or high can hardly be seen, let alone be found by a detector whose finest
map has a place for each eight pixels.

A larger `height` and `width` in [data.preprocessing] helps, and so does cutting large pictures into
parts. If few objects are that small, training goes on well without them.
""",
)
