"""E1111: pair that cannot be read."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1111",
    title="pair that cannot be read",
    message="{what}",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
Pairs are listed as Labeled Faces in the Wild has them: `name n m` for two pictures of one person,
`name n other m` for pictures of two, with tabs between. A number is the one at the end of a
picture's name, so that `3` is `name_0003.jpg`. A first line of `10 300` speaks of ten folds, each
with 300 pairs of one person and then 300 of two.
""",
)
