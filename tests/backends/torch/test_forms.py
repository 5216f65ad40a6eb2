"""Whatever form a definition has, PyTorch, ONNX Runtime and the interpreter compute the same."""

from __future__ import annotations

import pytest

from tests.backends.torch.forms import FORMS
from tests.backends.torch.texts import program
from tests.witnesses import assert_witnesses_agree


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    assert_witnesses_agree(program(*FORMS[name]), [(2, 64, 64), (1, 96, 160)])
