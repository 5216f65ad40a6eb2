"""Verified boxes: what is compiled with `detect` finds what is decoded of the heads that the same engine gives.

In: a program, its tensors, and what it is compiled to. Out: how many boxes were compared, or what differs. The heads
themselves are compared with the reference interpreter elsewhere (`agreement`); here the way from heads to boxes is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spinedsl.agreement import image, lively_weights, usual_sizes
from spinedsl.agreement.boxes import Near, Same, same_boxes
from spinedsl.backends import AXES, Options
from spinedsl.backends.finding import finding
from spinedsl.ops.detection import Detector, Limits
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program
from spinedsl.ops.prune import prune
from spinedsl.record import replace
from spinedsl.tasks.detection.decoding import candidates, decode
from spinedsl.tasks.detection.suppression import Candidates

SCORE, SIDES = 1e-4, 1e-4  # how far a score, and a side as a share of the image's longer one, may lie apart
NAMES = ("boxes", "scores", "labels", "count")
SOME = 50  # boxes of an image that are compared where the threshold leaves none

Outputs = Mapping[str, Tensor]
Engine = tuple[Callable[[Tensor], Outputs], Callable[[Tensor, Limits], Mapping[str, NDArray[Any]]]]


class Verified(NamedTuple):
    """How many boxes were compared, and those that differ, in words."""

    boxes: int
    odd: tuple[str, ...]

    @property
    def stamp(self) -> str:
        """What a file says of it."""
        return f"and finds the same boxes as are decoded from its heads, {self.boxes:,} of them"


class _Seen(NamedTuple):
    sides: NDArray[Any]
    scores: NDArray[Any]
    labels: NDArray[Any]


def verified(program: Program, options: Options, to: str) -> Verified:
    """Compare, at a few small sizes, with the tensors of the options or lively ones of their seed."""
    found = finding(program, options)
    assert found.value is not None
    what, limits = found.value
    weights = options.weights
    if weights is None:
        weights = lively_weights(flatten(program).parameters, options.seed)
    needed = prune(program, (*what.scores, *what.boxes, *what.quality))
    same = Same()
    for size in usual_sizes(program):
        images = torch.from_numpy(image(program, size, options.seed))
        heads, find = (_onnx if to == "onnx" else _torch)(needed, replace(options, weights=weights, task=what.name))
        outputs, space = heads(images), (size.height, size.width)
        at = _within(what, outputs, space, limits)
        there = find(images, at)
        expected = decode(what, outputs, space, score=at.score, top=at.top, overlap=at.overlap, most=at.most)
        every = candidates(what, outputs, space, score=max(0.0, at.score - SCORE), top=at.top)
        cuts = _cuts(what, outputs, space, at)
        for number, count in enumerate(there["count"].tolist()):
            ours = _Seen(*(there[name][number, :count] for name in ("boxes", "scores", "labels")))
            near = Near(SCORE, SIDES * max(space))
            choice = _seen(every[number])
            same = same.with_those_of(
                same_boxes(_seen(expected.of(number)), ours, at, near, lambda one=choice: one, cuts)  # type: ignore[misc]
            )
    return Verified(same.of, same.odd)


def _seen(one: Candidates) -> _Seen:
    return _Seen(one.boxes.float().numpy(), one.scores.numpy(), one.labels.numpy())


def _within(what: Detector, outputs: Outputs, space: tuple[int, int], limits: Limits) -> Limits:
    """The limits, by a lower score where they leave no box of these heads."""
    there = candidates(what, outputs, space, score=0.0, top=limits.top)
    scores = sorted({float(score) for one in there for score in one.scores.tolist()}, reverse=True)
    if not scores or scores[0] > limits.score:
        return limits
    few = scores[: SOME + 1]
    return replace(limits, score=(few[-1] + few[max(0, len(few) - 2)]) / 2)


def _cuts(what: Detector, outputs: Outputs, space: tuple[int, int], limits: Limits) -> list[float]:
    """The scores below which a level had more candidates than are kept."""
    found = []
    for number in range(len(what.strides)):
        one = slice(number, number + 1)
        level = replace(
            what, strides=what.strides[one], scores=what.scores[one], boxes=what.boxes[one], quality=what.quality[one]
        )
        kept = candidates(level, outputs, space, score=limits.score, top=limits.top)
        found += [float(each.scores[-1]) for each in kept if len(each.scores) >= limits.top]
    return found


# ---- engines ----


def _onnx(program: Program, options: Options) -> Engine:
    """ONNX Runtime on a model that gives heads, and on one that finds boxes."""
    import onnxruntime  # noqa: PLC0415  where it is not installed, PyTorch alone is asked

    from spinedsl.backends.onnx import emit  # noqa: PLC0415

    open_ = frozenset(AXES) - set(program.static_axes)

    def session(given: Options) -> Any:
        made = emit(program, replace(given, dynamic=open_, batch=1, external_data="never", properties={}))
        assert made.value is not None, made.diagnostics
        return onnxruntime.InferenceSession(next(iter(made.value.values())), providers=["CPUExecutionProvider"])

    def run(model: Any, images: Tensor) -> dict[str, NDArray[Any]]:
        names = [one.name for one in model.get_outputs()]
        return dict(zip(names, model.run(names, {program.input_name: images.numpy()}), strict=True))

    def heads(images: Tensor) -> Outputs:
        found = run(session(replace(options, detect=False)), images)
        return {name: torch.from_numpy(value) for name, value in found.items()}

    def find(images: Tensor, at: Limits) -> Mapping[str, NDArray[Any]]:
        limited = replace(options, score=at.score, top=at.top, overlap=at.overlap, max_detections=at.most)
        found = run(session(limited), images)
        return dict(zip(NAMES, found.values(), strict=True))

    return heads, find


def _torch(program: Program, options: Options) -> Engine:
    """The generated file: what its `forward` gives, and its method `detect`."""
    from spinedsl.backends.torch import emit, filled  # noqa: PLC0415  only one of the backends is needed

    made = emit(program, replace(options, weights=None, adapter=""))
    assert made.value is not None, made.diagnostics
    assert options.weights is not None
    tensors = {name: np.asarray(value, dtype=np.float32) for name, value in options.weights.items()}
    module: Any = filled(next(iter(made.value.values())).decode(), program, tensors).eval()

    def heads(images: Tensor) -> Outputs:
        with torch.inference_mode():
            found: Outputs = module(images)
        return found

    def find(images: Tensor, at: Limits) -> Mapping[str, NDArray[Any]]:
        with torch.inference_mode():
            found = module.detect(images, score=at.score, top=at.top, overlap=at.overlap, most=at.most)
        return {name: value.numpy() for name, value in found.items()}

    return heads, find
