"""Modules with given weights: the same as one whose first values were replaced, and made without drawing those."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

import spinedsl
from spinedsl.backends.torch import build, emit_module, filled, shaped
from spinedsl.backends.torch.build import load_code
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.program import Program
from tests.texts import ROOT

OWN = ROOT / "examples/tutorial/5_own_block.spine"
FILES = [
    OWN,
    *sorted((ROOT / "tests/definitions").glob("*.spine")),
]  # constants and shared modules too


def image_for(program: Program) -> torch.Tensor:
    side = 32 if program.any_size else program.divisor
    torch.manual_seed(0)
    size = program.input_type if program.static_axes else None
    return torch.rand(1, 3, size.height if size else side, size.width if size else side)


def same(one: Any, other: Any) -> None:
    """Two modules of one class hold the same tensors, alike in everything."""
    assert type(one) is type(other)
    assert (one.training, repr(one)) == (other.training, repr(other))
    for kind in ("named_parameters", "named_buffers"):  # with those that are no part of the state
        found, expected = (dict(getattr(module, kind)()) for module in (one, other))
        assert [*found] == [*expected]
        for name, tensor in found.items():
            wanted = expected[name]
            assert tensor.device.type == "cpu"
            assert (tensor.dtype, tensor.stride()) == (wanted.dtype, wanted.stride()), name
            assert (tensor.requires_grad, type(tensor)) == (wanted.requires_grad, type(wanted)), name
            assert torch.equal(tensor, wanted), name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_the_module_whose_values_were_replaced(path: Path) -> None:
    program = spinedsl.program(path)
    tensors = seeded(flatten(program).parameters, 5)
    expected = build(program)
    expected.load_state_dict({name: torch.tensor(array) for name, array in tensors.items()})
    # As weights of another code come: their axes in another order, and read only.
    given = {name: np.asfortranarray(array) for name, array in tensors.items()}
    for array in given.values():
        array.flags.writeable = False
    module = filled(emit_module(program).decode(), program, given)
    same(module, expected)
    with torch.inference_mode():
        image = image_for(program)
        found, wanted = module.eval()(image), expected.eval()(image)
    assert all(torch.equal(found[name], value) for name, value in wanted.items())
    for one in (module, expected):
        cast(Any, one).reset(2)
    same(module, expected)


def test_its_tensors_are_its_own() -> None:
    program = spinedsl.program(OWN)
    given = seeded(flatten(program).parameters, 5)
    module = filled(emit_module(program).decode(), program, given)
    name, tensor = next(module.named_parameters())
    before = given[name].copy()
    tensor.data.zero_()
    assert np.array_equal(given[name], before)


def noting(drawn: list[str], real: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """The same function, which notes for which tensor it draws."""

    def draw(name: str, *how: Any) -> torch.Tensor:
        drawn.append(name)
        return real(name, *how)

    return draw


def test_nothing_is_drawn_for_weights_to_replace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = spinedsl.program(OWN)
    tensors = seeded(flatten(program).parameters, 5)
    np.savez(tmp_path / "w.npz", **cast(Any, tensors))
    code = load_code(emit_module(program).decode())
    drawing = [name for name in ("uniform", "truncated_normal") if hasattr(code, name)]
    assert drawing
    drawn: list[str] = []
    for name in drawing:
        monkeypatch.setattr(code, name, noting(drawn, getattr(code, name)))
    torch.manual_seed(3)
    before = torch.get_rng_state()
    module = spinedsl.load(OWN, weights=tmp_path / "w.npz")
    assert drawn == []
    assert torch.equal(torch.get_rng_state(), before)
    assert all(np.array_equal(module.state_dict()[name].numpy(), array) for name, array in tensors.items())
    spinedsl.load(OWN)
    assert drawn


def test_a_tensor_that_is_missing_is_not_left_unfilled() -> None:
    program = spinedsl.program(OWN)
    code, tensors = emit_module(program).decode(), seeded(flatten(program).parameters, 5)
    assert all(tensor.is_meta for tensor in shaped(code, program).state_dict().values())
    tensors.pop(next(iter(tensors)))
    with pytest.raises(RuntimeError, match="Missing key"):
        filled(code, program, tensors)


WIDE = """
import std.stems
block_type wide(x, channels, stride = 1) -> channels {
    let first = conv(x, channels, kernel = 3, stride = stride)
    return conv(first, channels, kernel = 3, init = uniform)
}
network Wide {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 16
    block a: wide level 2 after s channels 67
    output P: a
}
"""  # the second kernel has more numbers than `reset` makes at once, and no multiple of them


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_reset_of_large_tensors_in_any_layout(layout: torch.memory_format) -> None:
    program = spinedsl.program(spinedsl.Source.from_text(WIDE, "wide.spine"))
    module = build(program).to(memory_format=layout)  # type: ignore[call-overload]
    largest = max(module.parameters(), key=torch.Tensor.numel)
    assert largest.numel() > 1 << 15
    assert largest.numel() % (1 << 15)
    for parameter in module.parameters():
        parameter.data.zero_()
    cast(Any, module).reset(3)
    expected = seeded(flatten(program).parameters, 3)
    state = module.state_dict()
    assert all(np.array_equal(state[name].numpy(), array) for name, array in expected.items())


def test_nothing_is_drawn_before_reset_draws() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    build(spinedsl.program(OWN))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_tensor_is_where_pytorch_makes_new_ones(path: Path) -> None:
    """Constants too, with weights as without."""
    program = spinedsl.program(path)
    weights = seeded(flatten(program).parameters, 0)
    with torch.device("meta"):
        for module in (build(program), filled(emit_module(program).decode(), program, weights)):
            assert all(tensor.is_meta for tensor in (*module.parameters(), *module.buffers()))
