"""Blocks that compute their maps again for the gradients: the same run to the last bit, holding less."""

from __future__ import annotations

import os
import signal
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import spinedsl
from spinedsl.training.recompute import recompute
from tests.training.test_loop import Seen, ran, same

# Norms, numbers drawn by chance, repetitions, inputs resampled and one by one, parts, and what is shared.
NET = """\
spine 1
import std.blocks
import std.heads
import std.resample
import std.stems

block_type drops(x, channels, stride = 1) -> channels {
    let y = norm(conv(dropout(x, 0.2), channels, kernel = 3, stride = stride))
    return act(norm(conv(act(y), channels, kernel = 3)) + stochastic_depth(y, 0.3))
}
block_type both(x, y, channels) -> channels {
    return norm(conv(concat(x, y), channels, kernel = 1))
}
network Cell {
    input a, b: level 3..4
    block A: drops level 3 from a, b
    block B: drops level 4 from b, A
    output A, B
}
network Small(classes = 3) {
    input image: 3 x 32 x 32
    defaults { act relu, norm batch_norm(momentum = 0.9) }
    widths { level 2..4: 8 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 8
    block b2: drops level 2 after s repeat 2
    block b3: residual level 3 from b2
    block b4: both level 4 from b3, b2
    part n: Cell from b3, b4 repeat 2
    part m: shared Cell from n repeat 2
    output P3, P4: m
    head logits: pooled_classifier(classes = classes) from P4
}
"""


def written(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "net.spine").write_text(NET, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "run",
    [
        {"average": 0.9, "accumulate": 2, "validate_every": 2, "recalibrate": 1},
        {"precision": "bfloat16", "channels_last": True},
    ],
    ids=["float32", "bfloat16"],
)
def test_a_run_is_the_same_to_the_last_bit(tmp_path: Path, run: dict[str, Any]) -> None:
    plain, twice = written(tmp_path / "plain"), written(tmp_path / "twice")
    ran(plain, watch=(one := Seen()), run={"steps": 4, **run})
    ran(twice, watch=(other := Seen()), run={"steps": 4, "recompute": True, **run})
    assert one.losses == other.losses
    assert same(plain / "run/last.safetensors", twice / "run/last.safetensors")


def test_it_may_change_when_a_run_resumes(tmp_path: Path) -> None:
    whole, parts = written(tmp_path / "whole"), written(tmp_path / "parts")
    ran(whole, run={"steps": 4})
    ran(parts, watch=Seen({2: lambda: os.kill(os.getpid(), signal.SIGINT)}), run={"steps": 4})
    ran(parts, watch=(watch := Seen()), resume=True, run={"steps": 4, "recompute": True})
    assert not [found for found in watch.warned if "settings" in found.message]
    assert same(whole / "run/last.safetensors", parts / "run/last.safetensors")


def kept(*, twice: bool, frozen: str = "") -> tuple[int, int]:
    """How many maps of convolutions inside of blocks are there after a forward pass, and how many there were."""
    program = spinedsl.program(spinedsl.Source.from_text(NET), network="Small")
    module = spinedsl.load(spinedsl.Source.from_text(NET), network="Small").train()
    if frozen:
        module.get_submodule(frozen).requires_grad_(False).eval()
    if twice:
        recompute(module, program)
        assert sum("forward" in vars(part) for part in module.modules()) > 10
    maps: list[weakref.ref[torch.Tensor]] = []

    def see(part: nn.Module, given: Any, result: torch.Tensor) -> None:
        maps.append(weakref.ref(result))

    for name, part in module.named_modules():
        if isinstance(part, nn.Conv2d) and "." in name:
            part.register_forward_hook(see)
    outputs = module(torch.rand(2, 3, 32, 32))
    there, made = sum(ref() is not None for ref in maps), len(maps)
    torch.autograd.backward([value.sum() for value in outputs.values()])
    assert all(p.grad is not None for p in module.parameters() if p.requires_grad)
    return there, made


def test_maps_inside_of_blocks_are_let_go() -> None:
    there, made = kept(twice=False)
    assert there == made > 20
    assert kept(twice=True) == (0, made)
    assert kept(twice=True, frozen="b2")[0] == 0


def test_an_error_in_a_block_is_its_own_and_leaves_norms_as_they_were() -> None:
    program = spinedsl.program(spinedsl.Source.from_text(NET), network="Small")
    module = spinedsl.load(spinedsl.Source.from_text(NET), network="Small").train()
    recompute(module, program)
    outputs = module(torch.rand(2, 3, 32, 32))
    norm: Any = module.get_submodule("b2.rep1.y.norm")
    statistics = norm.running_mean
    norm.register_forward_hook(lambda *_: (_ for _ in ()).throw(RuntimeError("of the hook")))
    with pytest.raises(RuntimeError, match="of the hook"):
        torch.autograd.backward(outputs["logits"].sum())
    assert norm.running_mean is statistics
