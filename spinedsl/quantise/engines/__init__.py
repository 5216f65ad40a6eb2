"""Engines: what places the operations of int8. Each is a file with `prepared`, and its models need ONNX Runtime alone.

    onnxruntime   ONNX Runtime's quantiser
    nncf          NNCF, which moves biases by what rounding a kernel adds to the mean of its output

For both a range is from the least to the largest number of a value over all images.

Which rows become int8, and how far the model is from the float one, is decided outside of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from onnx import ModelProto

    from spinedsl.quantise.network import Array, Float

    Made: TypeAlias = Callable[[Collection[str]], ModelProto]  # from rows to the model in which just these are int8
else:
    Made = object

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "onnxruntime": ("onnx", "onnxruntime"),
    "nncf": ("onnx", "onnxruntime", "nncf"),
}  # that each takes; its file has its name
ENGINES = tuple(PACKAGES)
USUAL = "onnxruntime"


def prepared(engine: str, network: Float, images: Sequence[Array], *, reduce_range: bool = False) -> Made:
    """What an engine makes of a network, after it has seen images, each (1, channels, height, width)."""
    made: Made = import_module(f"{__name__}.{engine}").prepared(network, images, reduce_range=reduce_range)
    return made


def version(engine: str) -> str:
    """The engine and its version, once it was used: both have the name of their package."""
    return f"{engine} {import_module(engine).__version__}"
