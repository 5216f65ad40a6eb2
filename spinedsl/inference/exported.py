"""Exported models: an ONNX model of `spine export` as an `Engine`, which ONNX Runtime runs.

A detector that was compiled with `--detect` is one too.

In: a path. Out: an `Engine`, or why there is none. Nothing of PyTorch is imported. A model that is not as it was
written is refused; one that another tool rewrote since, and that still says what it is for, is not.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from spinedsl import api
from spinedsl import checks as say
from spinedsl.data.pictures import Pixels
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.use import IMAGE, NUMBERS, PICTURE, TRAINED, VERSION
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.diagnostics.plain import one_line
from spinedsl.inference.boxes import Boxes, of_arrays
from spinedsl.inference.engine import Decoded, Engine
from spinedsl.ops.detection import DETECTION, KIND
from spinedsl.ops.digests import model_holds, model_is_ours
from spinedsl.reading import reason_of
from spinedsl.record import Record
from spinedsl.weights.tensors import nowhere

LIMITS = {"score": "score", "overlap": "overlap", "top": "top", "most": "max_detections"}  # of a task, in a model
MOST = 64  # images at once
UNSAID = (
    "{name} does not say how pictures become its numbers, nor what its classes are called: they are stretched to "
    "{height}x{width}, with ImageNet's mean and deviation; compiled with a checkpoint, or exported, it says both"
)


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
    properties = session.get_modelmeta().custom_metadata_map
    text = properties.get(TRAINED)
    if text is None and DETECTION in properties:
        return _of_compiled(path, session, properties)
    if text is None:
        reason = "it is an ONNX model that does not say what it is for"
        return _none(path, reason, "`spine export` writes models with preprocessing, classes and task")
    try:
        return _engine(path, session, json.loads(text))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return _none(path, f"what it says of its use cannot be read ({one_line(str(error))[:120]})", "export it again")


def _of_compiled(path: Path, session: Any, properties: Mapping[str, str]) -> Outcome[Engine]:
    """The engine of a detector that was compiled, and does not say what it was trained on: what is usual is taken."""
    try:
        found, network = json.loads(properties[DETECTION]), properties.get("spine.network", path.stem)
        (given,) = session.get_inputs()
        _, channels, height, width = given.shape
        if not isinstance(height, int) or not isinstance(width, int):
            reason = "it takes images of several sizes, and does not say which pictures are to have"
            fix = "compile it with the checkpoint as `--weights`, or for one size: without `--dynamic height,width`"
            return _none(path, reason, fix)
        pre = Preprocessing(height, width, channels=channels)
        about = {
            "version": VERSION, "task": KIND, "output": found["task"], "classes": [], "network": network, "step": 0,
            "preprocessing": pre.to_json(), "digest": "",
            "input": {"name": given.name, "layout": NUMBERS, "sizes": [height, width]}, "boxes": IMAGE,
            "outputs": [one.name for one in session.get_outputs()],
            "notes": [UNSAID.format(name=path.name, height=height, width=width)],
        }  # fmt: skip
        return _engine(path, session, about)
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        return _none(
            path, f"what it says of its boxes cannot be read ({one_line(str(error))[:120]})", "compile it again"
        )


def _none(path: Path, reason: str, fix: str) -> Outcome[Engine]:
    found = say.NOT_EXPORTED.at(nowhere(path), path=str(path), reason=reason)
    return Outcome(None, (found.with_fix(fix),))


def _engine(path: Path, session: Any, about: Mapping[str, Any]) -> Outcome[Engine]:
    """The engine of a session, by what its model says."""
    if about["version"] > VERSION:
        return _none(path, f"a newer spinedsl wrote it (version {about['version']})", "use that one")
    pre = Preprocessing.from_json(about["preprocessing"])
    (given,), results = session.get_inputs(), [one.name for one in session.get_outputs()]
    if [given.name, results] != [about["input"]["name"], about["outputs"]]:
        raise ValueError("its input and output are not those that it names")
    batch = given.shape[0] if isinstance(given.shape[0], int) else None
    any_size = about["input"]["sizes"] == "any"
    runs = _Runs(session, given.name, results, pre if about["input"]["layout"] == NUMBERS else None, batch)
    finds = about["task"] == KIND
    text = session.get_modelmeta().custom_metadata_map.get(DETECTION, "{}")
    limits = _limits(json.loads(text)) if finds else {}
    engine = Engine(
        path=str(path), runtime="ONNX Runtime on cpu", kind=str(about["task"]), output=str(about["output"]),
        classes=tuple(map(str, about["classes"])), preprocessing=pre, network=str(about["network"]),
        digest=str(about["digest"]) or hashlib.sha256(path.read_bytes()).hexdigest(),
        step=int(about["step"]), about=about,
        prepare=(lambda pixels: pixels) if any_size else pre.fit, compute=runs.compute,
        find=partial(runs.find, str(path), limits) if finds else None, limits=limits,
        in_pictures=finds and about["boxes"] == PICTURE, notes=tuple(map(str, about.get("notes", ()))),
    )  # fmt: skip
    return Outcome(engine)


class _Runs(Record, eq=False):
    """A session, and what its model takes: pixels, or numbers that `pre` makes of them, `batch` images at once."""

    session: Any
    given: str
    results: list[str]
    pre: Preprocessing | None
    batch: int | None

    def compute(self, pictures: Sequence[Pixels]) -> Decoded:
        """The only output: a row for each picture."""
        return batched(lambda images: self._run(images)[0], pictures, self.batch)

    def find(
        self, path: str, limits: Mapping[str, Any], pictures: Sequence[Pixels], asked: Mapping[str, Any]
    ) -> list[Boxes]:  # fmt: skip
        """The boxes of each picture, those of them that the limits leave that are asked for.

        Raises:
            Mistakes: the model leaves out what they would not.
        """
        _need(path, limits, asked)
        found = in_batches(lambda images: of_arrays(*self._run(images)), pictures, self.batch)
        return [one.kept(asked.get("score", -1.0), asked.get("most")) for one in found]

    def _run(self, images: Pixels) -> list[Any]:
        array: Any = images
        if self.pre is not None:
            kind = {"tensor(float16)": np.float16}.get(self.session.get_inputs()[0].type, np.float32)
            array = self.pre.normalised(images).astype(kind)
        found: list[Any] = self.session.run(self.results, {self.given: array})
        return found


def _limits(given: Mapping[str, Any]) -> dict[str, Any]:
    """By which limits a model finds boxes, as a task calls them."""
    return {name: given[key] for name, key in LIMITS.items()}


def _need(path: str, own: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """See that a model has all boxes that are asked for: fewer can be taken of those that it finds, and not more.

    Raises:
        Mistakes: it has not.
    """
    for name, value in asked.items():
        fewer = (name == "score" and value > own[name]) or (name == "most" and value < own[name])
        if value != own[name] and not fewer:
            found: Diagnostic = say.FIXED_IN_MODEL.at(nowhere(path), path=path, name=name, own=own[name], asked=value)
            fix = f"`spine export --{name} {value}` writes such a model, and the checkpoint finds boxes by any limits"
            raise api.Mistakes([found.with_fix(fix)])


def batched(run: Any, pictures: Sequence[Pixels], batch: int | None) -> Decoded:
    """What a model makes of pictures of any sizes: a row for each, in their order."""
    rows = in_batches(run, pictures, batch)
    return np.stack(rows) if rows else np.empty((0, 0), np.float32)


def in_batches(run: Any, pictures: Sequence[Pixels], batch: int | None) -> list[Any]:
    """What a model makes of each of some pictures: those of one size are run together.

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
    return [rows[number] for number in range(len(pictures))]
