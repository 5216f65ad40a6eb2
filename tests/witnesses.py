"""What tests ask the witnesses: whether all give the same, and what one of them gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from spinedsl.agreement import WITNESSES, Report, Size, agree
from spinedsl.agreement.inputs import image, lively_weights
from spinedsl.ops.graph import flatten
from spinedsl.ops.primitives import Parameter
from spinedsl.ops.program import Program
from spinedsl.ops.types import Type, at_level
from spinedsl.ops.verify import verify

Array: TypeAlias = NDArray[np.float32]
Sizes: TypeAlias = tuple[int, int, int]  # images, height, width
EXAMPLES = Path(__file__).parent.parent / "examples"
QUICK = WITNESSES[:3]  # without OpenVINO, which takes longest to open a network


def assert_witnesses_agree(program: Program, sizes: Iterable[Sizes | Size]) -> None:
    """All of them on the same weights and images; the ONNX model keeps batch, height and width open."""
    verify(program)
    asked = [size if isinstance(size, Size) else Size(*size) for size in sizes]
    report = agree(program, asked, seed=7, witnesses=QUICK)
    assert set(report.witnesses) == {witness.name for witness in QUICK}, report.missing
    assert report.agrees, (report.failures, [found for found in report.differences if not found.agrees])
    assert_shapes(program, report)


def assert_shapes(program: Program, report: Report) -> None:
    """Every output was compared at every size, in the shape that its type says."""
    graph = flatten(program)
    assert len(report.differences) == len(report.sizes) * len(program.outputs) * len(report.witnesses)
    for found in report.differences:
        type_ = graph.types[graph.outputs[found.output]]
        assert found.shape == (found.size.batch, *shape_for(type_, found.size))


def shape_for(type_: Type, size: Size) -> tuple[int, ...]:
    """The shape that a value has for one image of another size than the program's."""
    channels = type_.axes or (type_.channels,)
    if type_.is_vector:
        return channels
    if type_.level is None:
        return (*channels, 1, 1)
    level, (tall, wide) = type_.level, type_.extra
    return (*channels, at_level(size.height, level) + tall, at_level(size.width, level) + wide)


def weights_of(parameters: Mapping[str, Parameter]) -> dict[str, Array]:
    """Seeded weights that all show in the outputs."""
    return lively_weights(parameters, 7)


def images(program: Program, sizes: Iterable[Sizes]) -> list[Array]:
    """Seeded images."""
    return [image(program, Size(*size), 7) for size in sizes]


def run_torch(module: torch.nn.Module, pixels: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Outputs of a module, in its own order."""
    with torch.no_grad():
        return {name: value.numpy() for name, value in module(torch.from_numpy(pixels)).items()}
