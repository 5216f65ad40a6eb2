"""The quantiser: from a float model and the ranges of its values to an int8 model, of all rows or of some.

In: the graph of `-O1` with its tensors, and images as the network takes them. Out: models. Convolutions and linear
layers become int8, per channel, with activations in uint8, and so does what stands between them; the last ones before
the outputs stay float, so that predictions are not rounded to 256 values.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from spinedsl.backends.onnx import emit_model
from spinedsl.backends.onnx.target import Target
from spinedsl.ops.program import Program
from spinedsl.record import Record

Array: TypeAlias = NDArray[Any]
Outputs: TypeAlias = Mapping[str, Array]
Run: TypeAlias = Callable[[Array], Outputs]  # from a batch of images

HEAVY = ("Conv", "ConvTranspose", "Gemm", "MatMul")  # what is worth it
ROW = "spine.row"  # the property of a node that names its row
LEVEL = 1  # of passes: a norm that stands alone would be a step of its own


class Float(Record, eq=False):
    """A network in float32, ready to be quantised. `opset` is that of its models."""

    program: Program
    weights: Mapping[str, Array]
    opset: int

    @cached_property
    def model(self) -> ModelProto:
        """The model of the folded graph, for one image at a time."""
        return onnx.load_model_from_string(
            emit_model(self.program, self.weights, target=Target(self.opset), dynamic=self.dynamic, level=LEVEL)
        )

    @property
    def dynamic(self) -> frozenset[str]:
        """The axes that stay open: the batch, unless a definition reads it."""
        return frozenset({"batch"} - set(self.program.static_axes))

    @cached_property
    def rows(self) -> Mapping[str, tuple[NodeProto, ...]]:
        """The nodes of each row, in running order, without those that always stay float."""
        by_row: dict[str, list[NodeProto]] = {}
        for node in self.model.graph.node:
            if node.name not in self.predictions and (row := row_of(node)):
                by_row.setdefault(row, []).append(node)
        return {name: tuple(nodes) for name, nodes in by_row.items()}

    def heavy(self, row: str) -> int:
        """How many convolutions and linear layers of a row can become int8."""
        return sum(node.op_type in HEAVY for node in self.rows[row])

    @cached_property
    def predictions(self) -> Mapping[str, None]:
        """The names of the nodes that always stay float.

        They are those between an output and the last convolutions or linear layers of the row that gives it, and these.
        """
        makers = {output: node for node in self.model.graph.node for output in node.output}
        found: dict[str, None] = {}
        for output in self.model.graph.output:
            value = output.name
            while (maker := makers[value]).op_type == "Identity" and maker.input[0] in makers:
                found[maker.name] = None
                value = maker.input[0]  # an output is a row under a second name
            row, values = row_of(maker), [value]
            while values:
                node = makers.get(values.pop())
                if node is None or node.name in found or row_of(node) != row:
                    continue
                found[node.name] = None
                if node.op_type not in HEAVY:
                    values.extend(node.input)
        return found

    @cached_property
    def run(self) -> Run:
        """The float model, run."""
        return runner(self.model)


def row_of(node: NodeProto) -> str:
    """The row of the file that a node comes from."""
    return next((entry.value for entry in node.metadata_props if entry.key == ROW), "")


# ---- ranges of values, and models by them ----


def calibrated(network: Float, images: Iterator[Array]) -> Any:
    """The least and largest number of every value over some images, each (1, channels, height, width)."""
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, create_calibrator  # noqa: PLC0415

    name = network.model.graph.input[0].name

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # it ships no types
        def get_next(self) -> dict[str, Array] | None:
            image = next(images, None)
            return None if image is None else {name: image}

    with tempfile.TemporaryDirectory() as folder, _quiet():
        path, augmented = Path(folder, "model.onnx"), Path(folder, "augmented.onnx")
        onnx.save(network.model, path)
        calibrator = create_calibrator(
            path, None, augmented_model_path=str(augmented), calibrate_method=CalibrationMethod.MinMax
        )
        calibrator.collect_data(Reader())
        return calibrator.compute_data()


def quantised(network: Float, ranges: Any, rows: Collection[str], *, reduce_range: bool = False) -> ModelProto:
    """The model in which these rows are int8, and all else float."""
    from onnxruntime.quantization import QuantType  # noqa: PLC0415
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer  # noqa: PLC0415
    from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry  # noqa: PLC0415

    model = ModelProto()
    model.CopyFrom(network.model)
    wanted = {node.name for row in rows for node in network.rows[row]}
    if not wanted:
        return model
    left = [node.name for node in model.graph.node if node.name not in wanted]
    operators = sorted({*QLinearOpsRegistry, *QDQRegistry})
    with _quiet():
        quantizer = QDQQuantizer(
            model, True, reduce_range, QuantType.QInt8, QuantType.QUInt8, ranges, [], left, operators, {}
        )
        quantizer.quantize_model()
        quantizer.model.topological_sort()
    found = quantizer.model.model
    assert isinstance(found, ModelProto)
    return found


def runner(model: ModelProto, threads: int = 0) -> Run:
    """A model as a function of a batch of images, which are run one by one."""
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    given, names = session.get_inputs()[0].name, [output.name for output in session.get_outputs()]

    def run(images: Array) -> Outputs:
        each = [session.run(names, {given: images[n : n + 1]}) for n in range(len(images))]
        return {name: np.concatenate([found[at] for found in each]) for at, name in enumerate(names)}

    return run


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what the quantiser logs: advice that was followed before."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
