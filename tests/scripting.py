"""What `torch.jit.script` has to give: what the module gives, bit for bit, weights under the same names."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from spinedsl import agreement
from spinedsl.agreement import lively_weights, usual_sizes
from spinedsl.agreement.witnesses import module_of
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program
from spinedsl.source import Source
from spinedsl.testing.laws import SEED, program_of, require


def scripted(module: nn.Module) -> Any:
    """The module as TorchScript. PyTorch warns that it has newer ways; those who need this one know."""
    return cast(Any, torch.jit).script(module)


def same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> bool:
    """The same outputs in the same order, to the bit."""
    return [*found] == [*wanted] and all(torch.equal(found[name], value) for name, value in wanted.items())


def require_scripted(program: Program) -> None:
    """A network's module can be scripted, and gives the same."""
    module = module_of(program, lively_weights(flatten(program).parameters, SEED), np.float32)
    script = scripted(module)
    image = torch.from_numpy(agreement.image(program, usual_sizes(program)[0], SEED))
    with torch.no_grad():
        require(same(script(image), module(image)), "TorchScript gives something else")
    constants = {name for name, _ in module.named_buffers()} - module.state_dict().keys()  # which script keeps, too
    names = [name for name in script.state_dict() if name not in constants]
    require(names == [*module.state_dict()], "its tensors have other names")


def is_scripted(source: Source, network: str) -> None:
    """The same as a law of a text."""
    require_scripted(program_of(source, network))
