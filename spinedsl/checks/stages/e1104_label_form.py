"""E1104: row of a list that cannot be read."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1104",
    title="row of a list that cannot be read",
    message="{what}",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
A list of pictures is a CSV whose first line names the columns: `path` and `label`, or names like
them, or those that the configuration gives. What stands between fields is a comma, a semicolon or a
tab. Each row has as many fields as the first line, and neither path nor label is empty.

Text that holds a comma stands in quotes: `"a, b.png",cat`.
""",
)
