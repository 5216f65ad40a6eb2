"""What every use of a trained network asks first: that it is there, fit for the use, and the one that was used before.

In: a path or an `Engine`. Out: the engine, or `Mistakes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spinedsl import api
from spinedsl import checks as say
from spinedsl.brief import brief
from spinedsl.data.dataset import nowhere
from spinedsl.diagnostics import Diagnostic
from spinedsl.inference.engine import Engine
from spinedsl.inference.opening import open_engine
from spinedsl.reading import legible
from spinedsl.tasks import BOXES, TASKS

DIGITS = 8  # of a digest, which tell networks apart for people


def engine_of(model: Any, device: str = "auto") -> Engine:
    """The engine of a path, or one that was opened.

    Raises:
        Mistakes: there is none at the path.
        TypeError: it is neither.
    """
    if isinstance(model, Engine):
        return model
    engine: Engine = api.valued(open_engine(model, device))
    return engine


def not_aligned(engine: Engine, *, aligned: bool) -> list[Diagnostic]:
    """A warning where a network needs aligned faces, and these are not `aligned`."""
    if aligned or not engine.aligned:
        return []
    return [say.NOT_ALIGNED.at(nowhere(engine.path), path=legible(engine.path)).with_fix("give `--landmarks FILE`")]


def need_embedder(engine: Engine, what: str) -> None:
    """See that a network embeds.

    Raises:
        Mistakes: it does not. `what` needs it.
    """
    if TASKS[engine.kind].by_class:
        found = say.UNFIT_TASK.at(nowhere(engine.path), what=what, path=legible(engine.path), task=engine.kind)
        raise api.Mistakes([found.with_fix('name a network that was trained for `kind = "embedding"`')])


def need_faces(engine: Engine) -> None:
    """See that the pictures of a network may be faces by themselves.

    Raises:
        Mistakes: it finds boxes in them.
    """
    if TASKS[engine.kind].truth == BOXES:
        what = "five points align a picture of one face"
        found = say.UNFIT_TASK.at(nowhere(engine.path), what=what, path=legible(engine.path), task=engine.kind)
        raise api.Mistakes([found.with_fix("leave `landmarks` out")])


def limits_of(kind: str, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Limits of a detector that can be, of a task of this kind.

    Raises:
        Mistakes: the network is no detector.
        TypeError: they are no dict, or one is no number.
        ValueError: there is no such limit, or it is out of its range.
    """
    known = {setting.name: setting for setting in TASKS[kind].settings if setting.name in TASKS[kind].limits}
    if not known:
        what = "limits are of what finds boxes"
        found = say.UNFIT_TASK.at(nowhere(path), what=what, path=legible(path), task=kind)
        raise api.Mistakes([found.with_fix("leave them out, or name a detector")])
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"limits are {', '.join(known)}; got {brief(name)}")
        if not known[name].takes(value):
            raise ValueError(f"limits: {name} must be {known[name].expected}; got {brief(value)}")
    return dict(given)


def other_network(path: str, name: str, step: int, digest: str, engine: Engine) -> Diagnostic:
    """Something was made with another network than the one at hand."""
    shown = legible(path)
    theirs = f"`{name}`, step {step:,} (digest {digest[:DIGITS]})"
    own = f"`{engine.network}`, step {engine.step:,} (digest {engine.digest[:DIGITS]})"
    found: Diagnostic = say.OTHER_NETWORK.at(
        nowhere(shown), path=shown, theirs=theirs, model=legible(engine.path), own=own
    )
    return found.with_fix("make it anew with this network, or name the network that made it")
