"""What PyTorch measures of the generated module besides its outputs: costs, shapes in training, gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spinedsl.agreement.inputs import image, lively_weights, usual_sizes
from spinedsl.agreement.report import Size
from spinedsl.agreement.witnesses import Array, module_of
from spinedsl.analysis import Costs
from spinedsl.ops.graph import flatten
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.program import Call, Connection, Definition, Formal, Op, Program, Ref, Return, Row, calls_of
from spinedsl.ops.trace import Trace
from spinedsl.ops.types import Attr, Literal, Loc, Type
from spinedsl.record import Record, replace

ROUNDING = 1e-14  # of a gradient that is 0


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


def unconnected(program: Program, seed: int = 0, draws: int = 3) -> set[tuple[str, str]]:
    """The inputs of rows, by the row and what it reads, from which no output has a gradient: of the whole input.

    In float64 and without dropping. Where a draw of weights leaves an input without any, another one may not.
    """
    import torch  # noqa: PLC0415

    probed, probes = _probed(program)
    size, parameters = usual_sizes(program)[0], flatten(probed).parameters
    left = dict(probes)
    for draw in range(seed, seed + draws):
        if not left:
            break
        module = module_of(probed, lively_weights(parameters, draw), np.float64)
        outputs = module(torch.from_numpy(image(program, size, draw)).double())
        random = torch.Generator().manual_seed(draw)
        sum((value * torch.randn(value.shape, generator=random)).sum() for value in outputs.values()).backward()
        gradients = dict(module.named_parameters())
        found = {name: _most(gradients[f"{name}.gain.weight"].grad) for name in left}
        left = {name: left[name] for name, most in found.items() if most <= ROUNDING}
    return set(left.values())


def _most(gradient: Any) -> float:
    return 0.0 if gradient is None else float(gradient.abs().max())


def _probed(program: Program) -> tuple[Program, dict[str, tuple[str, str]]]:
    """The program with a factor of its own on every input of a row, and which input each is, by the factor's row."""
    types = {program.input_name: program.input_type} | {n: t for row in program.rows for n, t in row.values.items()}
    rows: list[Row] = []
    probes: dict[str, tuple[str, str]] = {}
    plain = {row.name: row.inputs[0].source for row in program.rows if row.kind == "output" and not row.calls}
    for row in program.rows:
        sources = [*(connection.source for connection in row.inputs), *row.absorbed]
        names = [f"probe_{row.name}_{index}" for index in range(len(sources))]
        for name, source in zip(names, sources, strict=True):
            probes[name] = row.name, source
            rows.append(_factor(name, plain.get(source, source), types[source]))
        inputs = tuple(
            Connection(name, connection.resample) for name, connection in zip(names, row.inputs, strict=False)
        )
        rows.append(replace(row, inputs=inputs, absorbed=tuple(names[len(inputs) :])))
        if row.kind == "output" and row.calls:  # no row but a head reads an output
            rows[-1] = replace(rows[-1], kind="block")
            rows.append(_plain(f"{row.name}__", row))
    outputs = tuple(row.name for row in rows if row.kind == "output")
    heads = tuple(name for row in rows if row.kind == "head" for name in row.values)
    return replace(program, rows=tuple(rows), outputs=outputs + heads), probes


def _plain(name: str, row: Row) -> Row:
    """An output that is another row's map."""
    return replace(row, name=name, type_name="", inputs=(Connection(row.name, None),), absorbed=(), calls=())


def _factor(name: str, source: str, x: Type) -> Row:
    """A row that multiplies each channel of another by a number."""
    loc, formal = Loc("probe.spine", 1), Formal("x", "map", None)
    given = {attribute.name: attribute.default for attribute in PRIMITIVES["parameter"].attributes}
    attributes = {key: Attr(value, Literal(value)) for key, value in (given | {"channels": x.channels}).items()}
    own = Type(x.channels, 1, 1, None, batched=False)
    channels = Literal(x.channels)
    trace = Trace(Definition("probe__", "block_type", (Return(1, loc),), loc))
    ref = Ref("x", x, channels, value=trace.value(x, channels))
    gain = Op("parameter", "parameter", (), attributes, ("gain",), False, own, channels, loc)
    trace.gives(1, Op("multiply", "multiply", (ref, gain), {}, (), False, x, channels, loc))
    module = trace.module((formal,), {"x": x}, {})
    call = Call(module, {"x": ref}, {}, (name,), False, x, channels, loc)
    return Row("block", name, "probe__", x.level, (Connection(source, None),), (), None, (call,), False, x, loc)


def counted(program: Program) -> tuple[int, int]:
    """Trainable parameters and multiply-adds at the program's own size, as torch counts them: without memory."""
    module, counter = _counted(program)
    return sum(parameter.numel() for parameter in module.parameters()), counter.get_total_flops() // 2


def counted_by_row(program: Program) -> dict[str, Costs]:
    """The same for each row, with what resamples and joins its inputs, and what its norms track.

    Rows that share their weights count together, under the name of these.
    """
    from spinedsl.backends.torch.names import member  # noqa: PLC0415

    module, counter = _counted(program)
    work, root = counter.get_flop_counts(), type(module).__name__
    found: dict[str, Costs] = {}
    for row in program.rows:
        name = program.weights_of(row.name)
        paths = [(name,), *(call.path for call in calls_of(row) if call not in row.calls)]
        modules = {".".join([root, *map(member, path)]) for path in paths}  # a join without weights is none
        flops = sum(sum(work[one].values()) for one in modules if one in work)
        part = dict(module.named_modules()).get(member(name))
        own = {} if part is None else {one: tensor.numel() for one, tensor in part.named_parameters()}
        kept = {} if part is None else {one: tensor.numel() for one, tensor in part.state_dict().items()}
        tracked = sum(kept[one] for one in kept if one not in own and not one.endswith("num_batches_tracked"))
        found[name] = Costs(sum(own.values()), tracked, flops // 2)
    return found


def _counted(program: Program) -> tuple[Any, Any]:
    """The generated module, and torch's counter of operations after a run of it."""
    import torch  # noqa: PLC0415
    from torch.utils.flop_counter import FlopCounterMode  # noqa: PLC0415

    from spinedsl.backends.torch import emit_module, shaped  # noqa: PLC0415

    module = shaped(emit_module(program).decode(), program).eval().requires_grad_(False)
    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.empty(1, *program.input_type.shape))
    return module, counter
