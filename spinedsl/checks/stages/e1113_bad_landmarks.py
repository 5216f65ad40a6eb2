"""E1113: points of a face that cannot be used."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1113",
    title="points of a face that cannot be used",
    message="{what}",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
To align a face takes five points: left eye, right eye, nose, left and right corner of the mouth,
left and right as in the picture. A list has a line for each picture, its path and then x and y of
each point, in pixels from the middle of the one at the top left. Every picture needs its line, once
alignment is asked for.
""",
)
