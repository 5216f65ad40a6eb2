"""The PyTorch backend: a program becomes one readable Python file, or the module itself.

In: a `Program`. Out: the text of a file by file name (`emit`), or an instance of its network class (`build`).
"""

from __future__ import annotations

from spinedsl.backends import Options
from spinedsl.backends.torch.build import build
from spinedsl.backends.torch.emit import emit_module
from spinedsl.diagnostics import Outcome
from spinedsl.ops.program import Program

__all__ = ["build", "emit", "emit_module"]


def emit(program: Program, options: Options) -> Outcome[dict[str, bytes]]:
    """The network as `NAME.py`. The module takes any weights, and any size that fits."""
    return Outcome({f"{program.name}.py": emit_module(program, verified=options.verified)})
