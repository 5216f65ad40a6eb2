"""W1112: faces that are not aligned."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1112",
    title="faces that are not aligned",
    message="`{path}` was trained on faces that were aligned by five points, and these are not",
    label="",
    default=Default.WARNING,
    explanation="""\
A network that was trained with `landmarks` has seen eyes, nose and mouth in the same places of every
picture. Of faces as they come out of a camera it gives vectors that are further apart for one person.
`--landmarks points.csv` names the five points of each picture, as `landmarks` in [data] does: its
path, and then x and y of left eye, right eye, nose, left and right corner of the mouth.
""",
)
