"""What `load` returns, for readers and type checkers: a PyTorch module that says what a backbone is asked for.

Compiled code needs torch alone, so its classes know nothing of this one: to a type checker a loaded network is a
subclass of `torch.nn.Module`, and at run time `isinstance(model, Backbone)` asks for the attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypedDict, runtime_checkable

if TYPE_CHECKING:
    from collections import OrderedDict

    from torch import Tensor, nn


class FeatureInfo(TypedDict):
    """One map of the feature pyramid, as timm and its users have it."""

    num_chs: int  # channels
    reduction: int  # pixels of the input by one of the map, along an axis
    module: str  # the submodule that gives it
    index: int


if TYPE_CHECKING:

    class Backbone(nn.Module):
        """A compiled network as a PyTorch module.

        It takes images of shape (batch, channels, height, width), float32, and gives feature maps by name, fine to
        coarse, then what its heads give.
        """

        size_divisor: int  # divides height and width of what it takes
        out_channels: int | list[int]  # of the feature pyramid: one number where all its maps have as many
        feature_info: list[FeatureInfo]  # of the feature pyramid

        def forward(self, image: Tensor, /) -> OrderedDict[str, Tensor]:
            """The outputs by name."""

        def __call__(self, image: Tensor, /) -> OrderedDict[str, Tensor]:
            """The outputs by name."""

        def reset(self, seed: int = 0) -> None:
            """Initialise every tensor. Its values depend on the seed and its own name alone."""

        def detect(
            self, images: Tensor, score: float = ..., top: int = ..., overlap: float = ..., most: int = ...
        ) -> dict[str, Tensor]:
            """Boxes by name, of a network that was loaded with `detect`."""


else:

    @runtime_checkable
    class Backbone(Protocol):
        """A compiled network as a PyTorch module.

        It takes images of shape (batch, channels, height, width), float32, and gives feature maps by name, fine to
        coarse, then what its heads give. `size_divisor` divides height and width of what it takes; `out_channels` (one
        number where all are the same) and `feature_info` are of the feature pyramid.
        """

        size_divisor: int
        out_channels: int | list[int]
        feature_info: list[FeatureInfo]

        def forward(self, image: Tensor, /) -> OrderedDict[str, Tensor]:
            """The outputs by name."""

        def reset(self, seed: int = 0) -> None:
            """Initialise every tensor. Its values depend on the seed and its own name alone."""
