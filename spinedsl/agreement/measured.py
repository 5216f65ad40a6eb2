"""What PyTorch measures of the generated module besides its outputs: costs, shapes in training, gradients."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spinedsl.agreement.inputs import image
from spinedsl.agreement.report import Size
from spinedsl.agreement.witnesses import Array, module_of
from spinedsl.ops.program import Program
from spinedsl.record import Record


class Training(Record):
    """One step of training: the shape of each output, and the parameters that no gradient reached."""

    shapes: dict[str, tuple[int, ...]]
    unreached: tuple[str, ...]


def train(program: Program, weights: Mapping[str, Array], size: Size, seed: int = 0) -> Training:
    """Run a batch forward and backward in training mode; `seed` is that of the images and of what is dropped."""
    import torch  # noqa: PLC0415

    module = module_of(program, weights, np.float32).train()
    torch.manual_seed(seed)
    outputs = module(torch.from_numpy(image(program, size, seed)))
    sum(value.square().mean() for value in outputs.values()).backward()
    unreached = tuple(name for name, tensor in module.named_parameters() if tensor.grad is None)
    return Training({name: tuple(value.shape) for name, value in outputs.items()}, unreached)


def counted(program: Program) -> tuple[int, int]:
    """Trainable parameters and multiply-adds at the program's own size, as torch counts them: without memory."""
    import torch  # noqa: PLC0415
    from torch.utils.flop_counter import FlopCounterMode  # noqa: PLC0415

    from spinedsl.backends.torch import build  # noqa: PLC0415

    with torch.device("meta"):
        module = build(program).eval().requires_grad_(False)
        type_ = program.input_type
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module(torch.empty(1, type_.channels, type_.height, type_.width))
    return sum(parameter.numel() for parameter in module.parameters()), counter.get_total_flops() // 2
