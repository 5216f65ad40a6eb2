"""Export: a trained network becomes models in other formats, each compared with it, and a card that describes them.

In: a checkpoint that was opened, formats, and pictures to compare on. Out: files by name, and the table of how they
agree; or why there are none: nothing comes out of an export of which a model gives something else.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from spinedsl import checks as say
from spinedsl.data.pictures import Pixels
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.inference import compared
from spinedsl.inference.boxes import Boxes
from spinedsl.inference.card import Facts, card
from spinedsl.inference.compared import Samples
from spinedsl.inference.engine import Engine, digest_of, of_trained
from spinedsl.inference.evaluated import read_figures
from spinedsl.inference.formats import FORMATS, Format, Model, Run, Wanted, written
from spinedsl.inference.parity import Parity, parity, parity_of_boxes
from spinedsl.record import Record, asdict, replace
from spinedsl.source import Source
from spinedsl.training.build import Trained

TIMED = 20  # runs that a latency is the median of
SOME = 50  # boxes that are compared of a detector that finds none
EVERY = 100_000  # boxes of an image: more than there are candidates
SHOWN = 5  # boxes that differ, in a message


class Told(Record):
    """What a card is told beside the checkpoint: a licence, an eval.json of it, and whether to measure latencies."""

    licence: str | None = None
    evaluation: Path | None = None
    latency: bool = False


class Exported(Record, eq=False):
    """Files by name, models before what describes them; the models' names, and how each agrees with the checkpoint."""

    files: Mapping[str, bytes]
    models: Mapping[str, tuple[str, ...]]  # by format, the names of its files
    card: str
    digest: str
    kind: str  # of the task
    parity: tuple[Parity, ...]
    latency: Mapping[str, float]  # by format, in milliseconds


def wanted_of(name: str, wanted: Wanted) -> Wanted:
    """What is asked of a format, as far as it can."""
    format_ = FORMATS[name]
    return replace(wanted, half=wanted.half and "half" in format_.takes, inside=wanted.inside and format_.resizes)


def export(
    trained: Trained,
    path: Path,
    *,
    stem: str,
    formats: Sequence[str],
    wanted: Wanted,
    real: Samples | None = None,
    told: Told | None = None,
) -> Outcome[Exported]:
    """The models of a trained network in some formats, called after `stem`, and their card.

    They are compared on `real` pictures, if there are some, and on made ones of odd sizes.
    """
    told = told or Told()
    model = Model(trained, digest_of(trained), stem)
    opened = of_trained(trained, path, "cpu")
    if opened.value is None:
        return Outcome(None, opened.diagnostics)
    engine, evaluation = opened.value, None
    if told.evaluation is not None:
        read = read_figures(str(told.evaluation), engine)
        if read.value is None:
            return Outcome(None, read.diagnostics)
        evaluation = read.value
    if engine.find is not None:
        wanted = replace(wanted, limits=model.limits(wanted))
    given = [one for one in (real, compared.made(trained.preprocessing)) if one is not None]
    files: dict[str, bytes] = {}
    models: dict[str, tuple[str, ...]] = {}
    found: list[Parity] = []
    latency: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in formats:
            asked = wanted_of(name, wanted)
            made = written(name, model, asked, Path(folder))
            if made.value is None:
                return Outcome(None, made.diagnostics)
            models[name] = made.value
            run = FORMATS[name].run(Path(folder, made.value[0]), asked)
            compared_here = [_compared(FORMATS[name], engine, run, one, asked) for one in given]
            found += compared_here
            if engine.find is not None and not any(one.boxes for one in compared_here):
                found += _tried(model, engine, name, asked, given)
            if told.latency:
                latency[name] = _milliseconds(run, engine, asked)
            files |= {file: Path(folder, file).read_bytes() for file in made.value}
    if wrong := tuple(_differs(one) for one in found if not one.fine):
        return Outcome(None, wrong)
    facts = Facts(
        model=model, wanted={name: wanted_of(name, wanted) for name in formats}, files=files, models=models,
        parity=tuple(found), real=real is not None, latency=latency, licence=told.licence, evaluation=evaluation,
    )  # fmt: skip
    described = card(facts)
    return Outcome(
        Exported({**files, **described}, models, f"{stem}.md", model.digest, trained.task.kind, tuple(found), latency)
    )


