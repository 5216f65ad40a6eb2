"""A network of a configuration or a checkpoint: its program, its module, and what its output means.

In: the settings of [network] and [task], or a checkpoint. Out: a program and the name of the output that is trained; of
a checkpoint a `Trained`, which is all that evaluation, prediction and export need.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from spinedsl import api
from spinedsl import checks as say
from spinedsl.brief import counted, short_path
from spinedsl.checking import Loaded, load
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.diagnostics import Diagnostic, Outcome, one_of
from spinedsl.given import source_of
from spinedsl.ops.program import Program
from spinedsl.ops.program import Task as TaskRow
from spinedsl.ops.prune import prune
from spinedsl.reading import Loader
from spinedsl.record import Record, replace
from spinedsl.settings import shown
from spinedsl.source import Source
from spinedsl.syntax.parse import is_name
from spinedsl.tasks import TASKS, Reading, Task, Unfit, row_of
from spinedsl.training.checkpoint import Checkpoint, read
from spinedsl.training.config import Config

UNSAID = "classification"  # what a network is trained for whose task rows, and [task], say nothing
FIRST = "network.spine"  # what a checkpoint calls the network's own file, unless that imports one of this name
PRELUDE = "std/"  # begins the labels of files that every installation has


class Network(Record, eq=False):
    """A network that is trained: its program with just the outputs that are, what of it the task reads, its texts.

    `parameters` are the names of those that [network] may give it.
    """

    program: Program
    reading: Reading
    kind: str  # of the task
    texts: Mapping[str, Any]  # as a checkpoint holds them
    parameters: tuple[str, ...] = ()

    @property
    def output(self) -> str:
        """What the task is about: an output, or a task row that names several."""
        return self.reading.name

    @property
    def features(self) -> int:
        """Numbers of a vector, or classes that are told apart."""
        return self.reading.features


# ---- of a configuration ----


def network_of(config: Config, size: tuple[int, int] | None, custom: bool = False) -> Outcome[Network]:
    """The network of [network], with the output of [task]. A `custom` loss may ask for any outputs."""
    path = config.path(config.network, "file")
    assert path is not None
    outcome = _loaded(config, path)
    if outcome.value is None:
        return Outcome(None, outcome.diagnostics)
    loaded, name, called = outcome.value
    try:
        whole = _called(api.made(loaded, network=name, size=size).program, called)
    except api.Mistakes as mistakes:
        return Outcome(None, tuple(mistakes.diagnostics))
    except api.NetworkChoice as choice:
        return Outcome(None, (_at(config, ("network", "name"), str(choice)),))
    kind, row = _row(config, whole)
    chosen = _reading(config, whole, kind, row, custom)
    if chosen.value is None:
        return Outcome(None, chosen.diagnostics)
    wanted = [*chosen.value.outputs, *config.network["outputs"]]
    if custom and not config.network["outputs"]:
        wanted = list(whole.outputs)
    try:
        chosen_ones = [one for one in whole.outputs if one in wanted]
        made = api.made(loaded, network=name, size=size, outputs=chosen_ones).program
    except api.OutputChoice as choice:
        return Outcome(None, (_at(config, ("network", "outputs"), str(choice)),))
    unknown = [one for one in wanted if one not in whole.outputs]
    if unknown:
        what = f"network `{whole.name}` has no output `{unknown[0]}`: it has {one_of(whole.outputs, conjunction='and')}"
        return Outcome(None, (_at(config, ("network", "outputs"), what),))
    texts, parameters = texts_of(made, loaded.source, size), _parameters(loaded, made.name)
    named = _called(made, called)
    return Outcome(Network(named, chosen.value, kind, {**texts, "called": named.name}, parameters))


def _parameters(loaded: Loaded, name: str) -> tuple[str, ...]:
    """What a network can be given; what it is made of can be given the same."""
    return tuple(parameter.name.text for parameter in loaded.networks[name].declared.parameters)


def _called(program: Program, name: str | None) -> Program:
    """The program of the network that got arguments by the name that its user knows."""
    return program if name is None else replace(program, name=name)


def _loaded(config: Config, path: Path) -> Outcome[tuple[Loaded, str | None, str | None]]:
    """The file of the network, the network's name there, and what it is called.

    With arguments it is a text that imports the file, in which another network has the name already.
    """
    read = source_of(path)
    if read.value is None:
        return Outcome(None, read.diagnostics)
    source, name, loader = _importable(read.value), config.network["name"], Loader()
    loaded, given = load(source, loader), config.network["arguments"]
    if not given or not loaded.ok or (name is not None and name not in loaded.networks):
        return Outcome((loaded, name, None))
    if name is None:
        names = tuple(loaded.networks)
        if len(names) != 1:
            what = f"{path.name} has {len(names)} networks: `network.name` chooses the one that gets the arguments"
            return Outcome(None, (_at(config, ("network", "arguments"), what),))
        (name,) = names
    wrong = tuple(_no_names(config))
    if wrong:
        return Outcome(None, wrong)
    asked = f"{name}Trained"
    while asked in {*loaded.unit.networks, *loaded.unit.definitions}:
        asked += "_"
    own = Path(source.origin)
    loader.units[source.origin] = loaded.unit
    values = ", ".join(f"{key} = {_argument(value)}" for key, value in given.items())
    text = f'spine 1\nimport "{own.name}"\n\nnetwork {asked} = {name}({values})\n'
    wrapper = Source.from_text(text, "<network.arguments>", str(_free(own.with_name("trained.spine"))))
    return Outcome((load(wrapper, loader), asked, name))


def _importable(source: Source) -> Source:
    """A file as another one can import it: where its name is none for an import, it has one beside it."""
    own = Path(source.origin)
    if own.name.isprintable() and not set('"\\') & set(own.name):
        return source
    return replace(source, origin=str(_free(own.with_name("network.spine"))))


def _free(path: Path) -> Path:
    """A path like this one, of no file that is there."""
    while path.exists():
        path = path.with_stem(f"{path.stem}_")
    return path


def _no_names(config: Config) -> Iterator[Diagnostic]:
    """Arguments that no network can have, and texts that are no name of anything."""
    for key, value in config.network["arguments"].items():
        for text in (key, value) if isinstance(value, str) else (key,):
            if not is_name(text):
                found = _at(config, ("network", "arguments", key), f"{shown(text)} in `network.arguments` is no name")
                yield found.with_fix("a name has letters, digits and `_`, and is no keyword; a number has no quotes")


def _argument(value: Any) -> str:
    """A value as a `.spine` file says it; a text is a name, such as that of an activation."""
    return value if isinstance(value, str) else shown(value)


def _row(config: Config, program: Program) -> tuple[str, TaskRow | None]:
    """The kind of the task, as [task] says, else as the network's only task row does; and that row."""
    kind, asked = config.task["kind"], config.task["output"]
    rows = {one: row_of(program, one, asked) for one in TASKS if kind in (None, one)}
    found = [(one, row) for one, row in rows.items() if row is not None]
    return found[0] if len(found) == 1 else (kind or UNSAID, None)


