"""E0801: cannot read."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0801",
    title="cannot read",
    message="cannot read `{path}`: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A file that the command or an import names cannot be read; the message gives the system's reason. It
may not be there, be a folder, belong to somebody else, be no text, or have more than ten million bytes.

It happens with `spine check nte.spine` where the file is called `net.spine`. To check all the files
of a folder, name the folder: `spine check nets/`.
""",
)
