"""W0901: weights of another function."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W0901",
    title="weights of another function",
    message="`{path}` has weights of {code}, which computes something else than network `{network}`",
    label="",
    default=Default.WARNING,
    explanation="""\
The tensors fit, but the code that they come from computes something else with them than this
network does: it pads or pools in another way, or has another epsilon. Nothing fails, and the
outputs are wrong by as much as 70 per cent.

The notes list the differences. Most are settings: `defaults { conv(padding = symmetric) }` or
`batch_norm(epsilon = 1e-5)` in the network makes it the one that was trained. To train on from
these weights, the network may also stay as it is.
""",
)
