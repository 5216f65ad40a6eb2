"""What a model says of its use, as one property: its task, its classes, and how pictures become what it takes.

In: what a training says of itself, in an exported model or in a checkpoint whose weights are compiled. Out: the
property, as text. `inference.exported` reads it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from spinedsl.backends import Options
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.ops.detection import KIND, detector
from spinedsl.ops.program import Program
from spinedsl.weights.tensors import TRAINING, Weights

TRAINED, VERSION = "spinedsl.trained", 1  # the property, and its form
PICTURE, IMAGE = "picture", "image"  # what boxes are in pixels of: the picture that goes in, or the network's image
PIXELS, NUMBERS = "NHWC", "NCHW"  # what goes in: pixels as files decode to, or the network's numbers


def use(
    *, task: str, output: str, classes: Sequence[str], preprocessing: Preprocessing, network: str, digest: str,
    step: int, given: Mapping[str, Any], outputs: Sequence[str], boxes: str = "",
    aligned: bool = False,
) -> dict[str, str]:  # fmt: skip
    """The property.

    Args:
        task: its kind.
        output: what of the network the task is about.
        classes: their names.
        preprocessing: how pictures become the network's images.
        network: its name.
        digest: of what it computes; where there is none, that of the file stands for it.
        step: how long it was trained.
        given: the input: `name`, `layout` (PIXELS or NUMBERS), `type` and `sizes`, which are `any` or height and width.
        outputs: of the model, by name.
        boxes: of a detector, what they are in pixels of: PICTURE or IMAGE.
        aligned: whether its pictures are faces that five points align.
    """
    found: dict[str, Any] = {
        "version": VERSION, "task": task, "output": output, "classes": list(classes),
        "preprocessing": preprocessing.to_json(), "network": network, "digest": digest, "step": step,
        "input": dict(given), "outputs": list(outputs), "aligned": aligned, **({"boxes": boxes} if boxes else {}),
    }  # fmt: skip
    return {TRAINED: json.dumps(found, ensure_ascii=False, allow_nan=False)}


def use_of_compiled(program: Program, weights: Weights, options: Options, outputs: Sequence[str]) -> dict[str, str]:
    """The same for a detector that is compiled with the weights of a checkpoint; nothing, where they are no such.

    Pictures get the size that the model takes, or, where it takes several, that of the training.
    """
    if TRAINING not in weights.metadata:
        return {}
    about = json.loads(weights.metadata[TRAINING])
    asked = [task.name for task in program.tasks if task.kind == KIND and options.task in ("", task.name)]
    if about["task"]["kind"] != KIND or asked != [about["output"]]:
        return {}
    what, image = detector(program, asked[0]), program.input_type
    sides = {"height": image.height, "width": image.width}
    settings = about["preprocessing"] | {axis: side for axis, side in sides.items() if axis not in options.dynamic}
    if len(about["classes"]) > what.classes or settings["channels"] != image.channels:
        return {}
    given = {
        "name": program.input_name, "layout": NUMBERS, "type": "float16" if options.half else "float32",
        "sizes": [settings["height"], settings["width"]],
    }  # fmt: skip
    return use(
        task=KIND, output=what.name, classes=about["classes"], preprocessing=Preprocessing.from_json(settings),
        network=program.name, digest="", step=int(about["step"]), given=given, outputs=outputs, boxes=IMAGE,
    )  # fmt: skip
