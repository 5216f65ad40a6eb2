"""Exported models: an ONNX model of `spine export` as an `Engine`, which ONNX Runtime runs.

In: a path. Out: an `Engine`, or why there is none. Nothing of PyTorch is imported. A model that is not as it was
written is refused; one that another tool rewrote since, and that still says what it is for, is not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spinedsl import checks as say
from spinedsl.data.pictures import Pixels
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.diagnostics import Outcome
from spinedsl.diagnostics.plain import one_line
from spinedsl.inference.engine import Decoded, Engine
from spinedsl.ops.digests import model_holds, model_is_ours
from spinedsl.reading import reason_of
from spinedsl.weights.tensors import nowhere

TRAINED, VERSION = "spinedsl.trained", 1  # the property of a model that says what it is for, and its form
MOST = 64  # images at once


def open_exported(path: str | Path, device: str = "auto") -> Outcome[Engine]:
    """The engine of an ONNX model that `spine export` wrote, which runs on the processor."""
    import onnxruntime  # noqa: PLC0415  only where it is needed

    path = Path(path)
    if device == "cuda":
        reason = "exported models run on the processor here"
        found = say.NO_DEVICE.at(nowhere(path), reason=reason)
        return Outcome(None, (found.with_fix("the checkpoint runs on a GPU, and so does the model outside spinedsl"),))
    try:
        data = path.read_bytes()
    except OSError as error:
        return Outcome(None, (say.CANNOT_READ.at(nowhere(path), path=str(path), reason=reason_of(error)),))
    if model_is_ours(memoryview(data)) and not model_holds(memoryview(data)):
        return _none(path, "it is damaged: it is not the model that was written", "export it again")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors, which are raised too
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  whatever a file makes the runtime raise
        reason = one_line(str(error))[:160] or type(error).__name__
        return _none(path, f"ONNX Runtime does not load it ({reason})", "name the .onnx file of `spine export`")
    text = session.get_modelmeta().custom_metadata_map.get(TRAINED)
    if text is None:
        reason = "it is an ONNX model that does not say what it is for"
        return _none(path, reason, "`spine export` writes models with preprocessing, classes and task")
    try:
        return _engine(path, session, json.loads(text))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return _none(path, f"what it says of its use cannot be read ({one_line(str(error))[:120]})", "export it again")


def _none(path: Path, reason: str, fix: str) -> Outcome[Engine]:
    found = say.NOT_EXPORTED.at(nowhere(path), path=str(path), reason=reason)
    return Outcome(None, (found.with_fix(fix),))


def _engine(path: Path, session: Any, about: Mapping[str, Any]) -> Outcome[Engine]:
    """The engine of a session, by what its model says."""
    if about["version"] > VERSION:
        return _none(path, f"a newer spinedsl wrote it (version {about['version']})", "use that one")
    pre = Preprocessing.from_json(about["preprocessing"])
    (given,), (result,) = session.get_inputs(), session.get_outputs()
    if [given.name, [result.name]] != [about["input"]["name"], about["outputs"]]:
        raise ValueError("its input and output are not those that it names")
    batch = given.shape[0] if isinstance(given.shape[0], int) else None
    any_size = about["input"]["sizes"] == "any"

    def run(images: Pixels) -> Decoded:
        found: Decoded = session.run([result.name], {given.name: images})[0]
        return found

    def compute(pictures: Sequence[Pixels]) -> Decoded:
        return batched(run, pictures, batch)

    engine = Engine(
        path=str(path), runtime="ONNX Runtime on cpu", kind=str(about["task"]), output=str(about["output"]),
        classes=tuple(map(str, about["classes"])), preprocessing=pre, network=str(about["network"]),
        digest=str(about["digest"]), step=int(about["step"]), about=about,
        prepare=(lambda pixels: pixels) if any_size else pre.fit, compute=compute,
    )  # fmt: skip
    return Outcome(engine)


def batched(run: Any, pictures: Sequence[Pixels], batch: int | None) -> Decoded:
    """What a model makes of pictures of any sizes: those of one size are run together, and come back in their order.

    With a `batch`, it takes just so many, and what is missing is filled up.
    """
    by_size: dict[tuple[int, ...], list[int]] = {}
    for number, pixels in enumerate(pictures):
        by_size.setdefault(pixels.shape, []).append(number)
    rows: dict[int, Any] = {}
    for shape, numbers in by_size.items():
        together = batch or max(1, min(MOST, 2**26 // max(1, math.prod(shape))))
        for start in range(0, len(numbers), together):
            part = numbers[start : start + together]
            filled = part + part[-1:] * (together - len(part) if batch else 0)
            found = run(np.stack([pictures[number] for number in filled]))
            rows.update(zip(part, found, strict=False))
    return np.stack([rows[number] for number in range(len(pictures))]) if rows else np.empty((0, 0), np.float32)
