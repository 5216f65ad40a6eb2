"""E0802: cannot write."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0802",
    title="cannot write",
    message="cannot write `{path}`: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
The result cannot be written to the place that `-o` names; the message gives the system's reason:
the folder is not there, you may not write in it, or the disk is full.

Files are written as a whole or not at all, by way of a temporary file in the same folder, so a file
that was there before is unharmed. Nothing has to be compiled differently: name another place, or
make the folder.
""",
)