def _reading(config: Config, program: Program, kind: str, row: TaskRow | None, custom: bool) -> Outcome[Reading]:
    """What the task is about: what is named, what the network's task row says, or the only head that is fit for it."""
    asked, task = config.task["output"], TASKS[kind]
    if asked is not None and asked not in (*program.outputs, *(one.name for one in program.tasks)):
        what = f"network `{program.name}` has no output `{asked}`: it has {one_of(program.outputs, conjunction='and')}"
        return Outcome(None, (_at(config, ("task", "output"), what),))
    try:
        return Outcome(task.reads(program, row, asked))
    except Unfit as unfit:
        if custom:
            return Outcome(_as_it_is(program, asked))
        found: Diagnostic = say.UNFIT_NETWORK.at(
            config.document.key(("task", "output")), network=program.name, task=task.kind, reason=str(unfit),
            label=f"expected {task.output}",
        )  # fmt: skip
        return Outcome(None, (found.with_fix(unfit.fix),))


def _as_it_is(program: Program, name: str | None) -> Reading:
    """An output for a loss of one's own, which may read whatever there is."""
    types = {one: type_ for row in program.rows for one, type_ in row.values.items() if one in program.outputs}
    first = next((one for one, type_ in types.items() if type_.is_vector), program.outputs[0])
    chosen = name if name in types else first
    return Reading(chosen, (chosen,), types[chosen].channels)


def _at(config: Config, path: tuple[str, ...], what: str) -> Diagnostic:
    return say.SETTINGS_AT_ODDS.at(config.document.key(path), what=what)


# ---- texts, so that a checkpoint needs no file beside it ----


def texts_of(program: Program, source: Source, size: tuple[int, int] | None) -> dict[str, Any]:
    """What of a network goes into a checkpoint: its files, which of their networks it is, its size and outputs."""
    own = [text for text in program.sources if not text.label.startswith(PRELUDE)]
    climbs = max(text.label.split("/").count("..") for text in own)
    folder = Path(source.origin or source.name).parent.parts[-climbs:] if climbs else ()
    labels = [text.label for text in own[1:]]
    first = FIRST
    while first in labels:
        first = f"_{first}"
    return {
        "name": program.name,
        "size": list(size) if size else None,
        "outputs": list(program.outputs),
        "folder": list(folder),
        "first": first,
        "files": dict(zip([first, *labels], [text.text for text in own], strict=True)),
    }


