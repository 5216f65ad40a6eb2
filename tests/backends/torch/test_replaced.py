"""Submodules that somebody replaces, uses twice, takes out or attaches: what runs is what stands there, or an error."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from spinedsl.backends.torch import build
from spinedsl.ops.program import Program
from spinedsl.source import Source
from spinedsl.testing.laws import program_of
from tests.scripting import same, scripted

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

TEXT = """spine 1
import std.stems
import std.resample
block_type body(x, channels, stride = 1, times = 1) -> channels {
    var y = conv(x, channels, kernel = 1, stride = stride)
    repeat times { y = act(norm(conv(y, channels, kernel = 3))) }
    repeat 2 {
        let z = conv(y, channels, kernel = 1)
        y = z + act(norm(z))
    }
    return y
}
head_type tower(features) {
    each p in features {
        var y = p
        repeat 2 { y = act(norm(shared conv(y, p.channels, kernel = 1))) }
        yield y
    }
}
network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..3: 8 }
    resample spinenet_by_width
    stem s: resnet_stem channels 8
    block a: body(times = 4) level 2 after s repeat 3
    block b: body(times = 0) level 3 after a repeat 2
    output P2: a
    output P3: b
    head towers: tower from P2, P3
}
"""
CHAINS = ("a.rep1", "a.rep0.rep2", "a.rep2.rep0")  # iterations that are one chain of modules: a row's, and a loop's


@pytest.fixture(scope="module")
def program() -> Program:
    return program_of(Source.from_text(TEXT), "Net")


@pytest.fixture
def module(program: Program) -> Any:
    return build(program).eval()


@pytest.fixture(scope="module")
def image() -> Tensor:
    return torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))


class Twice(nn.Module):
    """Tells how often it ran by its output."""

    def forward(self, x: Tensor) -> Tensor:
        return x * 2


def put(module: nn.Module, place: str, new: nn.Module) -> None:
    holder, _, name = place.rpartition(".")
    setattr(module.get_submodule(holder), name, new)


def put_below(module: nn.Module, place: str, new: nn.Module) -> None:
    """As tools that quantise do."""
    holder, _, name = place.rpartition(".")
    module.get_submodule(holder)._modules[name] = new


def seen(module: nn.Module, image: Tensor, place: str) -> list[Tensor]:
    """What goes into and out of a submodule."""
    found: list[Tensor] = []
    hook = module.get_submodule(place).register_forward_hook(lambda _, given, result: found.extend([*given, result]))
    with torch.no_grad():
        module(image)
    hook.remove()
    return found


def ran(module: nn.Module, image: Tensor, parts: Iterable[nn.Module]) -> list[nn.Module]:
    """Those of some submodules that run, as often as they do."""
    found: list[nn.Module] = []
    hooks = [part.register_forward_hook(lambda part, *_: found.append(part)) for part in parts]
    with torch.no_grad():
        module(image)
    for hook in hooks:
        hook.remove()
    return found


def require_scripted_too(module: nn.Module, image: Tensor) -> None:
    with torch.no_grad():
        assert same(scripted(module)(image), module(image))


@pytest.mark.parametrize("put_there", [put, put_below])
@pytest.mark.parametrize("place", CHAINS)
def test_a_new_module_runs(
    module: nn.Module, image: Tensor, place: str, put_there: Callable[[nn.Module, str, nn.Module], None]
) -> None:
    before = seen(module, image, place)
    put_there(module, place, Twice())
    given, result = seen(module, image, place)
    torch.testing.assert_close(given, before[0])
    torch.testing.assert_close(result, 2 * given)
    require_scripted_too(module, image)


@pytest.mark.parametrize("place", CHAINS)
def test_the_identity_leaves_one_out(module: nn.Module, image: Tensor, place: str) -> None:
    put(module, place, nn.Identity())
    given, result = seen(module, image, place)
    assert torch.equal(given, result)
    require_scripted_too(module, image)


@pytest.mark.parametrize("place", ["towers.p0", "a.rep0.rep_2_1", "towers.p1.rep1"])
def test_iterations_of_several_modules(module: nn.Module, image: Tensor, place: str) -> None:
    """What replaces one has to have its parts: those of the new one run, those of the old one do not."""
    old, new = module.get_submodule(place), copy.deepcopy(module.get_submodule(place))
    put(module, place, new)
    run = ran(module, image, [*old.modules(), *new.modules()])
    leaves = [part for part in new.modules() if not isinstance(part, nn.Sequential) and not [*part.children()]]
    assert leaves
    assert {*leaves} <= {*run} <= {*new.modules()}
    require_scripted_too(module, image)
    put(module, place, nn.Identity())
    with pytest.raises(AttributeError, match="has no attribute"):
        module(image)


@pytest.mark.parametrize("place", [*CHAINS, "towers.p0"])
def test_one_module_under_two_names(module: Any, image: Tensor, place: str) -> None:
    holder, number = module.get_submodule(place[: place.rindex(".")]), int(place[-1])
    of_loop = place[place.rindex(".") + 1 : -1]
    part = module.get_submodule(place)
    once = ran(module, image, part.modules())
    setattr(holder, f"{of_loop}{number - 1 if number else 1}", part)
    twice = ran(module, image, part.modules())
    assert {*once} == {*twice}
    assert len(twice) == 2 * len(once) > 0
    require_scripted_too(module, image)


def test_what_is_attached_does_not_run(module: Any, image: Tensor) -> None:
    with torch.no_grad():
        wanted = module(image)
        for holder in (module.a, module.a.rep0, module.towers):
            holder.attached = nn.Linear(5, 7)
        assert same(module.eval()(image), wanted)
    require_scripted_too(module, image)


OUT: dict[str, Callable[[nn.Module, str], None]] = {
    "taken out": delattr,
    "none": lambda holder, name: setattr(holder, name, None),
}


@pytest.mark.parametrize("how", OUT)
@pytest.mark.parametrize("place", ["a.rep1", "a.rep0.rep1", "a.rep0.conv", "towers.p0", "towers.rep0"])
def test_modules_that_are_taken_out(module: nn.Module, image: Tensor, place: str, how: str) -> None:
    holder, _, name = place.rpartition(".")
    OUT[how](module.get_submodule(holder), name)
    with pytest.raises(
        (ValueError, AttributeError, TypeError), match=rf"may be replaced, not taken out|{name}|NoneType"
    ):
        module(image)


@pytest.mark.parametrize("place", ["a.rep0.rep1", "a.rep0.conv", "towers.p0", "towers.rep0"])
def test_modules_that_are_moved_behind_others(module: nn.Module, image: Tensor, place: str) -> None:
    holder, _, name = place.rpartition(".")
    part = module.get_submodule(place)
    delattr(module.get_submodule(holder), name)
    setattr(module.get_submodule(holder), name, part)
    with pytest.raises(ValueError, match="may be replaced, not taken out or moved"):
        module(image)


def test_repetitions_that_are_moved_behind_others(module: Any, image: Tensor) -> None:
    with torch.no_grad():
        wanted = module(image)
        part = module.a.rep1
        del module.a.rep1
        module.a.rep1 = part
        assert same(module(image), wanted)
