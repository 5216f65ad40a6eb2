"""The half of preprocessing that Pillow does, as nodes of ONNX: to the same bits, for images of any size.

In: a `Preprocessing`, and `uint8` images as a value of N x H x W x C, where C is 1 or 3. Out: `uint8` images of the
network's size, N x channels x height x width, equal to what `Preprocessing.fit` gives for each; and what was found in
them, back in the pixels of the pictures.

Pillow resamples in two passes. In each, what a pixel of the result takes of those of the source are whole numbers, of
which 2^22 is one; their sum is rounded to 8 bits. So a pass is a product with a matrix of whole numbers. They follow
from the sizes when the model runs, by the steps of Pillow's `precompute_coeffs` (libImaging/Resample.c) in float64;
ONNX's own Resize computes others. Each number is three digits of 8 bits, whose products are exact in MatMulInteger, for
sides of up to 33,000 pixels. A letterbox is a matrix too, of which the rows beside the picture are empty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from spinedsl.backends.onnx.nodes import Nodes, Value
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.record import Record

ONE = 2**22  # of what a pixel takes of others
GREY = (19595, 38470, 7471)  # of red, green and blue, of 65,536, as Pillow takes them


class Axis(Record, eq=False):
    """Where a picture lies along an axis of the result, when the model runs, all of it of rank 0.

    `start` to `end` of the source (float32, as Pillow takes them) become `length` pixels from `first` on; the source
    has `size`. These three are int64.
    """

    size: Value
    start: Value
    end: Value
    first: Value
    length: Value


class Taken(Record, eq=False):
    """What pixels along an axis take of those of the source: whole numbers (side, size), and which take any."""

    numbers: Value
    covered: Value


def fitted(nodes: Nodes, images: Value, pre: Preprocessing) -> Value:
    """Images of any size as those of the network's size."""
    channels = _channels(nodes, images, pre.channels)
    down, across = _placed(nodes, pre, nodes.size(images, 1), nodes.size(images, 2))
    rows, columns = (
        _taken(nodes, axis, side, pre.interpolation) for axis, side in ((across, pre.width), (down, pre.height))
    )
    zero = nodes.constant(np.array(0, dtype=np.uint8))
    digits = _digits(nodes, rows.numbers.moved(1, 0))
    narrow = _rounded([nodes.product(channels, digit, zero, base) for digit, base in digits])
    result = _rounded([nodes.product(digit, narrow, base, zero) for digit, base in _digits(nodes, columns.numbers)])
    if pre.resize != "letterbox":
        return result
    inside = columns.covered.axes(1) & rows.covered.axes(0)
    return nodes.where(inside, result, _background(nodes, pre))


def unplaced(nodes: Nodes, images: Value, boxes: Value, pre: Preprocessing) -> Value:
    """Boxes (images, boxes, 4) in pixels of the network's image as those of the pictures, as `Boxes.in_picture`."""
    down, across = _placed(nodes, pre, nodes.size(images, 1), nodes.size(images, 2))
    numbers = zip(_affine(across), _affine(down), strict=True)
    scale, shift, least, most = (
        nodes.joined(*(one.cast(np.float32).axes(0) for one in (x, y, x, y)), axis=0) for x, y in numbers
    )
    return ((boxes - shift) / scale).at_least(least).at_most(most)


def _affine(axis: Axis) -> tuple[Value, ...]:
    """What pixels of the source are multiplied by, and what is added then, along an axis; where it begins and ends."""
    start, end = axis.start.cast(np.float64), axis.end.cast(np.float64)
    scale = axis.length.cast(np.float64) / (end - start)
    return scale, axis.first.cast(np.float64) - start * scale, start, end


# ---- channels ----


def _channels(nodes: Nodes, images: Value, channels: int) -> Value:
    """The channels of the network, before the height: grey from colours as Pillow makes it, and colours from grey."""
    shape = nodes.apply("Shape", images, kind=np.int64)
    sides = nodes.apply("Gather", shape, nodes.whole([0, 1, 2]), axis=0)
    three = nodes.apply("Concat", sides, nodes.whole([3]), axis=0)
    colours = nodes.apply("Expand", images, three).moved(0, 3, 1, 2)
    if channels == 3:
        return colours
    parts = nodes.constant(np.array(GREY, dtype=np.int32).reshape(3, 1, 1))
    total = nodes.total(colours.cast(np.int32) * parts, 1)
    return ((total + 32768) / 65536).cast(np.uint8)


def _background(nodes: Nodes, pre: Preprocessing) -> Value:
    grey = sum(part * colour for part, colour in zip(GREY, pre.background, strict=True)) + 32768 >> 16
    numbers = pre.background if pre.channels == 3 else (grey,)
    return nodes.constant(np.array(numbers, dtype=np.uint8).reshape(-1, 1, 1))


# ---- places ----


