"""E1006: missing setting."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1006",
    title="missing setting",
    message="`{name}` is missing",
    label="{where} needs it",
    default=Default.ERROR,
    explanation="""\
There is no sensible value to assume for this setting: which network is trained, on which images, for
how long. The message says what it is for.
""",
)
