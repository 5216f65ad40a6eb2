"""W1105: file that is left out."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1105",
    title="file that is left out",
    message="`{path}`{more} {reason}: left out",
    label="",
    default=Default.WARNING,
    explanation="""\
Of a folder of pictures only files are read that are called as pictures are: `.jpg`, `.png`,
`.webp`, `.tif` and others. What begins with a dot is left out without a word.

A picture that stands beside the folders of the classes has none, and is left out too. One that
lacks its ending would be missed: give it one. A list, a CSV, may name files of any
name.
""",
)
