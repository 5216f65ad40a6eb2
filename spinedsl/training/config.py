"""The configuration of a run: read from TOML, or given as values, with every mistake at its place and at once.

In: a path, or values as a file would have them. Out: a `Config`, or diagnostics. Neither the network nor the images are
looked at here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

from spinedsl import checks as say
from spinedsl import reading
from spinedsl.brief import brief, short_path
from spinedsl.data import section as data
from spinedsl.diagnostics import Diagnostic, Outcome, Severity
from spinedsl.given import path_of
from spinedsl.record import Record
from spinedsl.settings import dotted, read_table, to_toml
from spinedsl.source import Source
from spinedsl.tasks import TASKS
from spinedsl.toml import Document, read_toml
from spinedsl.toml import Path as Keys
from spinedsl.training.presets import PRESETS
from spinedsl.training.table import CONFIG, WHOLE

Section: TypeAlias = Mapping[str, Any]
Given: TypeAlias = "str | PathLike[str] | Mapping[str, Any] | Config"

CHANGES = "<changes>"  # the name of what stands instead of a file's settings

# Settings that count for some values of another one alone.
IDLE: Mapping[Keys, tuple[Keys, tuple[str, ...]]] = {
    ("optimizer", "momentum"): (("optimizer", "name"), ("sgd",)),
    ("optimizer", "nesterov"): (("optimizer", "name"), ("sgd",)),
    ("optimizer", "betas"): (("optimizer", "name"), ("adamw",)),
    ("optimizer", "epsilon"): (("optimizer", "name"), ("adamw",)),
    ("schedule", "milestones"): (("schedule", "kind"), ("step",)),
    ("schedule", "factor"): (("schedule", "kind"), ("step",)),
}


class Config(Record, eq=False):
    """All settings of a run, by section. Paths are those from `folder`, that of the file."""

    document: Document
    folder: Path
    network: Section
    task: Section
    data: data.Section
    optimizer: Section
    schedule: Section
    run: Section
    weights: Section

    def __brief__(self) -> str:
        return f"of {short_path(self.document.source.name)}"

    def path(self, section: Section, name: str) -> Path | None:
        """The path that a setting holds, from where the file stands."""
        return None if section[name] is None else self.folder / reading.expanded(section[name])

    def says(self, *keys: str) -> bool:
        """The file itself has this setting, or what was changed of it: neither a preset nor a default."""
        held: Any = self.document.values
        for key in keys:
            held = held.get(key) if isinstance(held, Mapping) else None
        return held is not None

    def to_toml(self) -> str:
        """A file that says all of it, without what a preset or a default would say."""
        return to_toml(self.document.values)


def read_config(
    given: Given, changes: Mapping[str, Mapping[str, Any]] | None = None, *, images: bool = False
) -> Outcome[Config]:
    """The configuration of a file, of values as a file would have them, or one that was read before.

    `changes` are settings by section that stand instead of its own, such as those of a command line. With `images`,
    data sets are given elsewhere, and [data] need not name them.

    Raises:
        TypeError: it is none of these.
    """
    if isinstance(given, Config) and not changes:
        return Outcome(given)
    if isinstance(given, Config):
        return _of_values(_merged(given.document.values, changes or {}), given.folder, images=images)
    if isinstance(given, Mapping):
        return _of_values(_merged(given, changes or {}), Path.cwd(), images=images)
    path = Path(path_of(given, "a configuration (.toml)", "its settings as a dict"))
    outcome = reading.read(path).then(read_toml)
    if outcome.value is None:
        return Outcome(None, outcome.diagnostics)
    document = outcome.value
    if changes:
        document = _changed(document, changes)
    return _read(document, path.resolve().parent, images=images)


def _of_values(values: Mapping[str, Any], folder: Path, *, images: bool) -> Outcome[Config]:
    """As a file that says them, so that mistakes have places."""
    source = Source.from_text(to_toml(values), "<settings>")
    return read_toml(source).then(lambda document: _read(document, folder, images=images))


def _changed(document: Document, changes: Mapping[str, Any]) -> Document:
    """With other values for some settings; their places are in a text of the changes alone."""
    values = _merged(document.values, changes)
    read = read_toml(Source.from_text(to_toml(changes), CHANGES))
    assert read.value is not None
    over = read.value
    # Of a table that stands in both, the file has the head.
    keys = {**over.keys, **{path: span for path, span in document.keys.items() if not _plain(over.values, path)}}
    places = {path: span for path, span in document.places.items() if not _plain(over.values, path)}
    return Document(document.source, values, keys, {**over.places, **places})


def _plain(values: Any, path: Keys) -> bool:
    """A value that is no table stands at a path, or the path leads into it."""
    for name in path:
        if not isinstance(values, Mapping):
            return True
        if name not in values:
            return False
        values = values[name]
    return not isinstance(values, Mapping)


def _merged(values: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Tables in tables; what stands in `over` counts, and a `None` there takes a value away."""
    found = dict(values)
    for name, value in over.items():
        old = found.get(name)
        if value is None:
            found.pop(name, None)
        else:
            found[name] = (
                _merged(old if isinstance(old, Mapping) else {}, value) if isinstance(value, Mapping) else value
            )
    return found


