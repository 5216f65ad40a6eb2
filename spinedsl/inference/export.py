"""Export: a trained network becomes models in other formats, each compared with it, and a card that describes them.

In: a checkpoint that was opened, formats, and pictures to compare on. Out: files by name, and the table of how they
agree; or why there are none: nothing comes out of an export of which a model gives something else.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from spinedsl import checks as say
from spinedsl.brief import short_path
from spinedsl.data.dataset import nowhere
from spinedsl.data.pictures import Pixels
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.inference import compared
from spinedsl.inference.card import Facts, card
from spinedsl.inference.compared import Samples
from spinedsl.inference.deployed import DECODED
from spinedsl.inference.engine import Engine, digest_of, of_trained
from spinedsl.inference.evaluated import read_figures
from spinedsl.inference.formats import FORMATS, Format, Model, Run, Wanted, written
from spinedsl.inference.parity import Parity, parity
from spinedsl.reading import legible
from spinedsl.record import Record, replace
from spinedsl.source import Source
from spinedsl.training.build import Trained

TIMED = 20  # runs that a latency is the median of


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
    if trained.task.kind not in DECODED:
        unfit: Diagnostic = say.UNFIT_TASK.at(
            nowhere(str(path)),
            what="what is exported gives shares or vectors",
            path=legible(str(path)),
            task=trained.task.kind,
        )
        fix = (
            f"`spine compile FILE --to onnx --detect --weights {short_path(str(path))}` makes a model that gives boxes"
        )
        return Outcome(None, (unfit.with_fix(fix),))
    model = Model(trained, digest_of(trained), stem)
    opened = of_trained(trained, path, "cpu")
    if opened.value is None:
        return Outcome(None, opened.diagnostics)
    evaluation = None
    if told.evaluation is not None:
        read = read_figures(str(told.evaluation), opened.value)
        if read.value is None:
            return Outcome(None, read.diagnostics)
        evaluation = read.value
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
            found += [_compared(FORMATS[name], opened.value, run, one, asked) for one in given]
            if told.latency:
                latency[name] = _milliseconds(run, opened.value, asked)
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
    expected = engine.run(given.pictures)
    found = run(_taken(engine, given.pictures, asked))
    return parity(format_.title, given.words, engine.kind, expected, found, half=asked.half)


def _taken(engine: Engine, pictures: Sequence[Pixels], asked: Wanted) -> list[Pixels]:
    """Pictures as a model takes them: any, or those of the network's size."""
    return list(pictures) if asked.inside else [engine.preprocessing.fit(pixels) for pixels in pictures]


def _differs(one: Parity) -> Diagnostic:
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
