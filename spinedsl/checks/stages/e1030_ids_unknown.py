"""E1030: ids are not known."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1030",
    title="ids are not known",
    message="results for COCO need the ids of `{path}`, and {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
COCO's results name images and categories by the ids of the file that has the objects. They are taken
from that file: images by their `file_name`, categories by their `name`. Numbers of another file, or
numbers made up, would let every box count for another image.

The file has to be the one whose images were looked at, as it was then, and to list each of them.
""",
)
