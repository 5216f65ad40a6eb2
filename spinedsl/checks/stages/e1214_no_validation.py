"""E1214: training without images to compare by."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1214",
    title="training without images to compare by",
    message="the configuration names no validation images, and a search compares candidates by them",
    label="",
    default=Default.ERROR,
    explanation="""\
`spine search --train CONFIG` trains each candidate as the configuration says. The value of a candidate is a figure of
the validation images, that by which `spine train` chooses its best checkpoint: so `[data]` has to name some, as in
`validation = "images/val"`. What a network was trained on does not tell which of two is better.
""",
)
