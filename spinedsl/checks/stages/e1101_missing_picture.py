"""E1101: picture that is not there."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1101",
    title="picture that is not there",
    message="there is no picture `{path}`",
    label="named here",
    default=Default.ERROR,
    explanation="""\
A list names a picture that is not there. Paths are those from where the list stands, unless they
begin at the root.

It happens when a folder was moved without its list, when the list was written on a system where
`A.JPG` and `a.jpg` are one file, and when two systems spell an umlaut by one character or by two:
the names look the same, and the message says so.
""",
)
