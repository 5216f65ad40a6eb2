"""W1101: picture for training and for validation."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1101",
    title="picture for training and for validation",
    message="`{path}` is among the training images too{more}",
    label="{label}",
    default=Default.WARNING,
    explanation="""\
A picture that the network has learned says nothing of those that it has not, so figures of the
validation come out too high. The two are compared by their pixels, so a copy in another format
counts, and a picture that was scaled or compressed again does not.

Split by what belongs together: a person, a place, a roll of film.
""",
)