def _compared(format_: Format, engine: Engine, run: Run, given: Samples, asked: Wanted) -> Parity:
    if engine.find is not None:
        return _boxes_compared(format_, engine, run, given, asked)
    expected = engine.run(given.pictures)
    found = run(_taken(engine, given.pictures, asked))
    return parity(format_.title, given.words, engine.kind, expected, found, half=asked.half)


def _boxes_compared(format_: Format, engine: Engine, run: Run, given: Samples, asked: Wanted) -> Parity:
    """The same of boxes, in pixels of the pictures."""
    assert asked.limits is not None
    own = asdict(asked.limits)
    expected = engine.boxes(given.pictures, own)
    found = run(_taken(engine, given.pictures, asked))
    if not asked.inside:
        found = [one.in_picture(engine.placement(pixels)) for one, pixels in zip(found, given.pictures, strict=True)]
    sides = [max(pixels.shape[:2]) for pixels in given.pictures]

    def choice(number: int, score: float) -> Boxes:
        return engine.boxes([given.pictures[number]], {**own, "score": score, "overlap": 1.0, "most": EVERY})[0]

    return parity_of_boxes(format_.title, given.words, expected, found, sides, asked.limits, choice, half=asked.half)


def _tried(model: Model, engine: Engine, name: str, asked: Wanted, given: Sequence[Samples]) -> Iterator[Parity]:
    """A detector that finds nothing in any picture, compared by a lower score: else there would be nothing to see."""
    lower = _lowered(engine, given, asked)
    if lower is None or lower.limits is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        made = written(name, model, lower, Path(folder))
        assert made.value is not None, made.diagnostics
        run = FORMATS[name].run(Path(folder, made.value[0]), lower)
        for one in given:
            at = replace(one, words=f"{one.words}, by a score of {lower.limits.score:.2g}")
            yield _compared(FORMATS[name], engine, run, at, lower)


def _lowered(engine: Engine, given: Sequence[Samples], asked: Wanted) -> Wanted | None:
    """The same by a score that some boxes of these pictures are above; None where all scores are 0."""
    assert asked.limits is not None
    found = [one for each in given for one in engine.boxes(each.pictures, {**asdict(asked.limits), "score": 0.0})]
    scores = sorted({float(score) for one in found for score in one.scores}, reverse=True)[: SOME + 1]
    if not scores:
        return None
    return replace(asked, limits=replace(asked.limits, score=(scores[-1] + scores[max(0, len(scores) - 2)]) / 2))


def _taken(engine: Engine, pictures: Sequence[Pixels], asked: Wanted) -> list[Pixels]:
    """Pictures as a model takes them: any, or those of the network's size."""
    return list(pictures) if asked.inside else [engine.preprocessing.fit(pixels) for pixels in pictures]


def _differs(one: Parity) -> Diagnostic:
    if one.odd:
        reason = f"{len(one.odd)} of {one.boxes} boxes on {one.count} {one.pictures} are not the checkpoint's"
        told: Diagnostic = say.OTHER_OUTPUTS.at(
            Source("", "").span(0, 0), format=one.format, reason=f"{reason}; nothing is written"
        )
        told = told.with_notes(*one.odd[:SHOWN])
        return told.with_fix("leave out `--half`") if one.tolerance > 1e-3 else told
    most = f"the largest difference on {one.count} {one.pictures} is {one.difference:.2g}, at most {one.tolerance:g}"
    found: Diagnostic = say.OTHER_OUTPUTS.at(
        Source("", "").span(0, 0), format=one.format, reason=f"{most} is expected; nothing is written"
    )
    return found.with_fix("leave out `--half`") if one.tolerance > 1e-3 else found


def _milliseconds(run: Run, engine: Engine, asked: Wanted) -> float:
    """The median time of a run on one image of the network's size."""
    pictures = _taken(engine, [compared.made(engine.preprocessing).pictures[1]], asked)
    times = []
    for number in range(TIMED + 3):
        start = time.perf_counter()
        run(pictures)
        if number >= 3:
            times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)
