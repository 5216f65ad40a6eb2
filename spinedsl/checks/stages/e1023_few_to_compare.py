"""E1023: too little to compare."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1023",
    title="too little to compare",
    message="{what}",
    label="",
    default=Default.ERROR,
    explanation="""\
Verification compares images of one person with images of two, fold by fold, at the threshold that
the other folds choose. So there have to be two persons, two images of one of them, and as many pairs
of each kind as there are folds.

It happens when the path names the folder of one person, and not the folder that holds all of them.
""",
)
