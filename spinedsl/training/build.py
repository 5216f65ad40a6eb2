"""A network of a configuration or a checkpoint: its program, its module, and what its output means.

In: the settings of [network] and [task], or a checkpoint. Out: a program and the name of the output that is trained; of
a checkpoint a `Trained`, which is all that evaluation, prediction and export need.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from spinedsl import api
from spinedsl import checks as say
from spinedsl.brief import short_path
from spinedsl.checking import load
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.diagnostics import Diagnostic, Outcome, one_of
from spinedsl.given import source_of
from spinedsl.ops.program import Program
from spinedsl.record import Record
from spinedsl.settings import shown
from spinedsl.source import Source
from spinedsl.tasks import TASKS, Task
from spinedsl.training.checkpoint import Checkpoint, read
from spinedsl.training.config import Config

PRELUDE = "std/"  # begins the labels of files that every installation has


class Network(Record, eq=False):
    """A network that is trained: its program with just the outputs that are, the one of the task, and its texts."""

    program: Program
    output: str
    kind: str  # of the task
    texts: Mapping[str, Any]  # as a checkpoint holds them

    @property
    def features(self) -> int:
        """Numbers of the output."""
        return next(row.values[self.output].channels for row in self.program.rows if self.output in row.values)


# ---- of a configuration ----


def network_of(config: Config, size: tuple[int, int] | None, custom: bool = False) -> Outcome[Network]:
    """The network of [network], with the output of [task]. A `custom` loss may ask for any outputs."""
    path = config.path(config.network, "file")
    assert path is not None
    outcome = _source(config, path)
    if outcome.value is None:
        return Outcome(None, outcome.diagnostics)
    source, name = outcome.value
    try:
        whole = api.program(source, network=name, size=size)
    except api.Mistakes as mistakes:
        return Outcome(None, tuple(mistakes.diagnostics))
    except api.NetworkChoice as choice:
        return Outcome(None, (_at(config, ("network", "name"), str(choice)),))
    kind, asked = _task(config, whole)
    chosen = _output(config, whole, TASKS[kind], asked, custom)
    if chosen.value is None:
        return Outcome(None, chosen.diagnostics)
    wanted = [chosen.value, *config.network["outputs"]]
    if custom and not config.network["outputs"]:
        wanted = list(whole.outputs)
    try:
        made = api.program(source, network=name, size=size, outputs=[o for o in whole.outputs if o in wanted])
    except api.OutputChoice as choice:
        return Outcome(None, (_at(config, ("network", "outputs"), str(choice)),))
    unknown = [one for one in wanted if one not in whole.outputs]
    if unknown:
        what = f"network `{whole.name}` has no output `{unknown[0]}`: it has {one_of(whole.outputs, conjunction='and')}"
        return Outcome(None, (_at(config, ("network", "outputs"), what),))
    return Outcome(Network(made, chosen.value, kind, texts_of(made, source, size)))


def _source(config: Config, path: Path) -> Outcome[tuple[Source, str | None]]:
    """The file of the network; with arguments, a text that imports it, and the name of the network there."""
    source = source_of(path)
    name, arguments = config.network["name"], config.network["arguments"]
    if source.value is None or not arguments:
        return Outcome(None if source.value is None else (source.value, name), source.diagnostics)
    if name is None:
        names = tuple(load(source.value).networks)
        if len(names) != 1:
            what = f"{path.name} has {len(names)} networks: `network.name` chooses the one that gets the arguments"
            return Outcome(None, (_at(config, ("network", "arguments"), what),))
        (name,) = names
    given = ", ".join(f"{key} = {_argument(value)}" for key, value in arguments.items())
    text = f'spine 1\nimport "{path.name}"\n\nnetwork {name}Trained = {name}({given})\n'
    wrapper = Source.from_text(text, "<network.arguments>", str(path.resolve().parent / "trained.spine"))
    return Outcome((wrapper, f"{name}Trained"))


def _argument(value: Any) -> str:
    """A value as a `.spine` file says it; a text is a name, such as that of an activation."""
    return value if isinstance(value, str) else shown(value)


def _task(config: Config, program: Program) -> tuple[str, str | None]:
    """The kind of the task and its output: as [task] says, else as the network's own task rows do."""
    kind, asked = config.task["kind"], config.task["output"]
    rows = [row for row in program.tasks if row.kind in TASKS and kind in (None, row.kind)]
    rows = [row for row in rows if asked is None or asked in row.outputs["from"]]
    if len(rows) == 1:
        return rows[0].kind, asked or rows[0].outputs["from"][0]
    return kind or "classification", asked


