"""Prediction: what a trained network makes of images.

In: a trained network, images, and perhaps a gallery. Out: `Predictions`: of a classifier the likeliest classes with
their shares, of an embedder how similar the images are to each other, or who of a gallery they show, of a detector
boxes with their classes and scores; as text, JSON, CSV, and as pictures.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl import api
from spinedsl.brief import counted, html_table
from spinedsl.diagnostics import Diagnostic, Diagnostics, Severity
from spinedsl.given import path_of, whole
from spinedsl.inference.boxes import Boxes
from spinedsl.inference.engine import Decoded, Engine
from spinedsl.inference.finding import Images, find_images
from spinedsl.inference.gallery import Gallery, gallery_of
from spinedsl.inference.results import Ids, coco_results, ids_in
from spinedsl.inference.running import Hear, find_over, run_over
from spinedsl.inference.threshold import Threshold, read_threshold
from spinedsl.inference.using import engine_of, need_embedder, need_faces, not_aligned
from spinedsl.reading import legible
from spinedsl.record import Record, field
from spinedsl.settings import is_number
from spinedsl.tasks import TASKS

FORMAT, VERSION = "spine.predictions", 1
TOP = 5
MOST_IN_TABLE = 100  # images whose similarities to each other are all in the JSON
MOST_SHOWN = 50  # in a notebook
SHOWN = 0.3  # the score from which on boxes are shown, where none is given
CLASSES, PERSONS, SIMILARITIES, FOUND = "classes", "persons", "similarities", "boxes"
SIDES = ("left", "top", "right", "bottom")
COLUMNS = {
    CLASSES: ("image", "rank", "class", "share"),
    PERSONS: ("image", "person", "nearest", "similarity"),
    SIMILARITIES: ("image", "rank", "other", "similarity", "same"),
    FOUND: ("image", "rank", "class", "score", *SIDES),
}  # of the CSV


class Guess(Record):
    """A class with its share, or a person or another image with the similarity to it.

    Of a detector a class with its score, and the box: left, top, right and bottom in pixels of the image.
    """

    name: str
    value: float
    box: tuple[float, float, float, float] | None = None


class Prediction(Record):
    """What was predicted for an image: the first guess is the likeliest.

    With a gallery, `person` is who it is, or None: nobody whom the gallery knows.
    """

    path: str
    guesses: tuple[Guess, ...]
    person: str | None = None

    def __brief__(self) -> str:
        first = f": {self.guesses[0].name} {self.guesses[0].value:.4f}" if self.guesses else ""
        return f"{legible(self.path)}{first}"


class Predictions(Record, eq=False):
    """Predictions for images, in their order; `reported` says why there is none for others, and warns."""

    engine: Engine
    kind: str  # of `COLUMNS`: what the guesses are
    rows: tuple[Prediction, ...]
    threshold: Threshold | None = None
    source: str = ""  # where the threshold comes from, in words
    gallery: Gallery | None = None
    similarities: NDArray[np.float64] | None = field(default=None, repr=False)  # of all images to each other
    images: Images | None = field(default=None, repr=False)
    at: tuple[int, ...] = field(default=(), repr=False)  # the numbers of the rows' images
    reported: Diagnostics = field(default_factory=Diagnostics, repr=False)
    boxes: tuple[Boxes, ...] = field(default=(), repr=False)  # all that a detector found, also what is not shown
    ids: Ids | None = field(default=None, repr=False)  # of COCO, by a file that was named

    def __brief__(self) -> str:
        first = f"; {self.rows[0].__brief__()}" if self.rows else ""
        return f"of {self.engine.network} for {counted(len(self.rows), 'image')}{first}"

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def unread(self) -> list[Diagnostic]:
        """Why there is no prediction for some images."""
        return [one for one in self.reported if one.severity is Severity.ERROR]

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON can hold it."""
        value = {CLASSES: "share", FOUND: "score"}.get(self.kind, "similarity")
        rows = []
        for row in self.rows:
            guesses = [{"name": one.name, value: one.value, **_box(one), **self._same(one)} for one in row.guesses]
            person = {"person": row.person} if self.kind == PERSONS else {}
            rows.append({"image": legible(row.path), **person, self.kind: guesses})
        found: dict[str, Any] = {
            FORMAT: VERSION, "task": self.engine.kind, "network": self.engine.network, "digest": self.engine.digest,
            "step": self.engine.step, "model": legible(self.engine.path), "runtime": self.engine.runtime,
        }  # fmt: skip
        if self.gallery is not None:
            found["gallery"] = {"path": legible(self.gallery.path), "persons": len(self.gallery)}
        if self.threshold is not None:
            found["threshold"] = {"value": self.threshold.value, "how": self.threshold.how, "from": self.source}
        found["predictions"] = rows
        if self.similarities is not None and len(rows) <= MOST_IN_TABLE:
            found["table"] = [[round(float(one), 6) for one in row] for row in self.similarities]
        found["unread"] = [one.message for one in self.unread]
        return found

    def to_csv(self) -> str:
        """A line for each guess; with a gallery, one for each image, whose person is empty where nobody is known."""
        file = StringIO()
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(COLUMNS[self.kind])
        for row in self.rows:
            name = legible(row.path)
            if self.kind == PERSONS:
                lines.writerow((name, row.person or "", row.guesses[0].name, f"{row.guesses[0].value:.6f}"))
            else:
                for n, one in enumerate(row.guesses, start=1):
                    same = [("yes" if found else "no") for found in self._same(one).values()]
                    same = same or [""] * (self.kind == SIMILARITIES)
                    sides = [f"{side:.2f}" for side in one.box or ()]
                    lines.writerow((name, n, one.name, f"{one.value:.6f}", *same, *sides))
        return file.getvalue()

    def _same(self, guess: Guess) -> dict[str, bool]:
        """Whether another image is of the same person, where a threshold says it."""
        if self.kind != SIMILARITIES or self.threshold is None:
            return {}
        return {"same": accepts(self.threshold, guess.value)}

    def to_png(self, index: int) -> bytes:
        """The image of a row with what was predicted below it.

        Raises:
            BadPicture: its file can no longer be read.
        """
        from spinedsl.inference.drawn import Mark, drawn, drawn_boxes  # noqa: PLC0415  only pictures need it

        assert self.images is not None
        pixels, _ = self.images.read(self.at[index])
        if self.kind == FOUND:
            names = {name: number for number, name in enumerate(self.engine.classes)}
            guesses = self.rows[index].guesses
            marks = [Mark(one.box, f"{one.name} {one.value:.2f}", names.get(one.name, 0)) for one in guesses if one.box]
            return drawn_boxes(pixels, marks)
        return drawn(pixels, self.words(self.rows[index]), shares=self.kind == CLASSES)

    @property
    def results(self) -> list[dict[str, Any]]:
        """All that a detector found, as COCO's results, with the ids that a file has; each box has the image's name.

        Without a file, images are numbered from 1, and categories too.
        """
        found = coco_results(self.boxes, self.images, self.at, self.ids)
        ids = self.ids.images if self.ids is not None else range(1, max(self.at, default=0) + 2)
        names = {ids[number]: row.path for number, row in zip(self.at, self.rows, strict=True)}
        return [{**one, "file_name": legible(names[one["image_id"]])} for one in found]

    def words(self, row: Prediction) -> list[tuple[str, float, bool]]:
        """The lines below an image: words, a number, and whether they are what was found."""
        if self.kind != PERSONS:
            return [(one.name, one.value, n == 0) for n, one in enumerate(row.guesses)]
        first = row.guesses[0]
        if row.person is None:
            return [("unknown", first.value, False), (f"nearest: {first.name}", first.value, False)]
        return [(row.person, first.value, True)]

    def _repr_html_(self) -> str:
        head = ("image", "predicted", {CLASSES: "share", FOUND: "score"}.get(self.kind, "similarity"))
        more = len(self.rows) - MOST_SHOWN
        shown = html_table((_shown(self, row) for row in self.rows[:MOST_SHOWN]), head)
        return shown + (f"<p>… {more:,} more</p>" if more > 0 else "")


