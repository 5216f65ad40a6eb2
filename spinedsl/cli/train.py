"""Train a network on images, as a configuration says: checkpoints and logs go into the run's folder."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from spinedsl import api, extras
from spinedsl.cli.options import DEVICE, choice_arguments, format_argument, weights_argument, whole
from spinedsl.cli.progress import phases
from spinedsl.cli.request import need_weights
from spinedsl.cli.terminal import say_diagnostics, say_mistakes
from spinedsl.cli.voice import MANNER, UsageError, note, summary
from spinedsl.diagnostics.plain import one_line
from spinedsl.source import Source

if TYPE_CHECKING:
    from spinedsl.training.loop import Result
    from spinedsl.training.progress import Watcher

EXAMPLES = """\
examples:
  spine train cells.toml                                   the run that cells.toml describes
  spine train cells.toml --resume                          go on after Ctrl-C, a kill or a full disk
  spine train cells.toml --weights imagenet.safetensors --freeze s,b0 --freeze-norms
  spine train cells.toml --change run.epochs=5 --change optimizer.rate=0.01 --folder runs/short
  spine train cells.toml --check                           report every mistake, and train nothing
  spine train --presets                                    published recipes

in several processes: `torchrun --nproc-per-node 2 -m spinedsl train cells.toml`

a configuration, in TOML; paths are those from where it stands, and `spine train --settings` lists all that it may say:

  [network]
  file = "net.spine"
  arguments = { classes = 10 }
  [data]
  train = "images/train"          # a folder for each class; a list with path,label; idx files; persons
  validation = "images/val"
  preprocessing = { height = 64, width = 64 }
  augment = { flip = true }
  [optimizer]
  rate = 0.1
  [run]
  epochs = 20
  batch = 64
  output = "runs/cells"

The folder gets last.safetensors and best.safetensors (the network's text, preprocessing, task, figures, and the first
all that resuming needs), log.csv, validation.csv, pictures and TensorBoard's files. Ctrl-C saves and ends with 130.
"""
ENDED = 130


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("file", metavar="FILE", nargs="?", help="a configuration (.toml)")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint of the run's folder")
    parser.add_argument("--check", action="store_true", help="report every mistake, and train nothing")
    weights_argument(parser, "; a checkpoint is one too")
    choice_arguments(parser)
    parser.add_argument("--freeze", metavar="ROWS", help="rows that stay as they are, as in s,b0")
    parser.add_argument("--freeze-norms", action="store_true", help="batch norms stay as they are")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), help=DEVICE)
    parser.add_argument(
        "--threads", metavar="N", type=whole, help="threads of this process; 0 leaves those that are idle"
    )
    parser.add_argument("--folder", metavar="PATH", help="the run's folder")
    parser.add_argument(
        "--change",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="another value of a setting, as in run.epochs=5 or data.preprocessing.height=64",
    )
    parser.add_argument("--presets", action="store_true", help="list published recipes and their settings")
    parser.add_argument("--settings", action="store_true", help="list all that a configuration may say")
    format_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Train; 130 where it was interrupted."""
    idle_threads()
    extras.require(*extras.TRAIN)
    if options.presets or options.settings:
        _refuse_others(options)
        _print_known(options)
        return 0
    if options.file is None:
        raise UsageError("a configuration is missing, as in `spine train cells.toml`; `spine train --help` has one")
    if options.resume and (options.check or options.weights is not None):
        other = "--check" if options.check else "--weights"
        raise UsageError(f"--resume goes on with a run, and {other} says nothing beside it")
    need_weights(options)
    changes = changes_of(options)
    try:
        if options.check:
            return _check(options, changes)
        return _train(options, changes)
    except api.Mistakes as mistakes:
        from spinedsl.training.distributed import leading  # noqa: PLC0415  torch is only needed here

        if leading() or mistakes.alone:  # else the first process says the same
            say_mistakes(mistakes.diagnostics)
        return 1


