"""E1216: too few candidates to rank by."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1216",
    title="too few candidates to rank by",
    message="{count} of study `{study}` trained to the end, and {least} are asked for",
    label="",
    default=Default.ERROR,
    explanation="""\
`spine search rank` tells how far figures in closed form, and shorter trainings, order candidates as their whole
training does. Of a few candidates any figure may look good by chance: the interval of Kendall's tau spans half of what
there is. So 30 are asked for, or as many as `--least` says. Each network counts once, however often it was trained.
Candidates that were given up in the middle do not count: `--halving 0` trains all of them to the end.
""",
)
