"""Laws of tiers: what `compare` says of two networks is what PyTorch does with a state dict of the one in the other."""

from __future__ import annotations

from copy import deepcopy
from functools import cache

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import spinedsl
from spinedsl import edit
from spinedsl.backends.torch import build
from spinedsl.compare import Difference, Side, Tier, compare, derive, side
from spinedsl.compare.machine import mapping
from spinedsl.source import Source
from tests.building import weights_for
from tests.profiles import drawn
from tests.test_edit_laws import OF_EDIT, THERE, Net, base, edited, file

MILD = ("act", "momentum", "swap", "move", "rename", "size", "alpha", "init", "padding")


def side_of(net: Net, definitions: str = THERE) -> Side | None:
    """A network as plain data, checked; None where it has mistakes."""
    source = Source.from_text(file(definitions, net.network("Net").replace(OF_EDIT, "")), "net.spine")
    try:
        return side(source, network="Net")
    except spinedsl.Mistakes:
        return None


@cache
def old() -> Side:
    found = side_of(base())
    assert found is not None
    return found


def module_of(one: Side) -> nn.Module:
    return build(one.program).eval()


def state_of(one: Side) -> dict[str, torch.Tensor]:
    """A checkpoint: a whole state dict with tensors that are not at rest."""
    module = module_of(one)
    tensors = {name: torch.from_numpy(value) for name, value in weights_for(one.graph).items()}
    module.load_state_dict(tensors, strict=False)
    return dict(module.state_dict())


def outputs_of(one: Side, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    module = module_of(one)
    module.load_state_dict(state)
    type_ = one.program.input_type
    image = torch.rand((2, *type_.shape), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        given: dict[str, torch.Tensor] = module(image)
    return given


def interface_of(one: Side) -> object:
    """What code around a network sees of it."""
    program = one.program
    maps = [(name, *map(str, (one.graph.types[value],))) for name, value in one.graph.outputs.items()]
    return program.input_name, program.input_type, maps


def channels_of(one: Side) -> list[tuple[str, int]]:
    return [(name, one.graph.types[value].channels) for name, value in one.graph.outputs.items()]


def hold(difference: Difference) -> None:
    """What the tier says is so."""
    before, after, tier = difference.old, difference.new, difference.tier
    state = state_of(before)
    if tier is Tier.INTERFACE:
        assert interface_of(before) != interface_of(after) or before.program.divisor % after.program.divisor
        return
    assert interface_of(before) == interface_of(after)
    assert channels_of(before) == channels_of(after)
    if tier is Tier.WEIGHTS:
        with pytest.raises(RuntimeError, match=r"Error.* in loading state_dict"):
            module_of(after).load_state_dict(state)
        renamed = mapping(difference.tensors)
        converted = {renamed.get(name, name): tensor for name, tensor in state.items()}
        if difference.tensors.convertible:
            module_of(after).load_state_dict(converted)
        return
    module_of(after).load_state_dict(state)
    if tier is Tier.NONE:
        given, expected = outputs_of(after, state), outputs_of(before, state)
        assert list(given) == list(expected)
        assert all(torch.equal(given[name], expected[name]) for name in expected)


def renamed(net: Net, name: str) -> None:
    """Give a row another name, wherever it is read."""
    for row in net.rows:
        row.name = "new" if row.name == name else row.name
        for word in {"from", "after"} & row.clauses.keys():
            names = row.clauses[word].split(", ")
            row.clauses[word] = ", ".join("new" if other == name else other for other in names)


def soften(draw: st.DrawFn, net: Net, how: str) -> None:
    """Make an edit that mostly leaves the tensors alone."""
    settings_ = {
        "act": ("act", st.sampled_from(("relu", "swish", "relu6"))),
        "momentum": ("norm", st.just("batch_norm(momentum = 0.5)")),
        "init": ("", st.just("conv(init = uniform, init_scale = 2)")),
        "padding": ("", st.just("conv(padding = symmetric)")),
    }
    if how in settings_:
        role, uses = settings_[how]
        net.defaults[role] = draw(uses)
    elif how == "swap":
        row = net.rows[draw(st.integers(3, 5))]
        row.clauses["from"] = ", ".join(reversed(row.clauses["from"].split(", ")))
    elif how == "move":
        net.rows.insert(draw(st.integers(4, 8)), net.rows.pop(6))
    elif how == "rename":
        renamed(net, draw(st.sampled_from([row.name for row in net.rows])))
    elif how == "size":
        net.input = draw(st.sampled_from(("image: 3 x 64 x 96", "image: 1 x 64 x 64")))
    elif how == "alpha":
        net.resample = "spinenet(alpha = 0.5)"  # as it is by default


@st.composite
def softened(draw: st.DrawFn) -> tuple[Net, str]:
    """The base after one to three mild edits, perhaps beside a definition that nothing uses."""
    net = deepcopy(base())
    for how in draw(st.lists(st.sampled_from(MILD), min_size=1, max_size=3, unique=True)):
        soften(draw, net, how)
    unused = "# a comment\n\nblock_type unused(x, channels) -> channels { return x }\n"
    return net, THERE + draw(st.sampled_from(("", unused)))


@given(softened())
@drawn(60)
def test_tiers_of_mild_edits_are_what_pytorch_does(drawn: tuple[Net, str]) -> None:
    new = side_of(*drawn)
    if new is not None:
        hold(compare(old(), new))


@given(edited())
@drawn(60)
def test_tiers_of_random_edits_are_what_pytorch_does(drawn: tuple[Net, edit.Edits]) -> None:
    new = side_of(drawn[0])
    if new is not None:
        difference = compare(old(), new)
        hold(difference)
        hold(compare(new, old()))
        assert (difference.tier is Tier.NONE) >= (not difference.changes)


@given(edited())
@drawn(150)
def test_edits_are_found_again(drawn: tuple[Net, edit.Edits]) -> None:
    """Whatever edits make, `derive` finds edits for, and those make it too, once printed and read again."""
    new = side_of(drawn[0])
    if new is None:
        return
    found = derive(old(), new)
    assert found is not None
    again = edit.parse(found.to_text()).value
    assert again == found
    if not found.items:
        return
    made = side(edit.apply(old().source, again, base="Net", name="Again"), network="Again")
    assert compare(made, new).changes == ()
    assert compare(made, new).tier is Tier.NONE
    assert list(made.graph.parameters.items()) == list(new.graph.parameters.items())


@given(softened())
@drawn(30)
def test_a_network_is_like_itself(drawn: tuple[Net, str]) -> None:
    one, other = side_of(*drawn), side_of(*drawn)
    if one is not None and other is not None:
        difference = compare(one, other)
        assert (difference.changes, difference.reasons, difference.notes) == ((), (), ())
        assert derive(one, other) == edit.Edits()
