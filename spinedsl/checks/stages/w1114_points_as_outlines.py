"""W1114: outlines that seem to be boxes with points."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "W1114",
    title="outlines that seem to be boxes with points",
    message="rows of `{path}` are read as outlines, and seem to be boxes with {points} behind",
    label="",
    fix="if so, write `kpt_shape: [{count}, {each}]` into `data.yaml` there",
    default=Default.WARNING,
    explanation="""\
A row of YOLO with more than five numbers is an outline, `class x y x y …`, or, in a data set for
poses, a box with points behind: `class x y width height x y …`. Only `kpt_shape` in the data set's
YAML tells. Without it rows are outlines, and the box around them is another one.

Here all such rows have as many numbers. Their points lie in the box that the first four numbers
would be, and the second pair lies far from the others, or every point ends in 0, 1 or 2, as those
do that say whether a point is seen.
""",
)
