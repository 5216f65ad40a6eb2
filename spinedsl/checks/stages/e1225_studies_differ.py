"""E1225: studies that cannot be put side by side."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1225",
    title="studies that cannot be put side by side",
    message="study `{study}` cannot be put beside `{first}`: expected {what} {expected}, got {got}",
    label="",
    default=Default.ERROR,
    explanation="""\
A report on several studies compares engines and seeds, so all of them have to search one space, for the same
objectives, measured by the same command or trained alike, with the same successive halving. Values of different
searches say nothing about each other.
""",
)
