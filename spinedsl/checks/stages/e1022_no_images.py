"""E1022: no pictures."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1022",
    title="no pictures",
    message="there are no pictures: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A folder is searched for files that are called as pictures are, folders in it too; what begins with a
dot is left out. A file that is named by itself is read whatever it is called. A pattern such as
`photos/*.jpg` matches what a shell would.
""",
)
