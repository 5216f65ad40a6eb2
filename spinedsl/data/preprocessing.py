"""What a network expects of a picture, declared once: size, how a picture gets that size, channels, mean and scale.

In: `uint8` pixels of any size. Out: `float32` numbers, channels x height x width. Training, evaluation, prediction and
every exported graph read the one `Preprocessing`, which goes into checkpoints as JSON. It has two halves:

* `fit`, done by Pillow: the picture gets its size and its channels, still as `uint8`. What resampling computes differs
  between libraries, so an exported model either does Pillow's steps, to the same bits, or leaves this half outside.
* `normalised`: a cast, a subtraction, a division and a transposition, the same to the last bit in NumPy, PyTorch and
  ONNX Runtime. `graph` lists them, so that an exported model takes `uint8` pixels and does this half itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinedsl.brief import brief, counted
from spinedsl.data.pictures import WHITE, Colour, Pixels
from spinedsl.diagnostics.suggest import nearest
from spinedsl.record import Record, asdict, names
from spinedsl.settings import is_number

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image, Resampling

Numbers = NDArray[np.float32]

RESIZES = ("stretch", "crop", "letterbox")
INTERPOLATIONS = ("nearest", "box", "bilinear", "bicubic", "lanczos")
ORDERS = ("rgb", "bgr")
MAX_SIDE = 16384
ABOUT: Mapping[str, str] = {
    "height": "of the image in the network, in pixels; the network's own if not given",
    "width": "the same",
    "resize": f"how an image gets that size: {', '.join(RESIZES)}",
    "interpolation": f"by which filter: {', '.join(INTERPOLATIONS)}",
    "channels": "3, or 1 for grey; the network's own if not given",
    "order": f"of colours: {', '.join(ORDERS)}",
    "mean": "of numbers from 0 to 1, one a channel; ImageNet's if not given, and 0.5 for grey",
    "std": "the standard deviation of the same",
    "crop": 'of resize = "crop": the share of each side that is kept',
    "background": "what transparent images lie on: red, green and blue from 0 to 255",
}  # each setting in words
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Wrong(Record):
    """What is wrong with one setting: its key, what was expected, what there is, and perhaps what was meant."""

    key: str
    expected: str
    got: str
    meant: str | None = None
    is_unknown: bool = False  # nothing reads the key

    def __str__(self) -> str:
        meant = f"; did you mean `{self.meant}`?" if self.meant else ""
        return f"{self.key}: expected {self.expected}, got {self.got}{meant}"


class Placement(Record):
    """Which part of a picture goes where.

    `box` of the source (left, top, right, bottom, in its pixels) becomes the rectangle of `width` x `height` pixels at
    `left`, `top` of the result. What that does not cover is background.
    """

    box: tuple[float, float, float, float]
    left: int
    top: int
    width: int
    height: int

    def affine(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """What left, top, right and bottom in the picture are multiplied by, and what is then added, for the result."""
        left, top, right, bottom = self.box
        across, down = self.width / (right - left), self.height / (bottom - top)
        x, y = self.left - left * across, self.top - top * down
        return (across, down, across, down), (x, y, x, y)

    def resized(self, left: int, top: int, width: int, height: int, window: tuple[int, int, int, int]) -> Placement:
        """What is seen in a window of the result where `box` becomes another rectangle, which is in part in it."""
        first, upper = max(left, window[0]), max(top, window[1])
        last, lower = min(left + width, window[2]), min(top + height, window[3])
        x, y = (self.box[2] - self.box[0]) / width, (self.box[3] - self.box[1]) / height
        start = (self.box[0] + (first - left) * x, self.box[1] + (upper - top) * y)
        end = (self.box[2] - (left + width - last) * x, self.box[3] - (top + height - lower) * y)
        return Placement((*start, *end), first, upper, last - first, lower - upper)


class GraphStep(Record):
    """One operation of `normalised`.

    `reverse` the channels, `cast` to float32, `subtract` and `divide` by one number a channel, `transpose` to
    channels x height x width.
    """

    op: str
    values: tuple[float, ...] = ()


class Preprocessing(Record):
    """Size, resizing, channels and normalisation of what a network takes.

    * `resize`: `stretch` both sides; `crop` the largest centred part of the right shape, of which the number `crop` is
      the share of each side that is kept; `letterbox` the whole picture, with `background` at two sides.
    * `interpolation`: Pillow's filters, which smooth when they make smaller.
    * `channels`: 3, or 1 for grey (Pillow's: 0.299 red, 0.587 green, 0.114 blue). `order` is that of colours.
    * `mean`, `std`: of numbers from 0 to 1, one a channel in the order of the network's channels; ImageNet's where
      nothing is given, and 0.5 for grey.
    * `background`: what transparent pictures lie on (red, green, blue).

    Raises:
        ValueError: settings that cannot be; it names all of them.
    """

    height: int
    width: int
    resize: str = "stretch"
    interpolation: str = "bilinear"
    channels: int = 3
    order: str = "rgb"
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    crop: float = 1.0
    background: Colour = WHITE

    def __post_init__(self) -> None:
        if wrong := tuple(_wrong(asdict(self))):
            raise ValueError("; ".join(map(str, wrong)))
        for name, of_imagenet in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            usual = (0.5,) if self.channels == 1 else of_imagenet[::-1] if self.order == "bgr" else of_imagenet
            object.__setattr__(self, name, tuple(map(float, getattr(self, name) or usual)))
        object.__setattr__(self, "background", tuple(self.background))

    # ---- the half that Pillow does ----

    def fit(self, pixels: Pixels) -> Pixels:
        """A picture of any size and 1 or 3 channels as one of the network's: `uint8`, height x width x channels."""
        height, width = pixels.shape[:2]
        return self.placed(pixels, self.placement(height, width))

    def placement(self, height: int, width: int) -> Placement:
        """What `fit` does with a picture of this size."""
        whole = (0.0, 0.0, float(width), float(height))
        if self.resize == "letterbox":
            wide = self.width * height <= self.height * width  # the sides are full, and there is room above and below
            new_w = self.width if wide else max(1, (2 * width * self.height + height) // (2 * height))
            new_h = max(1, (2 * height * self.width + width) // (2 * width)) if wide else self.height
            return Placement(whole, (self.width - new_w) // 2, (self.height - new_h) // 2, new_w, new_h)
        if self.resize == "crop":
            kept_h = self.crop * min(height, width * self.height / self.width)
            kept_w = self.crop * min(width, height * self.width / self.height)
            left, top = (width - kept_w) / 2, (height - kept_h) / 2
            whole = (left, top, left + kept_w, top + kept_h)
        return Placement(whole, 0, 0, self.width, self.height)

    def placed(self, pixels: Pixels, placement: Placement, around: Colour | None = None) -> Pixels:
        """The network's picture that a placement makes of another one; `around` is `background` unless it is given."""
        as_it_is = Placement((0.0, 0.0, float(self.width), float(self.height)), 0, 0, self.width, self.height)
        if pixels.shape == (self.height, self.width, self.channels) and placement == as_it_is:
            return pixels.copy()
        from PIL import Image  # noqa: PLC0415 - who only looks at sizes needs none

        image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        mode = "L" if self.channels == 1 else "RGB"
        size = (placement.width, placement.height)
        resample = Image.Resampling[self.interpolation.upper()]
        resized = _resized(image.convert(mode), size, resample, placement.box)
        if size != (self.width, self.height):
            whole = Image.new("RGB", (self.width, self.height), around or self.background).convert(mode)
            whole.paste(resized, (placement.left, placement.top))
            resized = whole
        return np.array(resized, dtype=np.uint8).reshape(self.height, self.width, self.channels)

    # ---- the half that goes into graphs ----

    @property
    def shift(self) -> Numbers:
        """What is subtracted from each channel of pixels from 0 to 255: 255 times the mean, rounded to float32."""
        return (255.0 * np.array(self.mean, dtype=np.float64)).astype(np.float32)

    @property
    def scale(self) -> Numbers:
        """What each channel is divided by then: 255 times the standard deviation, rounded to float32."""
        return (255.0 * np.array(self.std, dtype=np.float64)).astype(np.float32)

    def normalised(self, pixels: Pixels) -> Numbers:
        """Pictures of the network's size as its numbers; the channels, last before, then stand before the height."""
        ordered = pixels[..., ::-1] if self.order == "bgr" and self.channels == 3 else pixels
        numbers = (ordered.astype(np.float32) - self.shift) / self.scale
        return np.ascontiguousarray(np.moveaxis(numbers, -1, -3))

    def normalised_tensor(self, pixels: torch.Tensor) -> torch.Tensor:
        """The same of a tensor, on its device, to the same bits."""
        import torch  # noqa: PLC0415 - only who trains has one

        ordered = pixels.flip(-1) if self.order == "bgr" and self.channels == 3 else pixels
        shift, scale = (torch.from_numpy(value).to(pixels.device) for value in (self.shift, self.scale))
        return ((ordered.to(torch.float32) - shift) / scale).movedim(-1, -3).contiguous()

    def graph(self) -> tuple[GraphStep, ...]:
        """What a graph does to pictures of the network's size, in order: `normalised`, operation by operation."""
        steps = [GraphStep("reverse")] if self.order == "bgr" and self.channels == 3 else []
        numbers = [("subtract", self.shift), ("divide", self.scale)]
        steps += [GraphStep("cast"), *(GraphStep(op, tuple(map(float, values))) for op, values in numbers)]
        return (*steps, GraphStep("transpose"))

    def apply(self, pixels: Pixels) -> Numbers:
        """Both halves: a picture of any size as `float32` numbers, channels x height x width."""
        return self.normalised(self.fit(pixels))

    # ---- as JSON ----

    def to_json(self) -> dict[str, Any]:
        """The settings, as JSON can hold them."""
        return asdict(self)

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Preprocessing:
        """What `to_json` gave.

        Raises:
            ValueError: settings that cannot be; it names all of them.
        """
        if wrong := mistakes(values):
            raise ValueError("; ".join(map(str, wrong)))
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        return Preprocessing(**given)


def _resized(image: Image, size: tuple[int, int], filter_: Resampling, box: tuple[float, float, float, float]) -> Image:
    """A part of a picture at another size, by rows and then by columns.

    Which of the two Pillow does first depends on its version and on the sizes, and the last bits on that.
    """
    if filter_ == 0:  # the nearest pixel, for which it does not matter
        return image.resize(size, filter_, box)
    left, top, right, bottom = box
    narrow = image.resize((size[0], image.height), filter_, (left, 0, right, image.height))
    return narrow.resize(size, filter_, (0, top, size[0], bottom))


def mistakes(values: Mapping[str, Any]) -> tuple[Wrong, ...]:
    """All that is wrong with settings as a file has them, where a key may be missing, or have no meaning."""
    known = names(Preprocessing)
    found = [
        Wrong(key, ", ".join(known), "a key that nothing reads", nearest(key, known), is_unknown=True)
        for key in values
        if key not in known
    ]
    found += [Wrong(key, "a number of pixels", "nothing") for key in ("height", "width") if key not in values]
    return (*found, *_wrong({key: value for key, value in values.items() if key in known}))


def _wrong(values: Mapping[str, Any]) -> Iterator[Wrong]:
    """What cannot be of settings whose names are known."""
    for key in ("height", "width"):
        if key in values and not _is_whole(values[key], 1, MAX_SIDE):
            yield Wrong(key, f"a number of pixels from 1 to {MAX_SIDE:,}", brief(values[key]))
    for key, choices in (("resize", RESIZES), ("interpolation", INTERPOLATIONS), ("order", ORDERS)):
        value = values.get(key, choices[0])
        if value not in choices:
            meant = nearest(value, choices) if isinstance(value, str) else None
            yield Wrong(key, f"one of {', '.join(choices)}", brief(value), meant)
    channels = values.get("channels", 3)
    if not (_is_whole(channels, 1, 3) and channels != 2):
        yield Wrong("channels", "3, or 1 for grey", brief(channels))
        channels = 0
    if channels == 1 and values.get("order", "rgb") == "bgr":
        yield Wrong("order", "nothing where there are no colours (channels = 1)", "bgr")
    yield from _wrong_numbers(values, channels)
    crop = values.get("crop", 1.0)
    if not (is_number(crop) and 0 < crop <= 1):
        yield Wrong("crop", "a share of each side above 0, up to 1", brief(crop))
    elif crop != 1 and values.get("resize", "stretch") != "crop":
        yield Wrong("crop", 'nothing unless resize is "crop"', brief(crop))
    background = values.get("background", WHITE)
    are_three = isinstance(background, Sequence) and len(background) == 3
    if not (are_three and all(_is_whole(number, 0, 255) for number in background)):
        yield Wrong("background", "red, green and blue from 0 to 255", brief(background))


def _wrong_numbers(values: Mapping[str, Any], channels: int) -> Iterator[Wrong]:
    """What cannot be of mean and std: those of pixels from 0 to 255 are the usual mistake."""
    for key in ("mean", "std"):
        numbers = values.get(key) or ()
        if not isinstance(numbers, Sequence) or isinstance(numbers, str) or not all(map(is_number, numbers)):
            yield Wrong(key, "a list of numbers, one a channel", brief(numbers))
        elif numbers and channels and len(numbers) != channels:
            yield Wrong(key, f"{counted(channels, 'number')}, one a channel", f"{len(numbers)}")
        elif any(number > 1 for number in numbers):
            yield Wrong(key, "numbers from 0 to 1", brief(numbers), str([round(n / 255, 6) for n in numbers]))
        elif any(number < 0 or (key == "std" and 255 * number < 1e-3) for number in numbers):
            yield Wrong(key, "positive numbers" if key == "std" else "numbers from 0 to 1", brief(numbers))


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
