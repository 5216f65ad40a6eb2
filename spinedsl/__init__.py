"""spinedsl: a language and a compiler for scale-permuted networks.

    import spinedsl
    outcome = spinedsl.check("examples/spinenet.spine")       # every mistake at once
    files = spinedsl.compile("net.spine", to="onnx")          # {name: bytes}
    module = spinedsl.load("net.spine", network="SpineNet49") # a torch.nn.Module

Importing this imports nothing else: each name is looked up where it lives when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spinedsl import edit
    from spinedsl.api import (
        Disagreement,
        Mistakes,
        NetworkChoice,
        OptionChoice,
        OutputChoice,
        check,
        compile,  # noqa: A004  the verb of the command line
        load,
        parse,
        program,
        read_weights,
        verify,
    )

__version__ = "0.1.0"
__all__ = [
    "Disagreement",
    "Mistakes",
    "NetworkChoice",
    "OptionChoice",
    "OutputChoice",
    "__version__",
    "check",
    "compile",
    "edit",
    "load",
    "parse",
    "program",
    "read_weights",
    "verify",
]


def __getattr__(name: str) -> object:
    if name == "edit":
        return import_module("spinedsl.edit")
    if name in __all__:
        return getattr(import_module("spinedsl.api"), name)
    raise AttributeError(f"module 'spinedsl' has no attribute {name!r}")