def _read(document: Document, folder: Path, *, images: bool) -> Outcome[Config]:
    preset = PRESETS.get(str(document.values.get("preset")))
    whole = document
    if preset is not None:
        values = _merged(preset.values, document.values)
        whole = Document(document.source, values, document.keys, document.places)
    others = {name: value for name, value in whole.values.items() if name != "data"}
    values, reported = read_table(Document(whole.source, others, whole.keys, whole.places), CONFIG, (), WHOLE)
    if images:  # given elsewhere: what [data] says of them is not read
        whole = Document(whole.source, _merged(whole.values, {"data": {"train": "."}}), whole.keys, whole.places)
    section = data.read_section(whole, folder, whole=WHOLE)
    reported += section.diagnostics
    sections = {name: values[name] for name in CONFIG.tables}
    if section.value is None or any(found.severity is Severity.ERROR for found in reported):
        return Outcome(None, tuple(reported))
    config = Config(document, folder, data=section.value, **sections)
    reported += _odds(config, preset is not None)
    return Outcome(None if reported else config, tuple(reported))


# ---- settings that do not go together ----


def _odds(config: Config, preset: bool) -> Iterator[Diagnostic]:
    yield from _idle(config)
    yield from _length(config, preset)
    yield from _numbers(config)
    for key in ("key", "prefix"):
        if config.weights[key] is not None and config.weights["from"] is None:
            yield at_odds(
                config, ("weights", key), f"`weights.{key}` chooses tensors of `weights.from`, which is not given"
            )


def _idle(config: Config) -> Iterator[Diagnostic]:
    """Settings that nothing reads because of another one."""
    sections = {"optimizer": config.optimizer, "schedule": config.schedule}
    for path, (other, values) in IDLE.items():
        value = sections[str(other[0])][str(other[1])]
        if config.says(*map(str, path)) and value not in values:
            yield at_odds(
                config, path, f'`{dotted(path)}` counts for {dotted(other)} = "{values[0]}" alone, and it is "{value}"'
            )


def idle(config: Config, kind: str) -> Iterator[Diagnostic]:
    """Settings of [task], or of a preset, that are those of another task."""
    yield from _preset(config, kind)
    own = {setting.name for setting in TASKS[kind].settings}
    for task in TASKS.values():
        for setting in task.settings:
            if setting.name not in own and config.says("task", setting.name):
                yield at_odds(
                    config, ("task", setting.name), f"`task.{setting.name}` is for {task.kind}, and this is {kind}"
                )


def beside_a_loss(config: Config) -> Iterator[Diagnostic]:
    """Settings of [task] that its own loss reads, where another one was given."""
    for name in dict.fromkeys(s.name for task in TASKS.values() for s in task.settings if s.name not in task.limits):
        if config.says("task", name):
            yield at_odds(
                config, ("task", name), f"`task.{name}` is read by the task's loss, and another one was given"
            )


def _preset(config: Config, kind: str) -> Iterator[Diagnostic]:
    """A preset that is for another task, whose settings would be left out."""
    name = str(config.document.values.get("preset"))
    preset = PRESETS.get(name)
    own = {setting.name for setting in TASKS[kind].settings}
    others = set(preset.values.get("task", {})) - own if preset is not None else set()
    if others:
        what = f"preset `{name}` sets `task.{min(others)}`, and {kind} has no such setting"
        found = say.SETTINGS_AT_ODDS.at(config.document.value(("preset",)), what=what)
        yield found.with_fix("choose another one: `spine train --presets` says what each is for")


def _length(config: Config, preset: bool) -> Iterator[Diagnostic]:
    """How long the run is: in epochs or in steps."""
    epochs, steps = config.run["epochs"], config.run["steps"]
    if epochs is None and steps is None:
        found = say.KEY_MISSING.at(config.document.key(("run",)), name="run.epochs", where="[run]")
        yield found.with_fix("write `epochs = …`, or `steps = …`, in [run]: how long it trains")
    elif epochs is not None and steps is not None:
        both = "`run.steps` and `run.epochs` both say how long it trains"
        counted = f"{both}: the preset counts in epochs, and so does its schedule" if preset else both
        fix = "write `epochs` alone: it may be a fraction, as in `epochs = 0.5`" if preset else "take one of them out"
        yield at_odds(config, ("run", "steps"), counted).with_fix(fix)


def _numbers(config: Config) -> Iterator[Diagnostic]:
    betas, milestones = config.optimizer["betas"], config.schedule["milestones"]
    if len(betas) != 2:
        yield at_odds(config, ("optimizer", "betas"), f"`optimizer.betas` are two numbers, got {len(betas)}")
    if config.schedule["kind"] == "step" and not milestones:
        yield at_odds(config, ("schedule", "kind"), "a step schedule needs `schedule.milestones`: when the rate falls")
    if milestones != sorted(set(milestones)):
        yield at_odds(
            config, ("schedule", "milestones"), f"`schedule.milestones` have to rise, got {brief(milestones)}"
        )
    if config.run["batch"] % config.run["accumulate"]:
        batch, parts = config.run["batch"], config.run["accumulate"]
        near = max(parts, batch - batch % parts)
        reported = at_odds(
            config, ("run", "accumulate"), f"a batch of {batch} does not divide into {parts} equal parts"
        )
        yield reported.with_fix(f"`batch = {near}` does")


def at_odds(config: Config, path: Keys, what: str) -> Diagnostic:
    """Settings that do not go together, reported at one of them."""
    return say.SETTINGS_AT_ODDS.at(config.document.key(path), what=what)
