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
from spinedsl.record import Record, asdict
from spinedsl.settings import Odd, Setting, Table, in_words, problems

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image, Resampling

Numbers = NDArray[np.float32]

RESIZES = ("stretch", "crop", "letterbox")
INTERPOLATIONS = ("nearest", "box", "bilinear", "bicubic", "lanczos")
ORDERS = ("rgb", "bgr")
MAX_SIDE = 16384
TABLE = Table(
    (
        Setting(
            "height",
            "whole",
            None,
            "of the image in the network, in pixels; the network's own if not given",
            1,
            MAX_SIDE,
            elsewhere=("imgsz", "img_size", "image_size", "input_size", "size"),
        ),
        Setting("width", "whole", None, "the same", 1, MAX_SIDE),
        Setting("resize", "text", "stretch", "how an image gets that size", choices=RESIZES),
        Setting("interpolation", "text", "bilinear", "by which filter", choices=INTERPOLATIONS),
        Setting("channels", "whole", None, "3, or 1 for grey; the network's own if not given", 1, 3),
        Setting("order", "text", "rgb", "of colours", choices=ORDERS),
        Setting(
            "mean", "numbers", [], "of numbers from 0 to 1, one a channel; ImageNet's if not given, and 0.5 for grey", 0
        ),
        Setting("std", "numbers", [], "the standard deviation of the same", 0),
        Setting("crop", "number", 1.0, 'of resize = "crop": the share of each side that is kept', above=0, most=1),
        Setting("background", "wholes", list(WHITE), "what transparent images lie on: red, green and blue", 0, 255),
    )
)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


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
        if wrong := unfit(asdict(self)):
            raise ValueError(wrong)
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
        if wrong := unfit(values):
            raise ValueError(wrong)
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


def unfit(values: Mapping[str, Any]) -> str:
    """All that is wrong with the settings of a `Preprocessing`, in words; nothing where it can be."""
    missing = [f"`{name}` is missing: {TABLE_OF[name].about}" for name in ("height", "width") if name not in values]
    found = in_words(problems(values, TABLE))
    if not found:
        found = "; ".join(f"{one.what}{': ' * bool(one.fix)}{one.fix}" for one in odds({"channels": 3, **values}))
    return "; ".join([*missing, *([found] if found else [])])


TABLE_OF = {setting.name: setting for setting in TABLE.settings}


def odds(values: Mapping[str, Any], prefix: str = "") -> Iterator[Odd]:
    """Settings that do not go together, each of which can be by itself.

    Args:
        values: as a file has them; the number of channels may be left to the network.
        prefix: what stands before the names of settings in words.
    """
    channels = values.get("channels")
    if channels == 2:
        yield Odd("channels", f"`{prefix}channels` are 3, or 1 for grey; got 2")
        channels = None
    if channels == 1 and values.get("order", "rgb") == "bgr":
        yield Odd("order", f"`{prefix}order` is that of colours, and one channel has no colours", "leave it out")
    for name in ("mean", "std"):
        yield from _numbers(name, values.get(name) or (), channels, prefix)
    if values.get("crop", 1) != 1 and values.get("resize", "stretch") != "crop":
        yield Odd("crop", f'`{prefix}crop` counts for resize = "crop" alone', "leave it out")
    if len(values.get("background", WHITE)) != 3:
        what = f"`{prefix}background` is red, green and blue, got {counted(len(values['background']), 'number')}"
        yield Odd("background", what)


def _numbers(name: str, numbers: Sequence[float], channels: int | None, prefix: str) -> Iterator[Odd]:
    """What cannot be of mean and std: those of pixels from 0 to 255 are the usual mistake."""
    many = (channels,) if channels else (1, 3)
    if numbers and len(numbers) not in many:
        wanted = f"{counted(channels or 3, 'number')}, one a channel" + ", or 1 for grey" * (not channels)
        yield Odd(name, f"`{prefix}{name}` must be {wanted}, got {len(numbers)}")
    elif any(number > 1 for number in numbers):
        what = f"`{prefix}{name}` is of numbers from 0 to 1, got {brief(list(numbers))}"
        yield Odd(name, what, f"did you mean `{[round(number / 255, 6) for number in numbers]}`?")
    elif name == "std" and any(255 * number < 1e-3 for number in numbers):
        yield Odd(name, f"`{prefix}std` is what numbers are divided by, got {brief(list(numbers))}")
