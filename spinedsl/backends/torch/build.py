"""Build: the generated code as a module that runs.

In: a program. Out: an instance of the network's class. The code is registered under a name made from its digest, so
that tracebacks show its lines. What is pickled of it carries the code, so that another process finds its classes.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
from collections.abc import Mapping
from functools import partialmethod
from types import ModuleType
from typing import TYPE_CHECKING, Any, SupportsIndex, cast
from weakref import WeakKeyDictionary

from spinedsl.backends.torch.copied import FOLDING, definitions_in
from spinedsl.backends.torch.detect import BOXES
from spinedsl.backends.torch.emit import emit_module
from spinedsl.backends.torch.names import python_name
from spinedsl.ops.program import Program

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn


def build(program: Program, code: str = "") -> nn.Module:
    """The network, initialised with seed 0; of code that was generated from its program, if there is some."""
    import torch  # noqa: PLC0415  the generated code imports it

    module = shaped(code or emit_module(program).decode(), program).to_empty(device=torch.get_default_device())
    cast("Any", module).reset()
    return module


def shaped(code: str, program: Program) -> nn.Module:
    """The network of code that was generated from a program, without memory: its tensors have shapes and no values."""
    return blank(_class_of(code, program))


def blank(kind: Any) -> nn.Module:
    """A new network of a class of generated code, without memory."""
    import torch  # noqa: PLC0415  the generated code imports it

    unset = type(kind.__name__, (kind,), {"reset": lambda self: None})  # which would draw values
    with torch.device("meta"):
        module = unset()
    module.__class__ = kind
    return cast("nn.Module", module)


def filled(code: str, program: Program, tensors: Mapping[str, NDArray[Any]]) -> nn.Module:
    """The same network with these tensors, which must be just those that it has. No value is drawn to be replaced."""
    import torch  # noqa: PLC0415  the generated code imports it

    module = shaped(code, program)
    module.load_state_dict({name: torch.tensor(array).contiguous() for name, array in tensors.items()}, assign=True)
    for part in module.modules():
        if any(buffer.is_meta for buffer in part.buffers(recurse=False)):  # constants are no part of the state
            part.to_empty(device=torch.get_default_device(), recurse=False)
            cast("Any", part).reset_parameters()
    missing = [name for name, tensor in (*module.named_parameters(), *module.named_buffers()) if tensor.is_meta]
    assert not missing or torch.get_default_device().type == "meta", f"nothing fills {missing}"
    return module


def _class_of(code: str, program: Program) -> Any:
    kind = getattr(load_code(code), python_name(program.name))
    _PROGRAMS[kind] = program
    return kind


_PROGRAMS: WeakKeyDictionary[type, Program] = WeakKeyDictionary()


def program_of(module: object) -> Program | None:
    """The program of a network that was built here; None of other modules."""
    return _PROGRAMS.get(type(module))


def network_in(code: str, program: Program) -> Any:
    """The class of a network in code that was generated for inference."""
    return getattr(load_code(code), python_name(program.name, {*definitions_in(FOLDING), *definitions_in(BOXES)}))


def load_code(text: str) -> ModuleType:
    """Generated code as a Python module; the same code gives the same module."""
    name = f"spinedsl_generated_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    known = sys.modules.get(name)
    if known is not None:
        return known
    module = ModuleType(name)
    module.__file__ = f"<{name}>"
    linecache.cache[module.__file__] = (len(text), None, text.splitlines(keepends=True), module.__file__)
    sys.modules[name] = module
    try:
        exec(compile(text, module.__file__, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - we wrote it
    except BaseException:
        del sys.modules[name]
        raise
    for kind in vars(module).values():
        if isinstance(kind, type) and kind.__module__ == name:
            cast("Any", kind).__reduce_ex__ = partialmethod(_reduced, text)
    return module


def _reduced(self: object, text: str, protocol: SupportsIndex) -> tuple[Any, ...]:
    """A module of generated code as pickle keeps it: its class by the code, then its state; others as they are."""
    usual = cast("tuple[Any, ...]", object.__reduce_ex__(self, protocol))
    kind = type(self)
    if vars(load_code(text)).get(kind.__qualname__) is not kind:  # somebody's own class, made of one of ours
        return usual
    return remade, (text, kind.__qualname__), *usual[2:]


def remade(text: str, kind: str) -> object:
    """An instance of a class of generated code, without its state: what pickle asks for when it reads one."""
    found = getattr(load_code(text), kind)
    return found.__new__(found)
