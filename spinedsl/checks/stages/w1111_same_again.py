"""W1111: one picture several times."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1111",
    title="one picture several times",
    message="{count} of `{path}` {have} the same pixels as another one of it",
    label="",
    default=Default.WARNING,
    explanation="""\
A picture that is there twice is learned, and counted, twice as much as others. If its boxes differ,
what is an object in the one is background in the other.

Pictures are compared by their pixels: a copy in another format counts, and one that was scaled or
compressed again does not.
""",
)
