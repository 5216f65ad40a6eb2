"""E1007: settings that do not go together."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1007",
    title="settings that do not go together",
    message="{what}",
    label="here",
    default=Default.ERROR,
    explanation="""\
Each of these settings is right by itself, and together they say two things, or one of them says
nothing. What a setting was meant to change would be left as it is, so it is not ignored.

The message names the other setting. A preset brings settings too: those of the file come before them.
""",
)
