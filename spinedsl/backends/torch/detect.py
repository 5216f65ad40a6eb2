"""Write `detect`: the method of a network that finds boxes, with nothing but PyTorch.

In: what a detection task says, and the thresholds that are the method's defaults. Out: the lines of the method, which
uses definitions of `boxes.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.backends.torch.layout import Bracket, Doc, call, lines
from spinedsl.backends.torch.names import attribute
from spinedsl.ops.detection import Detector, Limits

BOXES = "boxes.py"  # definitions that the method uses
METHOD = "detect"


def write_detect(what: Detector, limits: Limits) -> Iterator[str]:
    """The lines of the method."""
    yield "    @torch.jit.export"
    parameters = (
        "self", "images: Tensor", f"score: float = {limits.score!r}", f"top: int = {limits.top}",
        f"overlap: float = {limits.overlap!r}", f"most: int = {limits.most}",
    )  # fmt: skip
    yield from lines(4, "def ", call(METHOD, *parameters), " -> dict[str, Tensor]:")
    yield from _DESCRIBED
    yield "        with torch.no_grad():"
    yield "            maps = self.forward(images)"
    if what.sides:
        sides = tuple(Bracket("[", (repr(width), repr(height)), "]") for width, height in what.sides)
        yield "            # width and height of each anchor, in strides"
        yield from lines(12, "anchors = ", Bracket("[", sides, "]"))
    yield "            found: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []"
    maps = ("scores", "quality", "boxes") if what.quality else ("scores", "boxes")
    rows = zip(*(getattr(what, name) for name in maps), what.strides, strict=True)
    levels = tuple(Bracket("(", (*(f'maps["{attribute(name)}"]' for name in names), str(s))) for *names, s in rows)
    yield from _broken(12, f"for {', '.join(maps)}, stride in ", Bracket("[", levels, "]"), ":")
    yield from _body(what)
    yield "            return keep_best(found, images.shape[2], images.shape[3], overlap, most)"


_DESCRIBED = '''\
        """Find objects: `boxes` (images, most, 4) in pixels, `scores` and `labels`, and the `count` of each image.

        A box is left, top, right and bottom. Kept are of each level the `top` candidates whose score is above `score`,
        and of all the best `most` that no better box of their class overlaps by an IoU above `overlap`.
        """'''.splitlines()


def _broken(indent: int, prefix: str, doc: Bracket, suffix: str) -> Iterator[str]:
    """A bracket with one item a line, as a table."""
    margin = " " * indent
    yield f"{margin}{prefix}{doc.opening}"
    for item in doc.items:
        yield from lines(indent + 4, "", item, ",")
    yield f"{margin}{doc.closing}{suffix}"


def _body(what: Detector) -> Iterator[str]:
    """The candidates of a level."""
    one = what.classes == 1
    keys, least = call("by_place", "scores", str(what.classes)), "logit(score)"
    if what.quality:
        keys, least = call("with_quality", keys, call("by_place", "quality", "1")), "score"
    yield from lines(16, "keys, at = ", call("best", keys, least, "top"))
    places = "at" if one else f"at // {what.classes}"
    found: Doc = call("anchor_boxes", "boxes", places, "stride", "anchors")
    if not what.sides:
        found = call("point_boxes", "boxes", places, "stride")
    scores = "keys" if what.quality else "to_scores(keys)"
    labels = "torch.zeros_like(at)" if one else f"at % {what.classes}"
    yield from lines(16, "", call("found.append", Bracket("(", (found, "keys", scores, labels))))
