"""W1104: class without pictures."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1104",
    title="class without pictures",
    message="the class `{name}` has no {what} in `{path}`",
    label="",
    default=Default.WARNING,
    explanation="""\
The network has an output for the class, and nothing that would teach it when to answer so. In
validation, the class is not measured.

Take the class out of the configuration, or put pictures there. Where images have boxes, those of crowds
do not count: nothing is taught by them.
""",
)