def _output(config: Config, program: Program, task: Task, asked: str | None, custom: bool) -> Outcome[str]:
    """The output that the task is about: the one that is named, or the only head that is fit for it."""
    types = {name: type_ for row in program.rows for name, type_ in row.values.items() if name in program.outputs}
    fit = [name for name, type_ in types.items() if type_.is_vector]
    if asked is not None and asked not in types:
        what = f"network `{program.name}` has no output `{asked}`: it has {one_of(program.outputs, conjunction='and')}"
        return Outcome(None, (_at(config, ("task", "output"), what),))
    if custom:
        return Outcome(asked or (fit or list(program.outputs))[0])
    if asked is not None and asked not in fit:
        return Outcome(None, (_unfit(config, program, task, f"`{asked}` is {types[asked]}"),))
    if asked is None and len(fit) != 1:
        reason = f"it has {one_of(fit, conjunction='and')}" if fit else "it has no head that gives one"
        return Outcome(None, (_unfit(config, program, task, reason, several=bool(fit)),))
    return Outcome(asked or fit[0])


def _unfit(config: Config, program: Program, task: Task, reason: str, *, several: bool = False) -> Diagnostic:
    found: Diagnostic = say.UNFIT_NETWORK.at(
        config.document.key(("task", "output")), network=program.name, task=task.kind, reason=reason,
        label=f"expected {task.output}",
    )  # fmt: skip
    if several:
        return found.with_fix("choose one: `output = …` in [task]")
    return found.with_fix("give the network a head, as in `head logits: classifier(classes = 10) from P3, P4, P5`")


def _at(config: Config, path: tuple[str, ...], what: str) -> Diagnostic:
    return say.SETTINGS_AT_ODDS.at(config.document.key(path), what=what)


# ---- texts, so that a checkpoint needs no file beside it ----


def texts_of(program: Program, source: Source, size: tuple[int, int] | None) -> dict[str, Any]:
    """What of a network goes into a checkpoint: its files, which of their networks it is, its size and outputs."""
    own = [text for text in program.sources if not text.label.startswith(PRELUDE)]
    climbs = max(text.label.split("/").count("..") for text in own)
    folder = Path(source.origin or source.name).parent.parts[-climbs:] if climbs else ()
    return {
        "name": program.name,
        "size": list(size) if size else None,
        "outputs": list(program.outputs),
        "folder": list(folder),
        "files": {(text.label if number else "network.spine"): text.text for number, text in enumerate(own)},
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
        return api.program(folder / "network.spine", network=texts["name"], size=size, outputs=texts["outputs"])


# ---- of a checkpoint ----


class Trained(Record, eq=False):
    """A trained network: everything that its use needs.

    `module` has the weights of `Checkpoint.best`, in evaluation mode. `output` names what `task` is about: a vector for
    each image, of which `task.decode` makes what is used. `classes` are the names of the labels.
    """

    program: Program
    module: nn.Module
    task: Task
    output: str
    classes: Sequence[str]
    preprocessing: Preprocessing
    about: Mapping[str, Any]

    def __brief__(self) -> str:
        return f"{self.program.name}: {self.task.kind}, step {self.about['step']}"


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
    return Outcome(
        Trained(program, module.eval(), task, about["output"], tuple(about["classes"]), preprocessing, about)
    )
