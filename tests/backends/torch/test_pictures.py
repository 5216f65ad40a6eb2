"""What is no image of numbers is refused by a generated module: bytes, and channels that stand last.

The layout in memory that PyTorch calls `channels_last` is none of these: it changes no shape, and no number.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import spinedsl
from spinedsl.data import Preprocessing

EXAMPLES = Path(__file__).parents[3] / "examples"
NETWORKS = {
    "grey": ("learning/fashion_mnist/networks.spine", "Permuted", (1, 28, 28)),
    "colours": ("resnet.spine", "ResNet50", (3, 64, 64)),
    "a divisor": ("spinenet.spine", "SpineNet49S", (3, 128, 128)),
}


def drawn(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


@pytest.mark.parametrize("name", NETWORKS)
def test_pictures_as_files_have_them_are_refused(name: str) -> None:
    file, network, (channels, height, width) = NETWORKS[name]
    module = spinedsl.load(EXAMPLES / file, network=network).eval()
    pictures = torch.from_numpy(drawn((2, height, width, channels)))
    with torch.no_grad():
        with pytest.raises(RuntimeError, match=r"Byte|dtype|type"):
            module(pictures.movedim(-1, -3))
        with pytest.raises((RuntimeError, ValueError), match=r"channels|divi"):
            module(pictures.float())
        with pytest.raises((RuntimeError, ValueError), match=r"channels|divi|Byte|type"):
            module(pictures)
        # What makes the one of the other.
        images = Preprocessing(height, width, channels=channels).normalised_tensor(pictures)
        found = module(images)
        again = module(images.contiguous(memory_format=torch.channels_last))
    for output, values in found.items():
        assert torch.allclose(values, again[output], atol=1e-4, rtol=1e-4)