def _placed(nodes: Nodes, pre: Preprocessing, height: Value, width: Value) -> tuple[Axis, Axis]:
    """What `Preprocessing.placement` gives, along the height and the width."""
    none, full_h, full_w = (nodes.constant(np.array(side, dtype=np.int64)) for side in (0, pre.height, pre.width))
    if pre.resize == "stretch":
        return _whole(nodes, height, none, full_h), _whole(nodes, width, none, full_w)
    if pre.resize == "letterbox":
        wide = width * pre.height >= height * pre.width
        new_w = ((width * (2 * pre.height) + height) / (height * 2)).at_least(1)
        new_h = ((height * (2 * pre.width) + width) / (width * 2)).at_least(1)
        new_w, new_h = nodes.where(wide, full_w, new_w), nodes.where(wide, new_h, full_h)
        down = _whole(nodes, height, (full_h - new_h) / 2, new_h)
        return down, _whole(nodes, width, (full_w - new_w) / 2, new_w)
    h, w = height.cast(np.float64), width.cast(np.float64)
    kept_h = h.at_most(w * pre.height / pre.width) * pre.crop
    kept_w = w.at_most(h * pre.width / pre.height) * pre.crop
    top, left = (h - kept_h) / 2, (w - kept_w) / 2
    down = Axis(height, top.cast(np.float32), (top + kept_h).cast(np.float32), none, full_h)
    return down, Axis(width, left.cast(np.float32), (left + kept_w).cast(np.float32), none, full_w)


def _whole(nodes: Nodes, size: Value, first: Value, length: Value) -> Axis:
    return Axis(size, nodes.constant(np.array(0, dtype=np.float32)), size.cast(np.float32), first, length)


# ---- what a pixel takes of others ----


def _taken(nodes: Nodes, axis: Axis, side: int, interpolation: str) -> Taken:
    """What each of `side` pixels takes, in Pillow's steps and their order."""
    start, length = axis.start.cast(np.float64), axis.length.cast(np.float64)
    place = nodes.constant(np.arange(side, dtype=np.float64)) - axis.first.cast(np.float64)
    covered = (place >= 0.0) & (place < length)
    scale = (axis.end - axis.start).cast(np.float64) / length
    source = nodes.count(axis.size.cast(np.float64))
    if interpolation == "nearest":
        return Taken(_nearest(nodes, start, place, source, scale), covered)
    support, weigh = FILTERS[interpolation]
    stretched = scale.at_least(1.0)
    reach = stretched * support
    centre = (start + (place + 0.5) * scale).axes(1)
    inside = (source >= (centre - reach + 0.5).floor()) & (source < (centre + reach + 0.5).floor())
    one = nodes.constant(np.array(1.0))
    weights = nodes.where(inside, weigh(nodes, (source - centre + 0.5) * (one / stretched)), 0.0)
    total = nodes.total(weights, 1)
    shares = weights / nodes.where(total.abs() > 0.0, total, 1.0) * float(ONE)
    rounded = (shares.abs() + 0.5).floor()
    return Taken(nodes.where(shares < 0.0, rounded * -1.0, rounded), covered)


def _nearest(nodes: Nodes, start: Value, place: Value, source: Value, scale: Value) -> Value:
    """The one pixel that Pillow finds by adding the scale up, pixel after pixel."""
    steps = nodes.where(place <= 0.0, nodes.where(place < 0.0, 0.0, start + scale * 0.5), scale)
    at = nodes.apply("CumSum", steps, nodes.constant(np.array(0, dtype=np.int64))).floor().axes(1)
    return nodes.where((source >= at) & (source <= at), float(ONE), 0.0, np.float64)


def _digits(nodes: Nodes, numbers: Value) -> list[tuple[Value, Value]]:
    """Whole numbers of float64 as three digits of 8 bits, the highest first, and what of each stands for 0."""
    zero, middle_one = (nodes.constant(np.array(number, dtype=np.uint8)) for number in (0, 128))
    high = (numbers * 2.0**-16).floor()
    rest = numbers - high * 2.0**16
    middle = (rest * 2.0**-8).floor()
    low = rest - middle * 2.0**8
    return [
        ((high + 128.0).cast(np.uint8), middle_one),
        (middle.cast(np.uint8), zero),
        (low.cast(np.uint8), zero),
    ]


def _rounded(digits: Sequence[Value]) -> Value:
    """The sums of a pass, given by digits, as 8-bit numbers."""
    high, middle, low = (digit.cast(np.float64) for digit in digits)
    sums = (high * 256.0 + middle) * 256.0 + low
    return ((sums + ONE / 2) * (1 / ONE)).floor().at_least(0.0).at_most(255.0).cast(np.uint8)


# ---- filters ----


def _box(nodes: Nodes, x: Value) -> Value:
    return nodes.where((x > -0.5) & (x <= 0.5), 1.0, 0.0, np.float64)


def _bilinear(nodes: Nodes, x: Value) -> Value:
    x = x.abs()
    return nodes.where(x < 1.0, x * -1.0 + 1.0, 0.0)


def _bicubic(nodes: Nodes, x: Value) -> Value:
    x = x.abs()
    near = (x * 1.5 - 2.5) * x * x + 1.0
    far = (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5
    return nodes.where(x < 1.0, near, nodes.where(x < 2.0, far, 0.0))


def _lanczos(nodes: Nodes, x: Value) -> Value:
    both = _sinc(nodes, x) * _sinc(nodes, x / 3.0)
    return nodes.where((x >= -3.0) & (x < 3.0), both, 0.0)


def _sinc(nodes: Nodes, x: Value) -> Value:
    none = (x >= 0.0) & (x <= 0.0)
    angle = nodes.where(none, 1.0, x * math.pi, np.float64)
    return nodes.where(none, 1.0, angle.sin() / angle, np.float64)


FILTERS: Mapping[str, tuple[float, Callable[[Nodes, Value], Value]]] = {
    "box": (0.5, _box),
    "bilinear": (1.0, _bilinear),
    "bicubic": (2.0, _bicubic),
    "lanczos": (3.0, _lanczos),
}  # how far each reaches, and what it gives
