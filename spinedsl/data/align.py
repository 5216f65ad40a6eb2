"""Faces aligned by five points: turned, scaled and moved so that eyes, nose and mouth are where ArcFace expects them.

In: a picture, and the points of its face as x and y in pixels, the middle of the pixel at the top left being (0, 0):
left eye, right eye, nose, left and right corner of the mouth, as they are in the picture. Out: 112 x 112 pixels.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spinedsl.data.pictures import Pixels

Points = tuple[float, ...]  # x and y of five points, one after the other
Matrix = NDArray[np.float64]

SIDE = 112
TEMPLATE: Points = (
    38.2946, 51.6963,
    73.5318, 51.5014,
    56.0252, 71.7366,
    41.5493, 92.3655,
    70.7299, 92.2041,
)  # fmt: skip  # of ArcFace (arXiv 1801.07698), in 112 x 112 pixels


def similarity(source: Matrix, target: Matrix) -> Matrix:
    """The 2 x 3 matrix of the rotation, scaling and shift that brings `source` nearest to `target` (n x 2 points each).

    Nearest by the sum of squared distances, in closed form (Umeyama 1991; in the plane no reflection has to be ruled
    out, since (a, b) below can express none).

    Raises:
        ValueError: all source points are in one place.
    """
    middle, aim = source.mean(axis=0), target.mean(axis=0)
    x, y = (source - middle).T
    u, v = (target - aim).T
    spread = float((x * x + y * y).sum())
    if spread < 1e-9:
        raise ValueError("all points are in one place")
    a, b = float((x * u + y * v).sum()) / spread, float((x * v - y * u).sum()) / spread
    turn = np.array([[a, -b], [b, a]])
    return np.column_stack([turn, aim - turn @ middle])


def aligned(pixels: Pixels, points: Points) -> Pixels:
    """The face of a picture as 112 x 112 pixels; what lies outside of the picture is black.

    Raises:
        ValueError: the points are in one place.
    """
    from PIL import Image  # noqa: PLC0415 - who aligns nothing needs none

    # Pillow counts from the corner of a pixel, and points from its middle.
    source, target = (np.array(one, dtype=np.float64).reshape(-1, 2) + 0.5 for one in (points, TEMPLATE))
    back = np.linalg.inv(np.vstack([similarity(source, target), [0, 0, 1]]))[:2]
    channels = pixels.shape[2]
    image = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if channels == 1 else pixels))
    data = tuple(float(number) for number in back.reshape(-1))
    moved = image.transform((SIDE, SIDE), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)
    return np.array(moved, dtype=np.uint8).reshape(SIDE, SIDE, channels)


def wrong_points(numbers: list[str]) -> str:
    """What is wrong with ten numbers of a list as points of a face, or nothing."""
    try:
        found = [float(number) for number in numbers]
    except ValueError:
        return "it has what is no number"
    if not all(map(math.isfinite, found)):
        return "it has numbers that are not finite"
    points = np.array(found).reshape(-1, 2)
    if np.ptp(points, axis=0).max() < 1e-3:
        return "all five points are in one place"
    if abs(float(np.linalg.det(np.vstack([similarity(points, np.array(TEMPLATE).reshape(-1, 2)), [0, 0, 1]])))) < 1e-9:
        return "its points do not look like a face"
    return ""
