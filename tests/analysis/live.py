"""What is there while the generated PyTorch module runs: the value of every row, and how many bytes are alive."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import torch

from spinedsl.ops.program import Program


def rows_run(program: Program, module: torch.nn.Module, image: torch.Tensor) -> dict[str, list[torch.Tensor]]:
    """What each row gives, of a head all that it yields: outputs, and else locals of the network's `forward`."""
    code = type(module).forward.__code__
    locals_: dict[str, Any] = {}

    def leaving(frame: FrameType, event: str, argument: Any) -> None:
        if event == "return" and frame.f_code is code:
            locals_.update(frame.f_locals)

    sys.setprofile(leaving)
    try:
        outputs = module(image)
    finally:
        sys.setprofile(None)
    found = {**locals_, **outputs}
    return {row.name: [found[name] for name in row.values] for row in program.rows}
