"""E1025: not a gallery."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1025",
    title="not a gallery",
    message="`{path}` is no gallery: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A gallery is a safetensors file that `spine gallery` wrote: a vector for each person, their names, and
which network made the vectors. Each bit of it is under a digest.
""",
)
