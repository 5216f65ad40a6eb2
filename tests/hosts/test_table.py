"""One table over all hosts: what users of backbones ask for, in each host's own words, must be done or refused.

A row is a test; its columns are the hosts. The witness is the plain module, or PyTorch's own counters.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import spinedsl
from spinedsl.source import Source
from tests.hosts.using import losses_of, plain, same
from tests.hosts.ways import (
    ANY_SIZE,
    COARSE,
    FIXED,
    MIXING,
    NEXT,
    VECTORS,
    WAYS,
    Asked,
    built,
    channels,
    generated,
    maps,
    pictures,
    rows,
)

pytestmark = pytest.mark.filterwarnings("default")  # what a host or PyTorch warns of when it is asked for is theirs

HOSTS = tuple(WAYS)
RGB = channels(3)


def taking(option: str) -> pytest.MarkDecorator:
    """A row for the hosts that have a way to ask for something."""
    return pytest.mark.parametrize("host", [name for name in HOSTS if option in WAYS[name].takes])


EVERY = pytest.mark.parametrize("host", HOSTS)


LEARNING = {"RGB": RGB, "grey": channels(1), "four": channels(4), "repeated": NEXT, "any size": ANY_SIZE}


def loss(found: list[Tensor]) -> Tensor:
    """How far the maps are from a pattern that they can learn."""
    return torch.stack([(x - torch.linspace(0, 1, x.shape[1])[:, None, None]).square().mean() for x in found]).sum()


def trained(host: str, model: Any, x: Tensor, steps: int = 6) -> list[float]:
    """Losses of some steps of training."""
    return losses_of(model, lambda: loss(maps(host, model.train(), x)), steps, lr=0.1)


# ---- channels ----


@EVERY
@pytest.mark.parametrize("count", [1, 3, 4])
def test_channels_as_written(host: str, count: int) -> None:
    text = channels(count)
    found = maps(host, built(host, text).eval(), pictures(channels=count))
    assert same(found, list(plain(text)(pictures(channels=count)).values()))


@taking("channels")
@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_other_channels_than_written(host: str, count: int) -> None:
    """The very network that is written for them, drawn from the same seed."""
    model = built(host, RGB, Asked(channels=count)).eval()
    expected = plain(channels(count))
    assert same(maps(host, model, pictures(channels=count)), list(expected(pictures(channels=count)).values()))
    (weight,) = [p for p in model.parameters() if p.shape[1:] == (count, 7, 7)]
    assert weight.requires_grad


@taking("channels")
def test_other_channels_where_nothing_else_can_follow(host: str) -> None:
    assert maps(host, built(host, MIXING).eval(), pictures())
    with pytest.raises(ValueError, match=r"4.*the network is written for 3"):
        built(host, MIXING, Asked(channels=4))


# ---- sizes ----


@EVERY
@pytest.mark.parametrize("size", [(64, 70), (63, 96), (224, 200), (33, 47), (1, 1)])
def test_a_size_that_does_not_divide(host: str, size: tuple[int, int]) -> None:
    height, width = size
    with pytest.raises(ValueError, match=rf"must divide by 32, got {height}x{width}: pad images to \d+x\d+"):
        maps(host, built(host, RGB).eval(), pictures(1, 3, height, width))


@EVERY
@pytest.mark.parametrize("size", [(64, 96), (33, 47), (65, 97), (1, 1)])
def test_a_network_of_any_size(host: str, size: tuple[int, int]) -> None:
    found = maps(host, built(host, ANY_SIZE).eval(), pictures(1, 3, *size))
    assert [x.shape[2:] for x in found] == [tuple(math.ceil(side / stride) for side in size) for stride in (8, 16, 32)]


@EVERY
def test_a_network_of_one_size(host: str) -> None:
    model = built(host, FIXED).eval()
    assert same(maps(host, model, pictures()), list(plain(FIXED)(pictures()).values()))
    with pytest.raises(ValueError, match="compiled for a height of 64, got 128"):
        maps(host, model, pictures(1, 3, 128, 96))


@EVERY
def test_hosts_learn_what_to_pad_to(host: str) -> None:
    model = built(host, RGB)
    assert getattr(model, "size_divisor", getattr(WAYS[host].network(model), "size_divisor", 0)) == 32


@EVERY
def test_one_image_and_maps_of_one_position(host: str) -> None:
    """In evaluation it runs; in training batch norm refuses one number for a channel, and names what it got."""
    smallest = pictures(1, 3, 32, 32)
    assert maps(host, built(host, RGB).eval(), smallest)[-1].shape == (1, 16, 1, 1)
    with pytest.raises(ValueError, match="more than 1 value per channel when training"):
        maps(host, built(host, RGB).train(), smallest)
    assert maps(host, built(host, RGB).train(), pictures(2, 3, 32, 32))[-1].shape == (2, 16, 1, 1)


# ---- which maps ----


@taking("chosen")
@pytest.mark.parametrize("chosen", [(0,), (1, 2), (0, 2)])
@pytest.mark.parametrize("text", [RGB, COARSE], ids=["one width", "widths"])
def test_maps_are_chosen(host: str, chosen: tuple[int, ...], text: str) -> None:
    found = maps(host, built(host, text, Asked(chosen=chosen)).eval(), pictures())
    every = list(plain(text)(pictures()).values())
    assert same(found, [every[i] for i in chosen])


@taking("chosen")
def test_a_map_that_there_is_not(host: str) -> None:
    with pytest.raises((ValueError, AssertionError, IndexError), match=r"out of range|gives 3 maps|valid indices"):
        built(host, RGB, Asked(chosen=(1, 3)))


# ---- checkpointing ----


def computed(host: str, model: Any, x: Tensor) -> tuple[dict[str, Tensor], int, list[Tensor]]:
    """Gradients, bytes that were saved for them, and buffers, of one step."""
    saved: dict[int, int] = {}

    def kept(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    torch.manual_seed(0)
    model.zero_grad()
    with torch.autograd.graph.saved_tensors_hooks(kept, lambda tensor: tensor):
        value = loss(maps(host, model.train(), x))
    value.backward()  # type: ignore[no-untyped-call]
    gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    return gradients, sum(saved.values()), [buffer.clone() for buffer in model.buffers()]


@taking("checkpointed")
@pytest.mark.parametrize("text", [RGB, NEXT, ANY_SIZE, COARSE], ids=["pyramid", "repeated", "any size", "widths"])
def test_checkpointing_saves_memory_and_changes_nothing(host: str, text: str) -> None:
    """Gradients are the same, also through stochastic depth, and running statistics move once."""
    ordinary, sparing = built(host, text), built(host, text, Asked(checkpointed=True))
    x = pictures(4, 3, 128, 128)
    gradients, saved, buffers = computed(host, ordinary, x)
    found, less, moved = computed(host, sparing, x)
    assert gradients.keys() == found.keys() == dict(ordinary.named_parameters()).keys()
    assert all(torch.equal(gradients[name], found[name]) for name in gradients)
    assert all(map(torch.equal, buffers, moved))
    assert less < saved / 2
    assert ordinary.state_dict().keys() == sparing.state_dict().keys()


PARTS = {
    RGB: "s b0 b1.from_s b1.from_b0 b1 b2.from_b0 b2.from_b1 b2 b3.from_b1 b3.from_b2 b3 P3 P4 P5",
    NEXT: "s c2 c3.rep0 c3.rep1 c3.rep2 c4.rep0 c4.rep1 P2 P3 P4",
}


@taking("checkpointed")
@pytest.mark.parametrize(("text", "parts"), PARTS.items(), ids=["pyramid", "repeated"])
def test_what_is_checkpointed(host: str, text: str, parts: str) -> None:
    """Rows, repetitions one by one, and what resamples the inputs of a row."""
    model = WAYS[host].network(built(host, text, Asked(checkpointed=True)))
    assert {name for name, part in model.named_modules() if "forward" in vars(part)} == set(parts.split())
    ordinary = WAYS[host].network(built(host, text))
    assert not [name for name, part in ordinary.named_modules() if "forward" in vars(part)]


@taking("checkpointed")
def test_checkpointing_survives_copies(host: str, tmp_path: Path) -> None:
    model = built(host, RGB, Asked(checkpointed=True))
    less = computed(host, model, pictures())[1]
    twin = copy.deepcopy(model)
    assert computed(host, twin, pictures())[1] == less
    assert all(part.forward.args[0] is part for part in twin.modules() if "forward" in vars(part))
    assert any("forward" in vars(part) for part in twin.modules())
    torch.save(model, tmp_path / "model.pt")
    assert computed(host, torch.load(tmp_path / "model.pt", weights_only=False), pictures())[1] == less


# ---- freezing ----


@taking("frozen")
@pytest.mark.parametrize(("text", "count"), [(RGB, 0), (RGB, 1), (RGB, 3), (RGB, 8), (VECTORS, 2), (VECTORS, 8)])
def test_frozen_rows_stay(host: str, text: str, count: int) -> None:
    model = built(host, text, Asked(frozen=count))
    parts = rows(host, model)
    assert len(parts) == 8
    assert [any(p.requires_grad for p in row.parameters()) for row in parts] == [False] * count + [True] * (8 - count)
    before = copy.deepcopy(model.state_dict())
    if count < 8:
        trained(host, model, pictures(), 2)
    else:
        maps(host, model.train(), pictures())
    for number, row in enumerate(rows(host, model)):
        name = next(name for name, part in model.named_modules() if part is row)
        for key, value in row.state_dict(prefix=f"{name}.").items():
            statistics = "running" in key or "tracked" in key
            moving = statistics and (host == "transformers" or (host == "timm" and "batch_norm" in key))
            if number < count and not moving:  # transformers has gradients alone, timm freezes norms of maps
                assert torch.equal(value, before[key]), key
            elif number >= count and key.endswith("running_mean"):
                assert not torch.equal(value, before[key]), key


@pytest.mark.parametrize("host", ["torchvision", "detectron2", "mmdet"])
@pytest.mark.parametrize("count", [-1, 9])
def test_rows_that_there_are_not(host: str, count: int) -> None:
    if host == "mmdet" and count == -1:
        count = -2
    with pytest.raises(ValueError, match=r"8 rows|has 8|stages 0 to 7"):
        built(host, RGB, Asked(frozen=count))


# ---- training ----


@EVERY
@pytest.mark.parametrize("text", LEARNING.values(), ids=LEARNING)
def test_it_learns(host: str, text: str) -> None:
    model = built(host, text)
    count = int(text.partition("input image: ")[2].partition(" x")[0])
    losses = trained(host, model, pictures(4, count))
    assert all(map(math.isfinite, losses))
    assert losses[-1] < 0.95 * losses[0]
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


# ---- numbers and layouts ----


@EVERY
@pytest.mark.parametrize("text", [RGB, NEXT, ANY_SIZE], ids=["pyramid", "next", "any size"])
def test_channels_last(host: str, text: str) -> None:
    model = built(host, text).eval()
    with torch.no_grad():
        expected = maps(host, model, pictures())
        model = model.to(memory_format=torch.channels_last)
        found = maps(host, model, pictures().to(memory_format=torch.channels_last))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(found, expected, strict=True))


@EVERY
@pytest.mark.parametrize("text", [RGB, NEXT, ANY_SIZE], ids=["pyramid", "next", "any size"])
@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float64])
def test_other_precisions(host: str, text: str, kind: torch.dtype) -> None:
    model = built(host, text).eval()
    with torch.no_grad():
        expected = maps(host, model, pictures())
        found = maps(host, model.to(kind), pictures().to(kind))
    assert {x.dtype for x in found} == {kind}
    tolerance = {torch.bfloat16: 0.1, torch.float16: 0.02, torch.float64: 1e-5}[kind]
    for a, b in zip(found, expected, strict=True):
        assert (a.float() - b).abs().max() <= tolerance * b.abs().max()


@EVERY
@pytest.mark.parametrize("text", [RGB, NEXT, ANY_SIZE], ids=["pyramid", "next", "any size"])
@pytest.mark.parametrize("sparing", [False, True])
def test_autocast(host: str, text: str, sparing: bool) -> None:
    model = built(host, text, Asked(checkpointed=sparing)).train()
    with torch.autocast("cpu", torch.bfloat16):
        value = loss([x.float() for x in maps(host, model, pictures())])
    value.backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in model.parameters())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


# ---- saving ----


@EVERY
@pytest.mark.parametrize("text", [RGB, NEXT], ids=["pyramid", "next"])
def test_saved_and_loaded(host: str, text: str, tmp_path: Path) -> None:
    """As a state dict, as a copy, and as a whole; what comes back is the same model."""
    model = built(host, text)
    trained(host, model, pictures(), 2)
    expected = [x.detach() for x in maps(host, model.eval(), pictures())]
    torch.save(model.state_dict(), tmp_path / "state.pt")
    torch.save(model, tmp_path / "whole.pt")
    other = built(host, text)
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    whole = torch.load(tmp_path / "whole.pt", weights_only=False)
    for found in (other, whole, copy.deepcopy(model)):
        assert same(maps(host, found.eval(), pictures()), expected)


@EVERY
@pytest.mark.parametrize("wrapped", ["alone", "model", "state_dict"])
@pytest.mark.parametrize("frozen", [0, 3])
def test_weights_come_back(host: str, wrapped: str, frozen: int, tmp_path: Path) -> None:
    """What was trained in a host is what the plain network then computes."""
    model = built(host, RGB, Asked(frozen=frozen))
    trained(host, model, pictures(), 2)
    expected = [x.detach() for x in maps(host, model.eval(), pictures())]
    state = model.state_dict()
    torch.save(state if wrapped == "alone" else {wrapped: state, "epoch": 3}, tmp_path / "trained.pth")
    back = spinedsl.load(Source.from_text(RGB), weights=tmp_path / "trained.pth").eval()
    assert same(list(back(pictures()).values()), expected)


# ---- what cannot be ----

# How each host makes its model of keywords.
CALLS: dict[str, Callable[..., Any]] = {
    "timm": lambda module, **options: module.of3(**options),
    "torchvision": lambda module, **options: module.retinanet_of3(**options),
    "transformers": lambda module, **options: module.Of3Config(**options),
    "mmdet": lambda module, **options: module.MODELS.build({"type": "Of3", **options}),
}


OPTIONS = {"output_stride": 16, "drop_path_rate": 0.1, "dilation": 2}
TRIED = [(host, option) for host in CALLS for option in OPTIONS]
TRIED.remove(("transformers", "dilation"))  # a configuration keeps what it does not know, for its user


@pytest.mark.parametrize(("host", "option"), TRIED)
def test_what_is_written_in_the_network_is_no_option(host: str, option: str) -> None:
    assert CALLS[host](generated(host, RGB))
    with pytest.raises((ValueError, TypeError), match=option):
        CALLS[host](generated(host, RGB), **{option: OPTIONS[option]})
