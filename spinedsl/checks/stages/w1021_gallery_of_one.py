"""W1021: gallery of one person."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1021",
    title="gallery of one person",
    message="the gallery `{path}` knows nobody but `{name}`",
    label="",
    default=Default.WARNING,
    explanation="""\
The nearest person is then always that one. Only a threshold tells whether it is: give one, or an
evaluation that chose one.
""",
)
