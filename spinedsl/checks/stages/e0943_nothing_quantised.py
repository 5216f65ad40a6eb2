"""E0943: nothing becomes int8."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0943",
    title="nothing becomes int8",
    message="no convolution of network `{network}` becomes int8: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
`spine quantize` leaves the last convolutions and linear layers before the outputs in float, and as many
rows more as it takes for the error to stay below `--error`. Here nothing is left that would become
int8, so a model would be the float one under another name.

A larger `--error` lets more rows become int8. Weights that were not trained have larger errors than
trained ones, and pictures unlike those that the network is for give ranges that do not fit.
""",
)
