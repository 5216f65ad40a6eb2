"""Widths of generated classes: twice as many channels, and they still run.

A class says a width once, as an argument, and derives from it what follows. So a number of channels is doubled wherever
an argument or a map has it, and the class is constructed and run by itself. Where a class adds its input to what it
makes of it, and no use of it needs more for that, only all of its widths together can be doubled. Numbers below 8 are
no widths here, but kernels, strides and levels.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.texts import ROOT

MODELS = sorted((ROOT / "generated").rglob("model.py"))
LEAST = 8
SIDES = ("side",)  # arguments that are as large, and count positions
Call = tuple[tuple[Any, ...], dict[str, Any]]
Use = tuple[type[nn.Module], dict[str, Any], Call]


def imported(path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = spec_from_file_location("widths_of_a_model", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def noting(kind: type[nn.Module], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a class note what its instances are given."""
    construct = kind.__init__

    def noted(self: nn.Module, *given: Any, **named: Any) -> None:
        bound = inspect.signature(construct).bind(self, *given, **named)
        self.__dict__["given"] = dict(list(bound.arguments.items())[1:])
        construct(self, *given, **named)

    noted.__signature__ = inspect.signature(construct)  # type: ignore[attr-defined]
    monkeypatch.setattr(kind, "__init__", noted)


def uses(network: nn.Module, image: Tensor) -> list[Use]:
    """Each class with each of its arguments once, and what a run of the network gives it."""
    found: dict[tuple[object, ...], Use] = {}

    def note(module: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        arguments = module.__dict__.get("given")
        if arguments is not None and module is not network:
            found.setdefault((type(module), str(arguments)), (type(module), arguments, (given, named)))

    for module in network.modules():
        module.register_forward_pre_hook(note, with_kwargs=True)
    with torch.no_grad():
        network(image)
    return list(found.values())


def narrowest(found: list[Use]) -> Iterator[Use]:
    """A few uses of each class: those that take the least time."""
    for kind in dict.fromkeys(one[0] for one in found):
        yield from sorted((one for one in found if one[0] is kind), key=lambda one: sum(widths(one[1])))[:3]


def widths(value: object) -> Iterator[int]:
    """The widths among arguments."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= LEAST:
        yield value
    if isinstance(value, Mapping):
        value = [one for name, one in value.items() if name not in SIDES]
    for one in value if isinstance(value, list | tuple) else ():
        yield from widths(one)


def maps(call: Call) -> set[int]:
    """The widths of what a class is given when it runs."""
    return {one.shape[1] for one in (*call[0], *call[1].values()) if isinstance(one, Tensor) and one.ndim > 1}


def doubled(value: Any, which: AbstractSet[int]) -> Any:
    """The same with twice as many channels wherever there are as many as `which` has; maps repeat them."""
    if isinstance(value, Tensor):
        return torch.cat([value, value], 1) if value.ndim > 1 and value.shape[1] in which else value
    if isinstance(value, Mapping):
        return {name: one if name in SIDES else doubled(one, which) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(doubled(one, which) for one in value)
    is_width = isinstance(value, int) and not isinstance(value, bool) and value in which
    return 2 * value if is_width else value


def run(kind: type[nn.Module], arguments: dict[str, Any], call: Call) -> None:
    with torch.no_grad():
        kind(**arguments).eval()(*call[0], **call[1])


def ways(arguments: dict[str, Any], call: Call, width: int) -> Iterator[tuple[dict[str, Any], Call]]:
    """What a class makes of maps as they are, of maps of that width, and where all of its widths grow."""
    yield doubled(arguments, {width}), call
    yield doubled(arguments, {width}), doubled(call, {width})
    every = {*widths(arguments)} | maps(call)
    yield doubled(arguments, every), doubled(call, every)


def size_for(network: Any, text: str) -> tuple[int, int]:
    """A small size that the network takes: the one that it is for, or about 64."""
    fixed = [int(one) for one in re.findall(r"check_fixed\(image.shape\[\d\], (\d+)", text)]
    size = getattr(network, "size_divisor", 1)
    return (fixed[0], fixed[-1]) if fixed else (size * -(-64 // size),) * 2


@pytest.mark.parametrize("path", MODELS, ids=lambda path: str(path.parent.relative_to(ROOT / "generated")))
def test_any_width_of_a_class_may_be_doubled(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = imported(path, monkeypatch)
    classes = [one for one in vars(module).values() if inspect.isclass(one) and issubclass(one, nn.Module)]
    own = [one for one in classes if one.__module__ == module.__name__]
    for kind in own:
        noting(kind, monkeypatch)
    network: Any = own[-1]().eval()
    channels = next(one for one in network.parameters() if one.ndim == 4).shape[1]
    found = uses(network, torch.rand(1, channels, *size_for(network, path.read_text())))
    assert found
    for kind, arguments, call in narrowest(found):
        for width in set(widths(arguments)):
            errors = []
            for changed, given in ways(arguments, call, width):
                try:
                    run(kind, changed, given)
                    break
                except RuntimeError as error:
                    errors.append(error)
            assert len(errors) < 3, (kind, arguments, width, errors)
