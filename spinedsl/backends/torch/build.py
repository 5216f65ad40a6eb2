"""Build: the generated code as a module that runs.

In: a program. Out: an instance of the network's class. The code is registered under a name made from its digest, so
that tracebacks show its lines, and pickling finds its classes in this process.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from spinedsl.backends.torch.emit import emit_module
from spinedsl.backends.torch.names import python_name
from spinedsl.ops.program import Program

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn


def build(program: Program) -> nn.Module:
    """The network, initialised with seed 0."""
    return instantiate(emit_module(program).decode(), program)


def instantiate(code: str, program: Program) -> nn.Module:
    """The network of code that was generated from a program, initialised with seed 0."""
    return cast("nn.Module", getattr(load_code(code), python_name(program.name))())


def filled(module: nn.Module, tensors: Mapping[str, NDArray[Any]]) -> nn.Module:
    """The same module with these tensors, which are all that it has."""
    import torch  # noqa: PLC0415  the generated code has imported it

    module.load_state_dict({name: torch.tensor(array) for name, array in tensors.items()})
    return module


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
        exec(compile(text, module.__file__, "exec"), module.__dict__)  # noqa: S102 - we wrote it
    except BaseException:
        del sys.modules[name]
        raise
    return module
