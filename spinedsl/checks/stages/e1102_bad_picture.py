"""E1102: picture that cannot be read."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1102",
    title="picture that cannot be read",
    message="cannot read the picture `{path}`: {reason}",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
The file is cut off, damaged, empty, no picture at all, or one of a kind that is not read here.
Every picture is decoded before training begins, so that no run stops on it after hours.

Fetch the file again, convert it to PNG or JPEG, or take it out of the folder or the list. Bits that
flip within the data of a JPEG change its pixels, and nothing can tell.
""",
)
