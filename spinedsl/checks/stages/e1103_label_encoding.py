"""E1103: list in another encoding."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1103",
    title="list in another encoding",
    message="`{path}` is not {encoding}: {what}",
    label="",
    default=Default.ERROR,
    explanation="""\
A list of labels or pairs is read as UTF-8, with or without a mark at its beginning, unless the
configuration names another encoding. Guessing in silence would make a class of its own of every
name with an umlaut.

Spreadsheets of Windows write cp1252 or UTF-16: save as CSV UTF-8, convert the file, or name its
encoding.
""",
)
