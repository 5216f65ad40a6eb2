"""A size that a network does not take is one clear ValueError, in a generated module; graphs are recorded as before."""

from __future__ import annotations

import pytest
import torch

import spinedsl
from spinedsl.source import Source

NET = """\
spine 1
import std.stems
import std.blocks
network Net {
    input image: 3 x 64 x 96
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block a: residual level 3 after s channels 8
    block b: residual level 4 after a channels 8
    output C4: b
}
"""
ANY = NET.replace("    defaults", "    rules { sizes any }\n    defaults")
# A definition reads the width, so that axis is fixed.
FIXED = (
    NET.replace("network", "block_type wide(x, channels) -> channels {\n"
                "    return average_pool(conv(x, channels, kernel = 1), kernel = x.width + 1)\n}\nnetwork", 1)
    .replace("output C4: b", "block c: wide level 4 after b channels 8\n    output C4: c")
)  # fmt: skip


def loaded(text: str) -> spinedsl.Backbone:
    return spinedsl.load(Source.from_text(text, "net.spine")).eval()


def image(height: int, width: int) -> torch.Tensor:
    return torch.zeros(1, 3, height, width)


@pytest.mark.parametrize(("height", "width", "fitting"), [(72, 96, "80x96"), (64, 90, "64x96"), (8, 8, "16x16")])
def test_what_the_divisor_does_not_divide(height: int, width: int, fitting: str) -> None:
    """Strides alone would take 72 pixels, and give a map that no other engine gives."""
    said = f"height and width must divide by 16, got {height}x{width}: pad images to {fitting}"
    with pytest.raises(ValueError, match=said):
        loaded(NET)(image(height, width))


def test_what_it_divides() -> None:
    assert loaded(NET)(image(32, 128))["C4"].shape[2:] == (2, 8)
    assert loaded(ANY)(image(33, 127))["C4"].shape[2:] == (3, 8)


def test_an_axis_that_is_fixed() -> None:
    network = loaded(FIXED)
    assert network(image(32, 96))["C4"].shape[2:] == (2, 6)
    with pytest.raises(ValueError, match="the network was compiled for a width of 96, got 128"):
        network(image(32, 128))
    with pytest.raises(ValueError, match="must divide by 16, got 40x96"):
        network(image(40, 96))


def test_graphs_are_recorded_as_before() -> None:
    network = loaded(NET)
    assert isinstance(network, torch.nn.Module)
    traced = torch.fx.symbolic_trace(network)
    assert traced(image(32, 32))["C4"].shape[2:] == (2, 2)
    sides = {2: 16 * torch.export.Dim("h", min=1, max=9), 3: 16 * torch.export.Dim("w", min=1, max=9)}
    exported = torch.export.export(network, (image(64, 64),), dynamic_shapes=(sides,)).module()
    assert exported(image(96, 32))["C4"].shape[2:] == (6, 2)
