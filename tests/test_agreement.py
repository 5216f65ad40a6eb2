"""The law that matters most: PyTorch, ONNX Runtime and the interpreter give the same numbers for the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import spinedsl
from spinedsl.agreement import WITNESSES, Report, Size, agree
from spinedsl.backends import torch as torch_backend
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.program import Program
from spinedsl.ops.verify import verify
from spinedsl.source import Source
from tests.generate import NETWORKS
from tests.networks import networks

EXAMPLES = Path(__file__).parent.parent / "examples"
FAMILY = [
    ("spinenet.spine", name) for name in ("SpineNet49S", "SpineNet96", "SpineNet143", "SpineNet143L", "SpineNet190")
]
QUICK = WITNESSES[:3]  # without OpenVINO, which takes longest to open a network


def assert_witnesses_agree(program: Program, sizes: list[Size]) -> None:
    """All of them on the same weights and images; the ONNX model keeps batch, height and width open."""
    verify(program)
    report = agree(program, sizes, seed=7, witnesses=QUICK)
    assert set(report.witnesses) == {witness.name for witness in QUICK}, report.missing
    assert report.agrees, (report.failures, [found for found in report.differences if not found.agrees])
    assert_shapes(program, report)


def assert_shapes(program: Program, report: Report) -> None:
    """Every output was compared at every size, in the shape that its type says."""
    graph = flatten(program)
    assert len(report.differences) == len(report.sizes) * len(program.outputs) * len(report.witnesses)
    for found in report.differences:
        type_ = graph.types[graph.outputs[found.output]]
        sides = (found.size.height >> (type_.level or 0), found.size.width >> (type_.level or 0))
        sides = (1, 1) if type_.level is None else sides
        assert found.shape == (found.size.batch, type_.channels, *sides)[: type_.rank]


@pytest.mark.parametrize(("file", "network"), [*NETWORKS.items(), *FAMILY])
def test_examples(file: str, network: str) -> None:
    program = spinedsl.program(EXAMPLES / file, network=network)
    side = program.divisor
    large = file in ("spinenet.spine", "retinanet.spine", "classifier.spine", "fpn.spine")
    assert_witnesses_agree(
        program, [Size(2, side, 2 * side)] if large else [Size(1, side, side), Size(2, 3 * side, side)]
    )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks())
def test_random_networks(text: str) -> None:
    outcome = spinedsl.check(Source.from_text(text))
    assert outcome.ok, outcome.diagnostics
    program = spinedsl.program(Source.from_text(text))
    assert_witnesses_agree(program, [Size(2, 2 * program.divisor, program.divisor)])


def test_pytorch_and_onnx_start_from_the_same_values() -> None:
    program = spinedsl.program(EXAMPLES / "tutorial" / "5_own_block.spine")
    module = torch_backend.build(program)
    for seed in (0, 1):
        cast(Any, module).reset(seed)
        for name, value in seeded(flatten(program).parameters, seed).items():
            assert np.array_equal(module.state_dict()[name].numpy(), value), name
