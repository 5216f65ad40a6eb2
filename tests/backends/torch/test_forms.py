"""Whatever form a definition has, PyTorch, ONNX Runtime and the interpreter compute the same, at the cost we say."""

from __future__ import annotations

import pytest

from spinedsl.agreement import counted
from spinedsl.analysis import costs
from spinedsl.ops.graph import flatten
from tests.backends.torch.forms import FORMS
from tests.backends.torch.texts import program
from tests.witnesses import assert_witnesses_agree


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    found = program(*FORMS[name])
    assert_witnesses_agree(found, [(2, 64, 64), (1, 96, 160)])
    closed = costs(flatten(found))
    assert (closed.parameters, closed.multiply_adds) == counted(found)
