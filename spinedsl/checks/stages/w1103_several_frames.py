"""W1103: picture of several pictures."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1103",
    title="picture of several pictures",
    message="`{path}` holds {frames} pictures: the first one is taken",
    label="",
    default=Default.WARNING,
    explanation="""\
An animation, or a file of several pages, counts as one picture: the first. If the others matter,
write them to files of their own.

It happens with GIF and WebP from the web, and with scans in TIFF.
""",
)
