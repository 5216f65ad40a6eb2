"""A gallery: a vector for each known person, and which network made it.

In: an engine that embeds, and a folder for each person. Out: a `Gallery`, as a safetensors file and back.

A person's vector is the mean of the vectors of their images, each of unit length, made unit length again. With one
vector for each image instead, a person of fifty images would be fifty times as likely to be nearest to a stranger by
chance as one of a single image, and no threshold would mean the same for both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spinedsl import api
from spinedsl import checks as say
from spinedsl.brief import counted, short_path
from spinedsl.data.dataset import Dataset, nowhere
from spinedsl.data.sources import Options, open_dataset
from spinedsl.diagnostics import Diagnostic, Diagnostics, Outcome
from spinedsl.extras import require
from spinedsl.given import path_of
from spinedsl.inference.engine import Decoded, Engine
from spinedsl.inference.running import Hear, run_over
from spinedsl.inference.threshold import Threshold, read_threshold
from spinedsl.inference.using import engine_of, need_embedder, not_aligned, other_network
from spinedsl.reading import legible
from spinedsl.record import Record, field, replace

VERSION = 1
KEY = "spine.gallery"  # of the metadata that says what the vectors are
VECTORS = "vectors"


class Gallery(Record, eq=False):
    """Known persons: `vectors` has a row of unit length for each of `names`, made of so many images of `counts`."""

    network: str
    digest: str  # of the network
    step: int
    names: tuple[str, ...]
    counts: tuple[int, ...]
    vectors: Decoded
    pictures: frozenset[str]  # digests of the pixels of the images, so that one of them is known again
    threshold: Threshold | None
    path: str = "<gallery>"
    reported: Diagnostics = field(default_factory=Diagnostics, repr=False)

    def __brief__(self) -> str:
        persons = counted(len(self.names), "person")
        return f"{short_path(self.path)}: {persons} by {self.network}, step {self.step}"

    def __len__(self) -> int:
        return len(self.names)

    def to_bytes(self) -> bytes:
        """The contents of its file: safetensors, every bit of it under a digest."""
        from spinedsl.weights import sealed  # noqa: PLC0415  only who writes one needs it

        threshold = None if self.threshold is None else {"value": self.threshold.value, "how": self.threshold.how}
        about = {
            "version": VERSION, "network": self.network, "digest": self.digest, "step": self.step,
            "names": list(self.names), "counts": list(self.counts), "pictures": sorted(self.pictures),
            "threshold": threshold,
        }  # fmt: skip
        return sealed.to_bytes({VECTORS: self.vectors}, {"format": "pt", KEY: json.dumps(about, allow_nan=False)})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it whole, or leave the file as it was.

        Raises:
            OSError: the system refuses it.
        """
        from spinedsl.writing import write_file  # noqa: PLC0415  as above

        write_file(Path(path), self.to_bytes())


# ---- made ----


def make_gallery(
    model: Any,
    folder: str | os.PathLike[str],
    *,
    evaluation: str | os.PathLike[str] | None = None,
    landmarks: str | os.PathLike[str] | None = None,
    device: str = "auto",
    hear: Hear | None = None,
) -> Gallery:
    """A gallery of known persons.

    Args:
        model: a checkpoint, an exported model, or an `Engine`, that embeds.
        folder: it has a folder of images for each person; or a list with `path,label`.
        evaluation: the `eval.json` of the network, whose threshold the gallery keeps.
        landmarks: the list of five points for each image, by which faces are aligned.
        device: where the network runs, `auto`, `cpu` or `cuda`.
        hear: is told how many images of how many are done.

    Raises:
        Mistakes: something is wrong with the network, the images or the evaluation; of images, all of it.
        MissingPackage: a package is not installed that this needs.
    """
    given = path_of(folder, "a folder with one for each person", "a list of images and persons")
    engine = engine_of(model, device)
    need_embedder(engine, "a gallery holds vectors")
    threshold = None
    if evaluation is not None:
        threshold = api.valued(read_threshold(path_of(evaluation, "an eval.json", "nothing"), engine))
    opened = _persons(engine, Path(given), landmarks)
    dataset: Dataset = api.valued(opened)
    computed = run_over(engine, dataset, hear)
    if computed.unread:
        raise api.Mistakes([*opened.diagnostics, *computed.unread])
    rows = [(number, computed.values[computed.labels == number]) for number in range(len(dataset.classes))]
    there = [(number, own) for number, own in rows if len(own)]
    found = [*opened.diagnostics, *not_aligned(engine, aligned=landmarks is not None)]
    for number, own in rows:
        if not len(own):
            found.append(
                say.EMPTY_CLASS.at(nowhere(given), name=dataset.classes[number], what="pictures", path=legible(given))
            )
    if len(there) == 1:
        name = dataset.classes[there[0][0]]
        found.append(say.GALLERY_OF_ONE.at(nowhere(given), path=legible(given), name=name))
    return Gallery(
        network=engine.network, digest=engine.digest, step=engine.step,
        names=tuple(dataset.classes[number] for number, _ in there), counts=tuple(len(own) for _, own in there),
        vectors=np.stack([mean_of(own) for _, own in there]),
        pictures=frozenset(digest.hex() for digest in computed.digests), threshold=threshold,
        reported=Diagnostics(found),
    )  # fmt: skip


