"""The structure of the ONNX model as text, without weights: what is checked in, and read in a review.

In: a `Program`. Out: a line for each parameter and each node. It is written from the messages themselves and not by
`onnx.printer`, whose form, like the bytes of a model, changes between versions.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Iterator

from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto

from spinedsl.backends.onnx.emit import PLAIN, build
from spinedsl.backends.onnx.target import Target
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program


def to_text(program: Program, *, dynamic: frozenset[str] = frozenset(), target: Target = PLAIN) -> str:
    """The model that `emit` makes, one node a line: value, operator, inputs, attributes, shape, `.spine` line."""
    graph = flatten(program)
    structure = build(graph, dynamic, target)
    lines = [f"model {structure.name}  ir {target.ir_version}  opset {target.opset}", ""]
    lines += [f"input  {value.name} {_shape(value)}" for value in structure.input]
    lines += [f"output {value.name} {_shape(value)}" for value in structure.output]
    lines.append("")
    for name, parameter in graph.parameters.items():
        lines.append(f"initializer {name} {'x'.join(map(str, parameter.shape))}")
    lines.append("")
    lines += _nodes(structure, graph.parameters)
    return "\n".join(lines) + "\n"


def _nodes(structure: GraphProto, parameters: Container[str]) -> Iterator[str]:
    shapes = {value.name: _shape(value) for value in (*structure.value_info, *structure.output)}
    for node in structure.node:
        (result,) = node.output
        origin = {entry.key: entry.value for entry in node.metadata_props}
        label = f" [{node.name}]" if node.name != result else ""
        applied = f"{node.op_type}({', '.join(_arguments(node, parameters))})"
        yield f"{result}{label} = {applied} -> {shapes[result]}  {origin.get('spine.line', '')}".rstrip()


def _arguments(node: NodeProto, parameters: Container[str]) -> Iterator[str]:
    """Inputs and attributes. A parameter shows the last part of its name: the rest is the name of the node."""
    for name in node.input:
        own = name in parameters and name.startswith(f"{node.name}.")
        yield name.removeprefix(node.name) if own else name or "_"
    for attribute in node.attribute:
        yield f"{attribute.name}={_attribute(attribute)}"


def _attribute(attribute: AttributeProto) -> str:
    if attribute.type == AttributeProto.TENSOR:
        return _numbers(attribute.t)
    if attribute.type == AttributeProto.STRING:
        return attribute.s.decode()
    if attribute.type == AttributeProto.FLOAT:
        return f"{attribute.f:.7g}"
    if attribute.type == AttributeProto.INT:
        return str(attribute.i)
    return f"[{','.join(map(str, attribute.ints))}]"


def _numbers(tensor: TensorProto) -> str:
    code = "q" if tensor.data_type == TensorProto.INT64 else "f"
    numbers = [f"{number:.7g}" for (number,) in struct.iter_unpack(f"<{code}", tensor.raw_data)]
    return f"[{','.join(numbers)}]" if tensor.dims else numbers[0]


def _shape(value: ValueInfoProto) -> str:
    tensor = value.type.tensor_type
    sizes = [dimension.dim_param or str(dimension.dim_value) for dimension in tensor.shape.dim]
    kind = "int64 " if tensor.elem_type == TensorProto.INT64 else ""
    return f"{kind}[{', '.join(sizes)}]"
