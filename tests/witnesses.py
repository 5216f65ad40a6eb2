"""What tests ask the witnesses: whether all give the same, and what one of them gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from spinedsl.agreement import Size, agree, image, lively_weights
from spinedsl.ops.primitives import Parameter
from spinedsl.ops.program import Program
from spinedsl.ops.verify import verify
from spinedsl.testing.laws import SEED, THREE

Array: TypeAlias = NDArray[np.float32]
Sizes: TypeAlias = tuple[int, int, int]  # images, height, width
EXAMPLES = Path(__file__).parent.parent / "examples"


def assert_witnesses_agree(program: Program, sizes: Iterable[Sizes | Size]) -> None:
    """All of them on the same weights and images; the ONNX model keeps batch, height and width open."""
    verify(program)
    asked = [size if isinstance(size, Size) else Size(*size) for size in sizes]
    report = agree(program, asked, seed=SEED, witnesses=THREE)
    assert set(report.witnesses) == {witness.name for witness in THREE}, report.missing
    assert report.agrees, list(report.disagreements())
    assert len(report.differences) == len(asked) * len(program.outputs) * len(THREE)


def weights_of(parameters: Mapping[str, Parameter]) -> dict[str, Array]:
    """Seeded weights that all show in the outputs."""
    return lively_weights(parameters, SEED)


def images(program: Program, sizes: Iterable[Sizes]) -> list[Array]:
    """Seeded images."""
    return [image(program, Size(*size), SEED) for size in sizes]


def run_torch(module: torch.nn.Module, pixels: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Outputs of a module, in its own order."""
    with torch.no_grad():
        return {name: value.numpy() for name, value in module(torch.from_numpy(pixels)).items()}
