"""E1117: picture of another size than its boxes."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1117",
    title="picture of another size than its boxes",
    message="`{path}`: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
The file of the boxes says how large the picture is, and the picture has another size. Boxes are in
pixels, so they would lie elsewhere than the objects, and the network would learn just that.

It happens when pictures were made smaller after the boxes were drawn, when a folder has pictures of
another version of the data set, and with photographs that a camera stored lying on their side: they
are shown, and read, as their EXIF orientation says.
""",
)