def _shown(found: Predictions, row: Prediction) -> tuple[str, str, str]:
    words = found.words(row)
    name, value, _ = words[0] if words else ("", 0.0, False)
    return legible(row.path), name, f"{value:.4f}"


def _box(guess: Guess) -> dict[str, list[float]]:
    return {} if guess.box is None else {"box": [round(side, 3) for side in guess.box]}


# ---- made ----


def predict(
    model: Any,
    images: Any,
    *,
    gallery: Any = None,
    threshold: float | None = None,
    evaluation: str | os.PathLike[str] | None = None,
    landmarks: str | os.PathLike[str] | None = None,
    top: int | None = None,
    score: float | None = None,
    ids: str | os.PathLike[str] | None = None,
    device: str = "auto",
    hear: Hear | None = None,
) -> Predictions:
    """What a trained network makes of images. What is wrong with some is in `reported`, and the others go on.

    Args:
        model: a checkpoint, an exported model, the folder of a run, or an `Engine`.
        images: a path, a folder, a pattern such as `photos/*.jpg`, pixels (`uint8`), or several of these.
        gallery: of known persons, or its path: the images are named by it.
        threshold: the similarity below which a person is unknown, instead of the gallery's own.
        evaluation: the `eval.json` that chose a threshold for this network, instead of a number.
        landmarks: the list of five points for each image, by which faces are aligned.
        top: how many guesses each image gets at most: 5, or all the boxes of a detector, where none is given.
        score: of a detector, the score that boxes are above, 0.3 where none is given.
        ids: of a detector, a file of COCO's form that lists the images: `results` have its ids.
        device: where the network runs, `auto`, `cpu` or `cuda`.
        hear: is told how many images of how many are done.

    Raises:
        Mistakes: something is wrong with the network, the gallery or the evaluation.
        MissingPackage: a package is not installed that this needs.
        TypeError: an argument is of another kind.
        ValueError: a threshold that is no cosine, `top` below 1, or a threshold and an evaluation.
    """
    if threshold is not None and evaluation is not None:
        raise ValueError("threshold and evaluation both say from which similarity on: give one of them")
    if top is not None and whole(top, "top") < 1:
        raise ValueError(f"top must be 1 or more; got {top}")
    if threshold is not None and not (is_number(threshold) and -1 <= threshold <= 1):
        raise ValueError(f"threshold must be a cosine, from -1 to 1; got {threshold!r}")
    engine = engine_of(model, device)
    if gallery is not None:
        need_embedder(engine, "a gallery holds vectors")
    elif threshold is not None or evaluation is not None:
        need_embedder(engine, "a threshold is of similarities")
    known = None if gallery is None else gallery_of(gallery, engine)
    chosen, source = _threshold(engine, threshold, evaluation, known)
    if landmarks is not None:
        need_faces(engine)
    found, reported = find_images(images, engine.preprocessing.background, landmarks)
    reported += not_aligned(
        engine, aligned=landmarks is not None or all(one.pixels is not None for one in found.images)
    )
    if score is not None and (engine.find is None or not (is_number(score) and 0 <= score <= 1)):
        what = "is of what finds boxes" if engine.find is None else f"must be from 0 to 1; got {score!r}"
        raise ValueError(f"score {what}")
    if ids is not None and engine.find is None:
        raise ValueError("ids are of what finds boxes")
    if engine.find is not None:
        path = None if ids is None else path_of(ids, "a file of COCO's form", "the ids of images")
        known_ids = None if path is None else ids_in(path, [one.path for one in found.images], engine.classes)
        return _found(engine, found, [*reported], top, score, known_ids, hear)
    top = TOP if top is None else top
    computed = run_over(engine, found, hear)
    paths = [found.called(index) for index in computed.at.tolist()]
    table = None
    if TASKS[engine.kind].by_class:
        kind, rows = CLASSES, _classes(engine, computed.values, paths, top)
    elif known is not None:
        kind, rows = PERSONS, _persons(known, computed.values, paths, top, chosen)
    else:
        table = cosines(computed.values, computed.values)
        kind, rows = SIMILARITIES, _similar(table, paths, top)
    return Predictions(
        engine, kind, tuple(rows), chosen, source, known, table, found, tuple(computed.at.tolist()),
        Diagnostics([*reported, *computed.unread]),
    )  # fmt: skip


