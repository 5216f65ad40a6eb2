"""The law that matters most: PyTorch, ONNX Runtime and the interpreter give the same numbers for the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import spinedsl
from spinedsl.backends import torch as torch_backend
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.verify import verify
from spinedsl.testing.witnesses import agree
from tests.generate import NETWORKS

EXAMPLES = Path(__file__).parent.parent / "examples"
FAMILY = [
    *(("spinenet.spine", name) for name in ("SpineNet49S", "SpineNet96", "SpineNet143", "SpineNet143L", "SpineNet190")),
    ("spinenet.spine", "SpineNet49S_C"),
    ("spinenet_mobile.spine", "SpineNetMobile49S_TPU"),
    ("spinenet_mobile.spine", "RetinaNetMobile49XS"),
    ("permuted.spine", "R23SP30_512"),
    ("resnet.spine", "ResNet18Classifier"),
    ("resnet.spine", "ResNet50_TPU"),
]
LARGE = ("spinenet.spine", "retinanet.spine", "classifier.spine", "fpn.spine", "permuted.spine")


@pytest.mark.parametrize(("file", "network"), [*NETWORKS.items(), *FAMILY])
def test_examples(file: str, network: str) -> None:
    program = spinedsl.program(EXAMPLES / file, network=network)
    verify(program)
    side = program.divisor
    agree(program, [(2, side, 2 * side)] if file in LARGE else [(1, side, side), (2, 3 * side, side)])


def test_pytorch_and_onnx_start_from_the_same_values() -> None:
    program = spinedsl.program(EXAMPLES / "tutorial" / "5_own_block.spine")
    module = torch_backend.build(program)
    for seed in (0, 1):
        cast(Any, module).reset(seed)
        for name, value in seeded(flatten(program).parameters, seed).items():
            assert np.array_equal(module.state_dict()[name].numpy(), value), name
