"""E1011: checkpoint of another run."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1011",
    title="checkpoint of another run",
    message="the checkpoint `{path}` is of another run: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A run resumes as what it was: the same network, the same tensors. The message lists what differs.

To begin a new run with the weights of that one, give the checkpoint as `--weights`: what fits is
taken, and what does not starts fresh and is listed.
""",
)