def program_of(texts: Mapping[str, Any]) -> Program:
    """The program of these texts.

    Raises:
        api.Mistakes: this version of spinedsl no longer reads them.
    """
    with tempfile.TemporaryDirectory() as root:
        (Path(root) / "spine.toml").touch()  # imports may reach any file below it
        folder = Path(root, *texts["folder"])
        for label, text in texts["files"].items():
            path = folder / label
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        size = tuple(texts["size"]) if texts["size"] else None
        made = api.program(
            folder / texts.get("first", FIRST), network=texts["name"], size=size, outputs=texts["outputs"]
        )
        return _called(made, texts.get("called"))


# ---- of a checkpoint ----


class Trained(Record, eq=False):
    """A trained network: everything that its use needs.

    `module` has the weights of `Checkpoint.best`, in evaluation mode. `reading` says what of its outputs `task` is
    about, and `output` what that is called; `decode` makes of them what is used. `classes` are the names of the labels.
    """

    program: Program
    module: nn.Module
    task: Task
    reading: Reading
    classes: Sequence[str]
    preprocessing: Preprocessing
    about: Mapping[str, Any]
    unfit: str = ""  # why its output is nothing that the task can be about: a loss of one's own may train anything

    def __brief__(self) -> str:
        return f"{self.program.name}: {self.task.kind}, step {self.about['step']}"

    @property
    def output(self) -> str:
        """What the task is about: an output, or a task row that names several."""
        return self.reading.name

    @property
    def values(self) -> dict[str, Any]:
        """The settings of the task."""
        return self.task.values(self.about["task"])

    @property
    def limits(self) -> dict[str, Any]:
        """Those of them that say what of its outputs is left out."""
        return {name: self.values[name] for name in self.task.limits}

    @cached_property
    def of_task(self) -> Program:
        """The part of the network that its task reads, for images of the size that preprocessing gives."""
        program, pre = self.program, self.preprocessing
        if (program.input_type.height, program.input_type.width) != (pre.height, pre.width):
            program = program_of({**self.about["texts"], "size": [pre.height, pre.width]})
        wanted = self.reading.outputs
        return program if {*program.outputs} == {*wanted} else prune(program, wanted)

    def decode(self, outputs: Mapping[str, Tensor], limits: Mapping[str, Any] | None = None) -> Any:
        """What the task makes of the network's outputs: shares of classes, vectors of unit length, boxes.

        `limits` are settings that stand instead of those that it was trained with.
        """
        size = (self.preprocessing.height, self.preprocessing.width)
        return self.task.decode(self.reading, outputs, size, self.values | dict(limits or {}))


def open_trained(path: str | Path) -> Outcome[Trained]:
    """The trained network of a checkpoint that `spine train` wrote."""
    return read(Path(path)).then(trained_of)


def trained_of(checkpoint: Checkpoint) -> Outcome[Trained]:
    """The same of a checkpoint that was read."""
    from spinedsl.backends.torch import build  # noqa: PLC0415  as the other users of it do

    about = checkpoint.about
    try:
        program = program_of(about["texts"])
    except api.Mistakes as mistakes:
        return Outcome(None, tuple(mistakes.diagnostics))
    module = build(program)
    own = module.state_dict()
    missing = [name for name in own if name not in checkpoint.best]
    if missing:
        reason = f"{short_path(checkpoint.path)} lacks `{missing[0]}` of network `{program.name}`"
        found = say.OTHER_RUN.at(Source(checkpoint.path, "").span(0, 0), path=checkpoint.path, reason=reason)
        return Outcome(None, (found,))
    module.load_state_dict(dict(checkpoint.best))
    preprocessing = Preprocessing.from_json(about["preprocessing"])
    task = TASKS[about["task"]["kind"]]
    classes, unfit = tuple(about["classes"]), ""
    try:
        reading = task.reads(program, row_of(program, task.kind, about["output"]), about["output"])
    except Unfit as why:  # it was trained by a loss of its own
        reading, unfit = _as_it_is(program, about["output"]), str(why)
    if not unfit and task.by_class and reading.features < len(classes):
        unfit = (
            f"`{reading.name}` gives {counted(reading.features, 'number')}, and the images have {len(classes)} classes"
        )
    return Outcome(Trained(program, module.eval(), task, reading, classes, preprocessing, about, unfit))


def for_use(trained: Trained, path: str | Path) -> Outcome[Trained]:
    """The same, if its outputs mean what the task is about."""
    if not trained.unfit:
        return Outcome(trained)
    found = say.UNSAID_MEANING.at(
        Source("", "").span(0, 0), network=trained.program.name, path=path, reason=trained.unfit
    )
    fix = "give the network a task row; as a module it is what `spinedsl.training.build.open_trained(path)` gives"
    return Outcome(None, (found.with_fix(fix),))
