"""W1003: resumed with other settings."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1003",
    title="resumed with other settings",
    message="the run goes on with other settings than it began with",
    label="",
    default=Default.WARNING,
    explanation="""\
What the run has done so far was done with other settings. It goes on with those that stand in the
file now; the message lists both.
""",
)
