"""An engine: a trained network for its use, whatever runs it.

In: a checkpoint of `spine train`. Out: an `Engine`, which takes pictures as files decode to and gives what the task
makes of the network's output: shares of classes, or vectors of unit length. What opens an exported model makes the same
of it, so that evaluation, prediction and galleries know no runtime by name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinedsl import checks as say
from spinedsl.brief import short_path
from spinedsl.data.dataset import nowhere
from spinedsl.data.pictures import Pixels
from spinedsl.data.preprocessing import Placement, Preprocessing
from spinedsl.diagnostics import Outcome
from spinedsl.inference.boxes import NOT_FINITE, Boxes
from spinedsl.record import Record

if TYPE_CHECKING:
    from spinedsl.training.build import Trained

Decoded = NDArray[np.float32]  # (pictures, classes): shares that sum to 1; or (pictures, numbers): of unit length

Find = Callable[[Sequence[Pixels], Mapping[str, Any]], list[Boxes]]

DEVICES = ("auto", "cpu", "cuda")
COUNTER = ".num_batches_tracked"  # ends the names of tensors that only training reads


class Engine(Record, eq=False):
    """A trained network for its use.

    `prepare` makes of a picture of any size (`uint8`, height x width x 1 or 3, as files decode to) what `compute`
    takes a list of; it may be called from several threads. `compute` gives what `task.decode` does. A detector has
    `find` instead: of the same list, and of limits that stand instead of its own `limits`, boxes of each picture in
    pixels of the network's image, or of the picture itself where they are `in_pictures`. `notes` are for whoever uses
    it.
    """

    path: str
    runtime: str  # in words, as `PyTorch on cpu`
    kind: str  # of the task, in `tasks.TASKS`
    output: str
    classes: tuple[str, ...]  # names of labels: those of the outputs of a classifier
    preprocessing: Preprocessing
    network: str  # its name
    digest: str  # of what it computes: the same for a checkpoint and the model that was exported from it
    step: int
    about: Mapping[str, Any]  # what else the file says
    prepare: Callable[[Pixels], Pixels]
    compute: Callable[[Sequence[Pixels]], Decoded]
    find: Find | None = None
    limits: Mapping[str, Any] = {}
    in_pictures: bool = False
    notes: tuple[str, ...] = ()

    def __brief__(self) -> str:
        return f"{short_path(self.path)}: {self.network}, {self.kind}, step {self.step}; {self.runtime}"

    @property
    def aligned(self) -> bool:
        """It was trained on faces that were aligned by five points, and needs such."""
        return bool(self.about.get("aligned"))

    def run(self, pictures: Sequence[Pixels]) -> Decoded:
        """What the network makes of pictures as files decode to: a row for each, in their order."""
        return self.compute([self.prepare(pixels) for pixels in pictures])

    def placement(self, pixels: Pixels) -> Placement | None:
        """How a picture became the network's image, where boxes are in pixels of that."""
        return None if self.in_pictures else self.preprocessing.placement(*pixels.shape[:2])

    def boxes(self, pictures: Sequence[Pixels], limits: Mapping[str, Any] | None = None) -> list[Boxes]:
        """What a detector finds in pictures as files decode to, in their own pixels."""
        assert self.find is not None
        found = self.find([self.prepare(pixels) for pixels in pictures], limits or {})
        return [one.in_picture(self.placement(pixels)) for one, pixels in zip(found, pictures, strict=True)]


def digest_of(trained: Trained) -> str:
    """The digest of what a trained network computes: its texts, weights, output and preprocessing, in SHA-256."""
    texts = trained.about["texts"]
    text = {
        "network": [texts["name"], texts["size"], texts["outputs"], texts["files"]],
        "output": [trained.task.kind, trained.output],
        "preprocessing": trained.preprocessing.to_json(),
    }
    found = hashlib.sha256(json.dumps(text, sort_keys=True).encode())
    for name, tensor in sorted(trained.module.state_dict().items()):
        if not name.endswith(COUNTER):
            array = np.ascontiguousarray(tensor.detach().cpu().numpy())
            found.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
            found.update(array.data)
    return found.hexdigest()


def open_checkpoint(path: Path, device: str = "auto") -> Outcome[Engine]:
    """The engine of a checkpoint, which PyTorch runs on `device`, one of `DEVICES`."""
    from spinedsl.training.build import for_use, open_trained  # noqa: PLC0415  torch is only needed here

    meant = open_trained(path).then(lambda trained: for_use(trained, path))
    return meant.then(lambda trained: of_trained(trained, path, device))


def of_trained(trained: Trained, path: Path, device: str = "auto") -> Outcome[Engine]:
    """The same of a trained network that was opened."""
    import torch  # noqa: PLC0415  torch is only needed here

    from spinedsl.tasks import BOXES  # noqa: PLC0415  as above
    from spinedsl.training.devices import NoDevice, place  # noqa: PLC0415  as above

    try:
        chosen = place(device, "float32", channels_last=False, threads=0, local_rank=0, local_size=1)
    except NoDevice as missing:
        found = say.NO_DEVICE.at(nowhere(str(path)), reason=str(missing))
        return Outcome(None, (found.with_fix("`auto` takes a GPU where there is one, and else the processor"),))
    digest, module, task = digest_of(trained), trained.module.to(chosen.device), trained.task

    def outputs(pictures: Sequence[Pixels]) -> Mapping[str, torch.Tensor]:
        batch = torch.from_numpy(np.stack(pictures)).to(chosen.device)
        found: Mapping[str, torch.Tensor] = module(trained.preprocessing.normalised_tensor(batch))
        return found

    def compute(pictures: Sequence[Pixels]) -> Decoded:
        with torch.inference_mode():
            decoded: Decoded = trained.decode(outputs(pictures)).float().cpu().numpy()
        return decoded

    def find(pictures: Sequence[Pixels], limits: Mapping[str, Any]) -> list[Boxes]:
        with torch.inference_mode():
            given = outputs(pictures)
            found = trained.decode(given, limits)
        parts = [given[name].flatten(1).isfinite().all(1) for name in trained.reading.outputs]
        finite = torch.stack(parts).all(0).tolist()
        each = [found.of(number) for number in range(len(pictures))]
        held = [Boxes(one.boxes.cpu().numpy(), one.scores.cpu().numpy(), one.labels.cpu().numpy()) for one in each]
        return [one if fine else NOT_FINITE for one, fine in zip(held, finite, strict=True)]

    finds = task.truth == BOXES
    return Outcome(
        Engine(
            path=str(path), runtime=f"PyTorch on {chosen.device}", kind=task.kind, output=trained.output,
            classes=tuple(trained.classes), preprocessing=trained.preprocessing, network=trained.program.name,
            digest=digest, step=int(trained.about["step"]), about=trained.about,
            prepare=trained.preprocessing.fit, compute=compute, find=find if finds else None,
            limits=trained.limits,
        )
    )  # fmt: skip