def mean_of(vectors: Decoded) -> Decoded:
    """The mean of vectors of unit length, of unit length; of vectors that cancel, the first of them."""
    mean = vectors.astype(np.float64).mean(0)
    length = float(np.linalg.norm(mean))
    found: Decoded = (mean / length if length > 1e-6 else vectors[0]).astype(np.float32)
    return found


def _persons(engine: Engine, path: Path, landmarks: str | os.PathLike[str] | None) -> Outcome[Dataset]:
    """The images of each person; a list of pairs beside them says nothing here."""
    landmarks, background = "" if landmarks is None else os.fspath(landmarks), engine.preprocessing.background
    options = Options(landmarks=landmarks, background=background)
    outcome = open_dataset(path, "folder" if path.is_dir() else "auto", options)
    if outcome.value is None or not outcome.ok or len(outcome.value):
        return outcome
    found = say.NO_IMAGES.at(nowhere(str(path)), reason=f"`{legible(str(path))}` has none that is called as one")
    return Outcome(None, (*outcome.diagnostics, found))


# ---- read ----


def open_gallery(path: str | os.PathLike[str]) -> Outcome[Gallery]:
    """A gallery that was written, or why the file is none."""
    require("numpy", "safetensors")
    from spinedsl.weights import files  # noqa: PLC0415  only who reads one needs it
    from spinedsl.weights.tensors import TRAINING  # noqa: PLC0415  as above

    file = Path(path_of(path, "a gallery", "nothing"))
    if file.is_dir():
        return _none(file, "it is a folder")
    if file.suffix.lower() in (".toml", ".json", ".csv"):
        return _none(file, "it is no safetensors file")
    outcome = files.read(file, files.ALL)
    found = outcome.value
    if found is None:
        return Outcome(None, outcome.diagnostics)
    if TRAINING in found.metadata:
        return _none(file, "it is a checkpoint", "`spine gallery` makes a gallery with it")
    if KEY not in found.metadata:
        return _none(file, "it holds weights")
    try:
        about = json.loads(found.metadata[KEY])
        if about["version"] > VERSION:
            return _none(file, f"a newer spinedsl wrote it (version {about['version']}, and this one knows {VERSION})")
        gallery = _of(about, np.ascontiguousarray(found.tensors[VECTORS], np.float32), str(file))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return _none(file, "what it says of itself cannot be")
    return Outcome(gallery, outcome.diagnostics)


def _of(about: dict[str, Any], vectors: Decoded, path: str) -> Gallery:
    names, counts = tuple(map(str, about["names"])), tuple(map(int, about["counts"]))
    if not names or vectors.ndim != 2 or not len(vectors) == len(names) == len(counts) == len(set(names)):
        raise ValueError("names and vectors do not go together")
    if not np.isfinite(vectors).all():
        raise ValueError("vectors are not finite")
    held = about["threshold"]
    value = None if held is None or held["value"] is None else float(held["value"])
    return Gallery(
        str(about["network"]), str(about["digest"]), int(about["step"]), names, counts, vectors,
        frozenset(map(str, about["pictures"])), None if held is None else Threshold(value, str(held["how"])), path,
    )  # fmt: skip


def _none(path: Path, reason: str, fix: str = "`spine gallery` makes one") -> Outcome[Gallery]:
    name = legible(str(path))
    return Outcome(None, (say.NOT_A_GALLERY.at(nowhere(name), path=name, reason=reason).with_fix(fix),))


def gallery_of(given: Any, engine: Engine) -> Gallery:
    """A gallery for a network: one that is given, or the path of one.

    Raises:
        Mistakes: there is none, or another network made it.
        TypeError: it is neither.
    """
    gallery: Gallery = given if isinstance(given, Gallery) else api.valued(open_gallery(given))
    if gallery.digest != engine.digest or gallery.vectors.shape[1] == 0:
        raise api.Mistakes([other_network(gallery.path, gallery.network, gallery.step, gallery.digest, engine)])
    return gallery


def in_gallery(gallery: Gallery, digests: Sequence[bytes], called: Sequence[str]) -> list[Diagnostic]:
    """A warning where images are among those that the gallery was made of."""
    both = [name for digest, name in zip(digests, called, strict=True) if digest.hex() in gallery.pictures]
    if not both:
        return []
    more = f", and so are {counted(len(both) - 1, 'other image')}" if len(both) > 1 else ""
    return [say.IN_GALLERY.at(nowhere(both[0]), path=both[0], more=more)]


def named(gallery: Gallery, path: str) -> Gallery:
    """The same, as the file at a path."""
    return replace(gallery, path=path)
