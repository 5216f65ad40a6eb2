"""E0915: weights that cannot be used."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0915",
    title="weights that cannot be used",
    message="`{path}` holds numbers that network `{network}` cannot use",
    label="",
    fix="take an earlier checkpoint, from before the training diverged",
    default=Default.ERROR,
    explanation="""\
The names and shapes of the tensors fit the network, but some of their numbers cannot be used: they
are not finite, a float64 is too large for float32, or a variance is below zero. The outputs would be
NaN, or nonsense, and the fault would show far from here.

Mostly the training diverged before the file was saved: an earlier checkpoint is sound. A variance
below zero can also come from averaging weights with negative factors.
""",
)