def _found(
    engine: Engine, images: Images, reported: Sequence[Diagnostic], top: int | None, score: float | None,
    ids: Ids | None, hear: Hear | None,
) -> Predictions:  # fmt: skip
    """The boxes that a detector finds."""
    lower = score is not None and score < engine.limits.get("score", 1.0)  # all that it finds is in the results
    located = find_over(engine, images, hear, {"score": score} if lower else {})
    least = SHOWN if score is None else score
    rows = []
    for index, boxes in zip(located.at.tolist(), located.found, strict=True):
        each = zip(boxes.sides.tolist(), boxes.scores.tolist(), boxes.labels.tolist(), strict=True)
        guesses = [Guess(_class(engine, label), value, tuple(sides)) for sides, value, label in each if value > least]
        rows.append(Prediction(images.called(index), tuple(guesses[:top])))
    return Predictions(
        engine, FOUND, tuple(rows), images=images, at=tuple(located.at.tolist()), boxes=located.found,
        reported=Diagnostics([*reported, *located.unread]), ids=ids,
    )  # fmt: skip


def _threshold(
    engine: Engine, value: float | None, evaluation: str | os.PathLike[str] | None, known: Gallery | None
) -> tuple[Threshold | None, str]:
    """The threshold that counts, and where it comes from."""
    if value is not None:
        return Threshold(float(value), "given"), "--threshold"
    if evaluation is not None:
        path = path_of(evaluation, "an eval.json", "a threshold")
        return api.valued(read_threshold(path, engine)), legible(path)
    if known is not None and known.threshold is not None:
        return known.threshold, legible(known.path)
    return None, ""


