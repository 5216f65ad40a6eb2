"""W1106: picture listed twice."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1106",
    title="picture listed twice",
    message="`{path}` was listed in line {line}",
    label="listed again",
    default=Default.WARNING,
    explanation="""\
The picture counts twice, as if there were two of it. To see some pictures more often on purpose,
this is a way; by accident, it is a list that was put together twice.
""",
)
