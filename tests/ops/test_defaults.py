"""The defaults of attributes are those of PyTorch's layers, where PyTorch has them."""

from __future__ import annotations

import inspect
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.primitives import PRIMITIVES
from tests.building import op, single

THEIRS: dict[tuple[str, str], Any] = {
    ("conv", "stride"): nn.Conv2d(1, 1, 1).stride[0],
    ("conv", "groups"): nn.Conv2d(1, 1, 1).groups,
    ("conv", "dilation"): nn.Conv2d(1, 1, 1).dilation[0],
    ("linear", "bias"): nn.Linear(1, 1).bias is not None,
    ("batch_norm", "epsilon"): nn.BatchNorm2d(1).eps,
    ("batch_norm", "momentum"): 1 - (nn.BatchNorm2d(1).momentum or 0),  # the share kept, not the share taken in
    ("layer_norm", "epsilon"): nn.LayerNorm(1).eps,
    ("group_norm", "epsilon"): nn.GroupNorm(1, 1).eps,
    ("l2_normalise", "epsilon"): inspect.signature(functional.normalize).parameters["eps"].default,
    ("upsample", "mode"): nn.Upsample(scale_factor=2).mode,
    ("pad", "mode"): inspect.signature(functional.pad).parameters["mode"].default,
    ("pad", "value"): inspect.signature(functional.pad).parameters["value"].default or 0,
}


@pytest.mark.parametrize(("primitive", "attribute"), THEIRS)
def test_as_in_pytorch(primitive: str, attribute: str) -> None:
    found = PRIMITIVES[primitive].attribute(attribute)
    assert found is not None
    ours = found.default
    assert (float(ours) if isinstance(ours, Fraction) else ours) == THEIRS[primitive, attribute]


def test_a_hard_sigmoid_without_a_slope_is_pytorchs() -> None:
    program = single(lambda x: op("hard_sigmoid", x))
    shape = (1, program.input_type.channels, program.input_type.height, program.input_type.width)
    image = np.linspace(-4, 4, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    ours = run(flatten(program), {}, image)["P"]
    assert np.abs(ours - functional.hardsigmoid(torch.from_numpy(image)).numpy()).max() < 1e-6
