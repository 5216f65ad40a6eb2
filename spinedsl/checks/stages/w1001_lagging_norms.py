"""W1001: statistics that lag behind."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1001",
    title="statistics that lag behind",
    message="after {steps} updates, {share} of the statistics of {norms} is still what they started with",
    label="",
    default=Default.WARNING,
    explanation="""\
A batch norm keeps moving averages of the mean and variance, which take the place of those of the
batch after training. With a momentum of 0.99 each step replaces a hundredth of them: after 100 steps
more than a third is still the value from before the first step, and what is predicted with them may
be far from what training saw.

`recalibrate = 100` in [run] computes them anew, over so many batches, whenever figures are computed
and at the end. Or write a lower momentum into the network: `norm batch_norm(momentum = 0.9)`.
""",
)
