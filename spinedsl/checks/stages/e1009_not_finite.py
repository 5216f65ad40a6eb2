"""E1009: loss that is no number."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1009",
    title="loss that is no number",
    message="the loss of step {step} is {value}",
    label="",
    default=Default.ERROR,
    explanation="""\
Once a loss is infinite or no number, so is every weight after the next step, and nothing can come of
the run any more. It stops there, and the last checkpoint stays as it was.

Mostly the rate is too high, or it does not grow slowly enough at the start: a tenth of it, or a
longer warm-up, shows whether that is so. In float16, try bfloat16; for embeddings, a margin that
grows for longer and a smaller scale; with `clip`, gradients stay short.
""",
)