def idle_threads() -> None:
    """Threads that spin while they wait take the cores from each other: this is read when PyTorch is loaded."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")


def _train(options: argparse.Namespace, changes: dict[str, dict[str, Any]]) -> int:
    from spinedsl.training.loop import train  # noqa: PLC0415  torch is only needed here

    with phases() as say:
        say("reading the images")
        result = train(
            options.file, resume=options.resume, watch=_watchers(), changes=changes,
            hear=lambda done, of: say(f"looking at the images: {done:,} of {of:,}"),
        )  # fmt: skip
    if not result.leads:  # another process prints
        return 0 if result.finished else ENDED
    if not result.finished:
        note(f"stopped at step {result.step}; `--resume` goes on")
        return ENDED
    if options.format == "json":
        print(json.dumps(_for_programs(result), indent=2))
    else:
        _print_result(result)
    return 0


def _check(options: argparse.Namespace, changes: dict[str, dict[str, Any]]) -> int:
    from spinedsl.training.config import read_config  # noqa: PLC0415  torch is only needed here
    from spinedsl.training.devices import LOOKING  # noqa: PLC0415
    from spinedsl.training.distributed import Group  # noqa: PLC0415
    from spinedsl.training.ready import ready  # noqa: PLC0415
    from spinedsl.training.setup import set_up  # noqa: PLC0415

    with phases() as say:
        say("looking at the images")
        outcome = read_config(options.file, changes).then(lambda config: set_up(config, None, None, None, Group()))
        say("looking at the weights")
        begun = outcome.then(lambda setup: ready(setup, LOOKING, fresh=True))
    if begun.diagnostics:
        say_mistakes(begun.diagnostics)
    if outcome.value is None or begun.value is None or not begun.ok:
        return 1
    setup, taken = outcome.value, begun.value.taken
    for line in taken.lines() if taken is not None else ():
        note(one_line(line))
    if options.format == "json":
        found = {"network": setup.network.program.name, "images": len(setup.train), "steps": setup.steps}
        print(json.dumps(found, indent=2))
    else:
        images, classes = f"{len(setup.train):,} images", f"{setup.classes:,} classes"
        summary(f"{setup.network.program.name} for {setup.task.kind}: {images} of {classes}, {setup.steps:,} steps")
    return 0


def _watchers() -> list[Watcher]:
    from spinedsl.training.progress import Bar, Watcher  # noqa: PLC0415  torch is only needed here

    class Voice(Watcher):
        """Notes and warnings, as all commands say them."""

        def notes(self, text: str) -> None:
            note(one_line(text))

        def warns(self, found: Any) -> None:
            say_diagnostics([found], sys.stderr)

        def validates(self, step: int, figures: Any) -> None:
            if figures and not sys.stderr.isatty():
                note(f"step {step}: " + ", ".join(f"{name} {value:.4f}" for name, value in figures.items()))

    return [Voice(), Bar()] if sys.stderr.isatty() and not MANNER.quiet else [Voice()]


def changes_of(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The settings that the command line says, by section."""
    changes = changes_given(options.change)
    given = {
        ("weights", "from", "weights"): options.weights and os.path.abspath(options.weights),  # noqa: PTH100
        ("weights", "key", "key"): options.key,
        ("weights", "prefix", "prefix"): options.prefix,
        ("weights", "freeze", "freeze"): options.freeze and [row.strip() for row in options.freeze.split(",")],
        ("weights", "freeze_norms", "freeze-norms"): options.freeze_norms or None,
        ("run", "device", "device"): options.device,
        ("run", "threads", "threads"): options.threads,
        ("run", "output", "folder"): options.folder and os.path.abspath(options.folder),  # noqa: PTH100
    }
    for (section, key, option), value in given.items():
        if value is not None and key in changes.setdefault(section, {}):
            raise UsageError(f"--change and --{option} both give {section}.{key}: give it once")
        if value is not None:
            changes[section][key] = value
    return changes


