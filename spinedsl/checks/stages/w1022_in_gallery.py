"""W1022: picture that is in the gallery."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1022",
    title="picture that is in the gallery",
    message="`{path}` is a picture that the gallery was made of{more}",
    label="",
    default=Default.WARNING,
    explanation="""\
A picture is nearest to itself, so rank-1 and identification come out too high. The two are compared by
their pixels. Evaluate on other pictures of the same persons.
""",
)
