"""W1110: the same box twice."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1110",
    title="the same box twice",
    message="{count} in `{path}` {are} there a second time, at the same place and of the same class",
    label="",
    default=Default.WARNING,
    explanation="""\
Two boxes of one class have the same four sides: a tool for drawing boxes saved one twice, or two
files were put together that both have it. A detector finds the object once, so the second box counts
as an object that it has missed.
""",
)
