"""Weights and images as pure functions of names and shapes: the stored outputs were made with these values."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def _generator(key: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(key.encode()))  # the legacy stream, which never changes


def official_value(name: str, shape: tuple[int, ...]) -> Array:
    """The tensor of a reference name, in TensorFlow's layout."""
    draw = _generator("w:" + name)
    kind = name.rpartition(".")[2]
    if kind == "kernel":
        value = draw.standard_normal(shape) * np.sqrt(1.5 / np.prod(shape[:3]))
    elif kind == "depthwise_kernel":
        value = draw.standard_normal(shape) * np.sqrt(2.0 / np.prod(shape[:2]))
    elif kind == "gamma":
        value = 1.0 + 0.1 * draw.standard_normal(shape)
    elif kind == "moving_variance":
        value = draw.uniform(0.5, 1.5, shape)
    else:
        value = 0.1 * draw.standard_normal(shape)
    return np.asarray(value, dtype=np.float32)


def image(height: int, width: int, batch: int) -> Array:
    """Noise, waves and an offset in each channel, NCHW: outputs depend on where in the image they look."""
    draw = _generator(f"x:{batch}x{height}x{width}")
    pixels = 0.5 * draw.standard_normal((batch, height, width, 3))
    rows, columns = np.meshgrid(np.arange(height) / height, np.arange(width) / width, indexing="ij")
    for index in range(batch):
        for channel in range(3):
            for _ in range(3):
                fy, fx, phase, size = (draw.uniform(*ends) for ends in ((-3, 3), (-3, 3), (0, 6.28), (0.5, 1.5)))
                pixels[index, :, :, channel] += size * np.sin(6.283185307179586 * (fy * rows + fx * columns) + phase)
            pixels[index, :, :, channel] += draw.uniform(-1, 1)
    return np.ascontiguousarray(pixels.astype(np.float32).transpose(0, 3, 1, 2))
