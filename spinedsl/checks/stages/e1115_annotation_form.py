"""E1115: annotation that cannot be read."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1115",
    title="annotation that cannot be read",
    message="{what}",
    label="",
    default=Default.ERROR,
    explanation="""\
Boxes come as COCO's JSON (`images`, `categories` and `annotations`, whose `bbox` is left, top, width
and height), as VOC's XML (a file for each picture, with `size` and `object`s that have `name` and
`bndbox`), or as YOLO's text files (a row `class x y width height` for each box, as shares of the
picture). What is left out, or has another form, is reported here.

Ids, names of classes and pictures each stand once. YOLO's classes are the lines of `classes.txt`, or the
`names` of `data.yaml`, which has every number from 0 on.
""",
)