def _classes(engine: Engine, shares: Decoded, paths: Sequence[str], top: int) -> list[Prediction]:
    rows = []
    for path, row in zip(paths, shares, strict=True):
        order = np.argsort(-row, kind="stable")[:top]
        guesses = (Guess(_class(engine, int(n)), float(row[n])) for n in order)
        rows.append(Prediction(path, tuple(guesses)))
    return rows


def _class(engine: Engine, number: int) -> str:
    return engine.classes[number] if number < len(engine.classes) else f"output {number}"


def _persons(
    known: Gallery, vectors: Decoded, paths: Sequence[str], top: int, threshold: Threshold | None
) -> list[Prediction]:
    rows = []
    for path, row in zip(paths, cosines(vectors, known.vectors), strict=True):
        order = np.argsort(-row, kind="stable")[:top]
        guesses = tuple(Guess(known.names[n], float(row[n])) for n in order)
        known_one = threshold is None or accepts(threshold, guesses[0].value)
        rows.append(Prediction(path, guesses, guesses[0].name if known_one else None))
    return rows


def accepts(threshold: Threshold, similarity: float) -> bool:
    """Whether a similarity is that of one person."""
    return threshold.value is not None and similarity >= threshold.value


def _similar(table: NDArray[np.float64], paths: Sequence[str], top: int) -> list[Prediction]:
    """The other images, the most similar first."""
    rows = []
    for index, (path, row) in enumerate(zip(paths, table, strict=True)):
        order = [int(n) for n in np.argsort(-row, kind="stable") if n != index][:top]
        rows.append(Prediction(path, tuple(Guess(paths[n], float(row[n])) for n in order)))
    return rows


def cosines(first: Decoded, second: Decoded) -> NDArray[np.float64]:
    """The cosine of each vector of the first with each of the second, float64; both of any length."""

    def of_length_1(vectors: Decoded) -> NDArray[np.float64]:
        wide = vectors.astype(np.float64)
        found: NDArray[np.float64] = wide / np.maximum(np.linalg.norm(wide, axis=-1, keepdims=True), 1e-12)
        return found

    found: NDArray[np.float64] = of_length_1(first) @ of_length_1(second).T
    return found
