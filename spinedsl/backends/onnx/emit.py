"""Emit: from a program and its weights to the bytes of an ONNX model.

In: a `Program`, its tensors by canonical name, and which axes may vary. Out: a serialised `ModelProto`, the same bytes
for the same input. Parameters are initialisers of the same names; a row's value is named as the row, every other value
by its path; every node says which row and which `.spine` line it comes from; the model carries the whole source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from onnx import (
    GraphProto,
    ModelProto,
    OperatorSetIdProto,
    StringStringEntryProto,
    TensorProto,
    TensorShapeProto,
    TypeProto,
    ValueInfoProto,
)

from spinedsl.backends.onnx.assemble import Parts, in_one_file, in_two_files
from spinedsl.backends.onnx.operators import OPERATORS, unchanged
from spinedsl.backends.onnx.sketch import Dimension, Shape, Sketch, Step, Tensor, multiple, sum_of
from spinedsl.backends.onnx.target import Target
from spinedsl.ops.digests import RECIPES, digest_of
from spinedsl.ops.graph import Graph, Node, flatten
from spinedsl.ops.naming import names_for, path_of, value_names
from spinedsl.ops.primitives import PRIMITIVES, UNCUT
from spinedsl.ops.program import Program
from spinedsl.ops.types import Loc, Type
from spinedsl.passes import MADE, Made, Numbers, optimised, record
from spinedsl.record import Record, replace

AXES = frozenset({"batch", "height", "width"})
PLAIN = Target()
T = TypeVar("T")
Around: TypeAlias = Callable[[GraphProto, Target], None]  # puts nodes before and behind those of a network


def emit_model(
    program: Program,
    weights: Mapping[str, NDArray[Any]],
    *,
    dynamic: frozenset[str] = frozenset(),
    target: Target = PLAIN,
    metadata: Mapping[str, str] | None = None,
    around: Around | None = None,
    level: int = 0,
    runtime: str = "",
) -> bytes:
    """The model. `dynamic` names axes of the input that may vary: `batch`, `height` and `width`.

    Height and width vary by steps of the divisor, or freely in a network of any size; what does not vary is as in the
    program, and the batch as in the target.
    `metadata` goes into the model's properties, after the source and its digest. The last property is the digest of all
    bytes before it. `around` gets the graph, without its initialisers, to put nodes of its own around those.
    `level` says which passes the graph went through, of level 2 for a `runtime`; the property `spine.made` then has how
    its tensors were made. Each of the weights is asked for once, where it is written, or more often of a level.

    Raises:
        ValueError: an axis is unknown or a definition reads it, or weights do not fit.
    """
    job = _Job(program, weights, dynamic, target, metadata or {}, around, level, runtime)
    return _written(job, in_one_file)


def emit_files(
    program: Program,
    weights: Mapping[str, NDArray[Any]],
    *,
    dynamic: frozenset[str] = frozenset(),
    target: Target = PLAIN,
    metadata: Mapping[str, str] | None = None,
    around: Around | None = None,
    level: int = 0,
    runtime: str = "",
) -> dict[str, bytes]:
    """The same model as `NAME.onnx`, and its tensors in a file beside it, whatever they take. See `emit_model`."""
    job = _Job(program, weights, dynamic, target, metadata or {}, around, level, runtime)
    return _written(job, partial(in_two_files, name=program.name))


class _Job(Record, eq=False):
    """What is written: see `emit_model`."""

    program: Program
    weights: Mapping[str, NDArray[Any]]
    dynamic: frozenset[str]
    target: Target
    metadata: Mapping[str, str]
    around: Around | None
    level: int
    runtime: str


def _written(job: _Job, write: Callable[[Parts, Sequence[TensorProto], Iterator[NDArray[Any]]], T]) -> T:
    """The model. Where its numbers turn out to be none, it is written again with the norms that they come from."""
    target, keep = job.target, frozenset[str]()
    while True:
        graph, made = flatten(job.program), Made({}, job.weights, target.most)
        metadata = job.metadata
        if job.level:
            form = optimised(graph, job.level, keep, job.runtime, Numbers(target.half, job.dynamic))
            graph, made = form.graph, Made(form.recipes, job.weights, target.most, target.layout)
            recipes = record(form)
            metadata = {**metadata, MADE: recipes, RECIPES: digest_of(recipes)}
        found = write(_parts(graph, job.dynamic, target, metadata, job.around), *_tensors(graph, made, target))
        if not made.wrong:
            return found
        keep |= made.wrong


def _parts(
    graph: Graph, dynamic: frozenset[str], target: Target, metadata: Mapping[str, str], around: Around | None
) -> Parts:
    """The model without its tensors."""
    structure = build(graph, dynamic, target)
    if around is not None:
        around(structure, target)
    head = ModelProto(ir_version=target.ir_version, producer_name="spinedsl")
    tail = ModelProto(
        opset_import=[OperatorSetIdProto(domain="", version=target.opset)],
        metadata_props=[
            StringStringEntryProto(key=key, value=value)
            for key, value in (*_provenance(graph.program).items(), *sorted(metadata.items()))
        ],
    )
    return Parts(head, structure, tail)


def build(graph: Graph, dynamic: frozenset[str], target: Target = PLAIN) -> GraphProto:
    """The graph without its initialisers."""
    _check_axes(graph.program, dynamic, target)
    shapes = _shapes(graph, dynamic, target.batch)
    graph = _without_idle(graph, shapes)
    names = names_for(graph)
    values = value_names(graph, names)
    labels = {source.name: source.label for source in graph.program.sources}
    sketch = Sketch(names, any_size=graph.program.any_size, target=target)
    for node in graph.nodes:
        OPERATORS[node.primitive](
            Step(
                sketch,
                inputs=[values[value] for value in node.inputs],
                given=[shapes[value] for value in node.inputs],
                attributes=node.attributes,
                parameters=node.parameters,
                result=values[node.result],
                shape=shapes[node.result],
                input_shapes=[shapes[value] for value in node.inputs],
                path=path_of(node),
                metadata=_origin(node.row, node.loc, labels),
            )
        )
    _name_outputs(graph, sketch, values, shapes, labels)
    real = TensorProto.FLOAT16 if target.half else TensorProto.FLOAT
    inner = ((name, tensor) for name, tensor in sketch.tensors.items() if name not in graph.outputs)
    return GraphProto(
        name=graph.program.name,
        node=sketch.nodes,
        input=[_value_info(values[0], Tensor(shapes[0]), real)],
        output=[_value_info(name, Tensor(shapes[value]), real) for name, value in graph.outputs.items()],
        value_info=[_value_info(name, tensor, real) for name, tensor in inner],
    )


def _check_axes(program: Program, dynamic: frozenset[str], target: Target) -> None:
    if unknown := dynamic - AXES:
        raise ValueError(f"no such axis: {', '.join(sorted(unknown))}")
    if "batch" in dynamic and target.batch != 1:
        raise ValueError(f"the batch cannot be open and have {target.batch} images")
    for axis in sorted(dynamic & set(program.static_axes)):
        raise ValueError(f"the {axis} is fixed by {program.static_axes[axis]}")


def _origin(row: str, loc: Loc, labels: Mapping[str, str]) -> dict[str, str]:
    return {"spine.row": row, "spine.line": f"{labels.get(loc.file, loc.file)}:{loc.line}"}


def _keeps(node: Node, graph: Graph, shapes: Sequence[Shape]) -> bool:
    """A map is brought to the size that it has."""
    return PRIMITIVES[node.primitive].sized and shapes[node.inputs[0]] == shapes[node.result]


def _without_idle(graph: Graph, shapes: Sequence[Shape]) -> Graph:
    """The graph without the operations that do nothing in inference."""
    stands_for = list(range(len(graph.types)))
    nodes: list[Node] = []
    for node in graph.nodes:
        inputs = tuple(stands_for[value] for value in node.inputs)
        if OPERATORS[node.primitive] is unchanged or _keeps(node, graph, shapes):
            stands_for[node.result] = inputs[0]
        else:
            nodes.append(replace(node, inputs=inputs))
    rows = {name: stands_for[value] for name, value in graph.rows.items()}
    outputs = {name: stands_for[value] for name, value in graph.outputs.items()}
    return replace(graph, nodes=tuple(nodes), rows=rows, outputs=outputs)


def _name_outputs(
    graph: Graph, sketch: Sketch, values: Sequence[str], shapes: Sequence[Shape], labels: Mapping[str, str]
) -> None:
    """An output that is another row's value, or the input, needs that value under a second name."""
    for name, value in graph.outputs.items():
        if values[value] != name:
            row = next(row for row in graph.program.rows if name in row.values)
            origin = _origin(row.name, row.loc, labels)
            sketch.add("Identity", [values[value]], name, Tensor(shapes[value]), name, metadata=origin)