def changes_given(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What `--change` says, by section."""
    changes: dict[str, dict[str, Any]] = {}
    whole: set[tuple[str, ...]] = set()  # the keys that have values
    for text in texts:
        name, sign, value = text.partition("=")
        path = tuple(part.strip() for part in name.split("."))
        if not (sign and len(path) > 1 and all(path)):
            raise UsageError(f"--change takes SECTION.KEY=VALUE, as in run.epochs=5; got {text!r}")
        held: Any = changes
        for number, part in enumerate(path):
            if path[: number + 1] in whole:
                twice = "is given twice" if number == len(path) - 1 else "is given a value, and then a part of it"
                raise UsageError(f"--change: {'.'.join(path[: number + 1])} {twice}: {text!r}")
            if number < len(path) - 1:
                held = held.setdefault(part, {})
        if path[-1] in held:
            raise UsageError(f"--change: {'.'.join(path)} is given a value after a part of it: {text!r}")
        held[path[-1]] = _value(text, value.strip())
        whole.add(path)
    return changes


def _value(change: str, text: str) -> Any:
    """A value as a file says it; what is none there is a text."""
    from spinedsl.toml import read_toml  # noqa: PLC0415  few commands need it

    source = Source.from_text(f"value = {text}")
    document = read_toml(source).value
    if document is None:
        return text
    if document.value(("value",)).end != len(source.text):
        raise UsageError(f"--change takes one value, and something stands behind it; got {change!r}")
    found = document.values["value"]
    return found if _has_no_date(found) else text


def _has_no_date(value: Any) -> bool:
    """A value that a setting can have."""
    if isinstance(value, list | dict):
        return all(map(_has_no_date, value.values() if isinstance(value, dict) else value))
    return isinstance(value, bool | int | float | str)


def _refuse_others(options: argparse.Namespace) -> None:
    """See that what only prints is asked for alone.

    Raises:
        UsageError: something beside it would count for nothing.
    """
    own = {"presets", "settings", "format", "quiet", "run"}
    others = [name for name, value in vars(options).items() if name not in own and value not in (None, False, [])]
    if options.presets and options.settings:
        others.append("settings")
    if others:
        name = others[0].replace("_", "-")
        what = f"`{options.file}`" if name == "file" else f"--{name}"
        raise UsageError(
            f"{'--presets' if options.presets else '--settings'} prints a list, and {what} counts for nothing"
        )


def _for_programs(result: Result) -> dict[str, Any]:
    best = str(result.best) if result.best is not None else None
    return {
        "step": result.step, "figures": dict(result.figures), "best_figures": dict(result.best_figures),
        "last": str(result.last), "best": best,
    }  # fmt: skip


def _print_result(result: Result) -> None:
    shown = ", ".join(f"{name} {value:.4f}" for name, value in result.figures.items())
    better = {name: value for name, value in result.best_figures.items() if value != result.figures.get(name)}
    best = "".join(f"; the best {name} was {value:.4f}" for name, value in better.items())
    print(f"{result.step:,} steps" + (f": {shown}{best}" if shown else ""))
    print(f"{one_line(result.best or result.last)}")


def _print_known(options: argparse.Namespace) -> None:
    from spinedsl.data import augment  # noqa: PLC0415  torch is only needed here
    from spinedsl.data import section as data  # noqa: PLC0415  torch is only needed here
    from spinedsl.settings import to_toml  # noqa: PLC0415
    from spinedsl.training.presets import PRESETS  # noqa: PLC0415
    from spinedsl.training.table import CONFIG  # noqa: PLC0415

    tables = {**CONFIG.tables, "data": data.TABLE, "data.preprocessing": data.TABLE.tables["preprocessing"]}
    inner = {"data.augment": augment.about()}
    if options.presets and options.format == "json":
        print(
            json.dumps({name: {"about": one.about, "settings": one.values} for name, one in PRESETS.items()}, indent=2)
        )
    elif options.presets:
        for name, preset in PRESETS.items():
            print(f'preset = "{name}"   # {preset.about}')
            print("".join(f"# not among the settings: {text}\n" for text in preset.notes), end="")
            print(to_toml(preset.values))
    elif options.format == "json":
        known = {section: {s.name: s.about for s in table.settings} for section, table in tables.items()}
        print(json.dumps(known | inner, indent=2))
    else:
        print("".join(f"{setting.name}: {setting.about} ({setting.expected})\n" for setting in CONFIG.settings))
        for section, table in tables.items():
            print(f"[{section}]")
            for setting in table.settings:
                usual = "" if setting.default in (None, [], {}) else f"; {json.dumps(setting.default)} if not given"
                print(f"  {setting.name}: {setting.about} ({setting.expected}{usual})")
            print()
        for section, words in inner.items():
            print(f"[{section}]")
            print("".join(f"  {name}: {about}\n" for name, about in words.items()))
