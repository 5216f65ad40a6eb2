"""The bugs that `benchmarks/planted.py` plants: a table for each part of the package."""

from benchmarks.plants import (
    compare,
    data,
    detection,
    draw,
    export,
    inference,
    language,
    meaning,
    onnx,
    passes,
    pytorch,
    rewriting,
    search,
    shell,
    spaces,
    speed,
    training,
    weights,
)
from benchmarks.plants.plant import Plant

PLANTS: tuple[Plant, ...] = (
    *language.PLANTS,
    *meaning.PLANTS,
    *pytorch.PLANTS,
    *onnx.PLANTS,
    *passes.PLANTS,
    *compare.PLANTS,
    *weights.PLANTS,
    *draw.PLANTS,
    *shell.PLANTS,
    *training.PLANTS,
    *data.PLANTS,
    *detection.PLANTS,
    *export.PLANTS,
    *inference.PLANTS,
    *spaces.PLANTS,
    *search.PLANTS,
    *speed.PLANTS,
    *rewriting.PLANTS,
)

__all__ = ["PLANTS", "Plant"]
