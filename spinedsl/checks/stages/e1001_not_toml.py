"""E1001: not TOML."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1001",
    title="not TOML",
    message="this is not TOML: {reason}",
    label="here",
    default=Default.ERROR,
    explanation="""\
A configuration is written in TOML: `[tables]` of `key = value`, texts in quotes, lists in brackets,
`true` and `false` for yes and no, `#` before a comment. From the first place on that is something
else nothing more can be read, so this mistake is reported alone.

It happens with `name = sgd`, where the text needs quotes, and with a key that stands twice in a
table.
""",
)
