"""What random changes of pictures are made of: functions of `uint8` pixels, height x width x channels, by Pillow.

In: pixels, how much, and the colour of what comes in from outside. Out: pixels of the same size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from spinedsl.data.pictures import Colour, Pixels

if TYPE_CHECKING:
    from PIL.Image import Image


def of_channels(colour: Colour, channels: int) -> tuple[int, ...]:
    """A colour as pixels of 3 or 1 channels have it; grey has the first number."""
    return colour if channels == 3 else colour[:1]


def _image(pixels: Pixels) -> Image:
    from PIL import Image  # noqa: PLC0415 - half of the changes need none

    return Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels))


def _pixels(image: Image, channels: int) -> Pixels:
    found: Pixels = np.array(image, dtype=np.uint8)
    return found.reshape(*found.shape[:2], channels)


def rotated(pixels: Pixels, degrees: float, fill: Colour) -> Pixels:
    """Turned counterclockwise, of the same size; what comes in has the colour `fill`."""
    from PIL import Image  # noqa: PLC0415 - as above

    fills = of_channels(fill, pixels.shape[2])
    turned = _image(pixels).rotate(degrees, Image.Resampling.BILINEAR, fillcolor=fills if len(fills) > 1 else fills[0])
    return _pixels(turned, pixels.shape[2])


def _sheared(pixels: Pixels, matrix: tuple[float, ...], fill: Colour) -> Pixels:
    """An affine change of places: of each place of the result, the place in the picture that it comes from."""
    from PIL import Image  # noqa: PLC0415 - as above

    image, fills = _image(pixels), of_channels(fill, pixels.shape[2])
    colour = fills if len(fills) > 1 else fills[0]
    moved = image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=colour)
    return _pixels(moved, pixels.shape[2])


def enhanced(pixels: Pixels, name: str, factor: float) -> Pixels:
    """Pillow's `Brightness`, `Contrast`, `Color` or `Sharpness`; a factor of 1 changes nothing."""
    from PIL import ImageEnhance  # noqa: PLC0415 - as above

    return _pixels(getattr(ImageEnhance, name)(_image(pixels)).enhance(factor), pixels.shape[2])


def hue_turned(pixels: Pixels, turn: int) -> Pixels:
    """Hues moved along the circle by `turn` of 256."""
    from PIL import Image  # noqa: PLC0415 - as above

    hsv = np.array(_image(pixels).convert("HSV"), dtype=np.uint8)
    hsv[:, :, 0] = (hsv[:, :, 0].astype(np.int64) + turn) % 256
    height, width = pixels.shape[:2]
    return np.array(Image.frombytes("HSV", (width, height), hsv.tobytes()).convert("RGB"), dtype=np.uint8)


def _operation(name: str, *arguments: int) -> Callable[[Pixels, float, Colour], Pixels]:
    """One of Pillow's `ImageOps`, with a last argument that follows from the level where a range is given."""

    def operation(pixels: Pixels, level: float, fill: Colour) -> Pixels:
        from PIL import ImageOps  # noqa: PLC0415 - as above

        weakest, strongest = arguments or (0, 0)
        more = (round(weakest + (strongest - weakest) * abs(level)),) if arguments else ()
        return _pixels(getattr(ImageOps, name)(_image(pixels), *more), pixels.shape[2])

    return operation


def _factor(name: str) -> Callable[[Pixels, float, Colour], Pixels]:
    return lambda pixels, level, fill: enhanced(pixels, name, 1 + 0.9 * level)


OPERATIONS: dict[str, Callable[[Pixels, float, Colour], Pixels]] = {
    "identity": lambda pixels, level, fill: pixels,
    "autocontrast": _operation("autocontrast"),
    "equalize": _operation("equalize"),
    "posterize": _operation("posterize", 8, 4),
    "solarize": _operation("solarize", 256, 0),
    "rotate": lambda pixels, level, fill: rotated(pixels, 30 * level, fill),
    "shear_x": lambda pixels, level, fill: _sheared(pixels, (1, 0.3 * level, 0, 0, 1, 0), fill),
    "shear_y": lambda pixels, level, fill: _sheared(pixels, (1, 0, 0, 0.3 * level, 1, 0), fill),
    "move_x": lambda pixels, level, fill: _sheared(pixels, (1, 0, 0.33 * level * pixels.shape[1], 0, 1, 0), fill),
    "move_y": lambda pixels, level, fill: _sheared(pixels, (1, 0, 0, 0, 1, 0.33 * level * pixels.shape[0]), fill),
    "color": _factor("Color"),
    "contrast": _factor("Contrast"),
    "brightness": _factor("Brightness"),
    "sharpness": _factor("Sharpness"),
}  # RandAugment's, with the ranges of its paper (arXiv 1909.13719, after AutoAugment's table); a level is -1 to 1
