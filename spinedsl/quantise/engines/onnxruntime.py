"""ONNX Runtime's quantiser: from a float model and the ranges of its values to an int8 model, of all rows or of some.

Convolutions and linear layers become int8, per channel, with activations in uint8, and so does what stands between
them. A range is from the least to the largest number that a value has over all images.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import ModelProto

from spinedsl.quantise.engines import Made
from spinedsl.quantise.network import Array, Float
from spinedsl.quiet import quiet


def prepared(network: Float, images: Sequence[Array], *, reduce_range: bool) -> Made:
    """The int8 models of a network, whose ranges are those of these images, each (1, channels, height, width)."""
    ranges = calibrated(network, iter(images))
    return lambda rows: quantised(network, ranges, rows, reduce_range=reduce_range)


def calibrated(network: Float, images: Iterator[Array]) -> Any:
    """The least and largest number of every value over some images, each (1, channels, height, width)."""
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, create_calibrator  # noqa: PLC0415

    name = network.model.graph.input[0].name

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # it ships no types
        def get_next(self) -> dict[str, Array] | None:
            image = next(images, None)
            return None if image is None else {name: image}

    with tempfile.TemporaryDirectory() as folder, quiet():
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
    with quiet():
        quantizer = QDQQuantizer(
            model, True, reduce_range, QuantType.QInt8, QuantType.QUInt8, ranges, [], left, operators, {}
        )
        quantizer.quantize_model()
        quantizer.model.topological_sort()
    found = quantizer.model.model
    assert isinstance(found, ModelProto)
    return found
