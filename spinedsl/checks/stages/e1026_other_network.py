"""E1026: made with another network."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1026",
    title="made with another network",
    message="`{path}` was made with {theirs}, and `{model}` is {own}",
    label="",
    default=Default.ERROR,
    explanation="""\
Vectors of two networks cannot be compared, and a threshold that was chosen for one says nothing about
another: each has directions and distances of its own. Nor do figures of one describe another. Every
training gives another network, though the configuration is the same. What a network computes is known
by the digest of its text, its weights and its preprocessing, which a checkpoint and the model exported
from it share.
""",
)
