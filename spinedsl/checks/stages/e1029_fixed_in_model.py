"""E1029: fixed in the model."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1029",
    title="fixed in the model",
    message="`{path}` finds boxes with {name} = {own}, and {name} = {asked} is asked for",
    label="",
    default=Default.ERROR,
    explanation="""\
A model that finds boxes has its limits inside: the score that a box is above, the overlap from which
the lower one of two boxes goes, how many candidates of a level are looked at, and how many boxes an
image can have. Of what it finds fewer can be taken, by a higher score or a lower number. What it leaves
out itself nobody can bring back.

`spine export` writes a model with other limits. The checkpoint has none of them inside.
""",
)
