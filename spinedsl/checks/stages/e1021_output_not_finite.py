"""E1021: output that is not finite."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1021",
    title="output that is not finite",
    message="network `{network}` gives numbers that are not finite for `{path}`",
    label="",
    default=Default.ERROR,
    explanation="""\
Shares and similarities of infinities, or of what is no number, say nothing, and no figure of them is
given. It happens where weights have overflowed, or were written by another code.

`spine weights verify` lists the tensors that are not finite.
""",
)