# ---- shapes ----


def _shapes(graph: Graph, dynamic: frozenset[str], images: int) -> list[Shape]:
    """The shape of every value. What does not depend on the input has a batch of 1, whatever the input's is."""

    def side(axis: str, size: int, x: Type) -> Dimension:
        if axis not in dynamic or x.is_pooled or x.over == axis:
            return size
        extra, stride = x.extra[axis == "width"], x.strides[axis == "width"]
        if not graph.program.any_size:
            return sum_of(multiple(graph.program.divisor // stride, axis[0]), extra)
        return sum_of(axis[0] if stride == 1 else f"ceil({axis[0]}/{stride})", extra)

    def shape(x: Type) -> Shape:
        batch: Dimension = 1 if not x.batched else "N" if "batch" in dynamic else images
        channels = x.axes or (x.channels,)
        if x.is_vector:
            return batch, *channels
        return batch, *channels, side("height", x.height, x), side("width", x.width, x)

    shapes = [shape(x) for x in graph.types]
    for node in graph.nodes if graph.program.any_size else ():
        if node.primitive in UNCUT:  # perhaps larger than its level
            (batch, _, *sides), (_, _, *whole) = shapes[node.result], shapes[node.inputs[0]]
            levels = (graph.types[node.inputs[0]].level or 0) - (graph.types[node.result].level or 0)
            times = [multiple(1 << levels, b) if isinstance(b, str) else a for a, b in zip(sides, whole, strict=True)]
            shapes[node.result] = (batch, graph.types[node.result].channels, *times)
    return shapes


def _value_info(name: str, tensor: Tensor, real: int) -> ValueInfoProto:
    """A value's type and shape; `real` is the type of the model's maps."""
    shape = TensorShapeProto(dim=[_dimension(size) for size in tensor.shape])
    held = TypeProto.Tensor(elem_type=real if tensor.element is None else tensor.element, shape=shape)
    return ValueInfoProto(name=name, type=TypeProto(tensor_type=held))


def _dimension(size: Dimension) -> TensorShapeProto.Dimension:
    if isinstance(size, str):
        return TensorShapeProto.Dimension(dim_param=size) if size else TensorShapeProto.Dimension()
    return TensorShapeProto.Dimension(dim_value=size)


# ---- tensors, and where they come from ----


def _provenance(program: Program) -> dict[str, str]:
    """What the model was made from: enough to make it again."""
    digest = hashlib.sha256()
    for source in program.sources:
        digest.update(f"{source.label}\0{source.text}\0".encode())
    texts = {f"spine.source.{source.label}": source.text for source in program.sources}
    return {"spine.network": program.name, "spine.digest": digest.hexdigest(), **texts}


def _tensors(graph: Graph, made: Made, target: Target) -> tuple[list[TensorProto], Iterator[NDArray[Any]]]:
    """For each parameter, its `TensorProto` without the numbers; and the numbers, made one after the other."""
    kind = TensorProto.FLOAT16 if target.half else TensorProto.FLOAT
    tensors = [TensorProto(dims=p.shape, data_type=kind, name=name) for name, p in graph.parameters.items()]

    def arrays() -> Iterator[NDArray[Any]]:
        for name, parameter in graph.parameters.items():
            array = np.ascontiguousarray(made[name], dtype=target.layout)
            if array.shape != parameter.shape:
                raise ValueError(f"`{name}` has shape {array.shape}, expected {parameter.shape}")
            yield array
            del array  # before the next one is made

    return tensors, arrays()
