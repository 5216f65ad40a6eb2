"""The PyTorch backend: a program becomes one readable Python file, or the module itself.

In: a `Program`. Out: the text of a file by file name (`emit`), or an instance of its network class (`build`).
"""

from __future__ import annotations

from spinedsl.backends import Options
from spinedsl.backends.finding import finding
from spinedsl.backends.torch.adapters import ADAPTERS, refusals
from spinedsl.backends.torch.build import build, filled, shaped
from spinedsl.backends.torch.detect import METHOD
from spinedsl.backends.torch.emit import emit_inference, emit_module
from spinedsl.diagnostics import Outcome
from spinedsl.ops.program import Program

__all__ = ["build", "emit", "emit_inference", "emit_module", "filled", "shaped"]


def emit(program: Program, options: Options) -> Outcome[dict[str, bytes]]:
    """The network as `NAME.py`, with the adapter of the options. The module takes any weights, and any size that fits.

    What is wrong comes back as diagnostics: a network that cannot be a backbone of the host.

    Raises:
        ValueError: there is no such adapter.
    """
    found = finding(program, options, methods=(METHOD,)) if options.detect else Outcome(None)
    if found.diagnostics:
        return Outcome(None, found.diagnostics)
    if options.adapter:
        if options.adapter not in ADAPTERS:
            raise ValueError(f"no adapter `{options.adapter}`: there is {', '.join(ADAPTERS)}")
        refused = tuple(refusals(program, options.adapter))
        if refused:
            return Outcome(None, refused)
    if options.inference:
        text = emit_inference(program, verified=options.verified, finding=found.value)
        return Outcome({f"{program.name}.py": text})
    text = emit_module(program, adapter=options.adapter, verified=options.verified, finding=found.value)
    return Outcome({f"{program.name}.py": text})
