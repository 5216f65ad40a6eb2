"""The law that matters most: PyTorch, ONNX Runtime and the interpreter give the same numbers for the same weights.

Of the examples, here; of random networks, in `tests/laws`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import spinedsl
from spinedsl.agreement import Size, usual_sizes
from spinedsl.backends import torch as torch_backend
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from tests.generate import NETWORKS
from tests.witnesses import EXAMPLES, assert_witnesses_agree, images, run_torch

DEFINITIONS = Path(__file__).with_name("definitions")
FAMILY = [
    *(("spinenet.spine", name) for name in ("SpineNet49S", "SpineNet96", "SpineNet143", "SpineNet143L", "SpineNet190")),
    ("spinenet_tpu.spine", "SpineNet49S_C"),
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
    side = program.divisor
    sizes = [Size(2, side, 2 * side)] if file in LARGE else [Size(1, side, side), Size(2, 3 * side, side)]
    assert_witnesses_agree(program, usual_sizes(program)[:1] if program.static_axes else sizes)


@pytest.mark.parametrize("path", [EXAMPLES / "tutorial/5_own_block.spine", DEFINITIONS / "blurred_stem.spine"])
def test_pytorch_and_onnx_start_from_the_same_values(path: Path) -> None:
    program = spinedsl.program(path)
    module = torch_backend.build(program).to_empty(device="cpu")
    for seed in (0, 1):
        cast(Any, module).reset(seed)
        for name, value in seeded(flatten(program).parameters, seed).items():
            assert np.array_equal(module.state_dict()[name].numpy(), value), name
    (image,) = images(program, [(2, program.input_type.height, program.input_type.width)])
    fresh = torch_backend.build(program)
    cast(Any, fresh).reset(1)
    for name, value in run_torch(fresh.eval(), image).items():
        assert np.array_equal(run_torch(module.eval(), image)[name], value), "what is no part of the state is there too"
