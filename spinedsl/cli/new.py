"""Start a file: a small network that compiles, to change into your own, or one of the examples."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path

from spinedsl.brief import counted
from spinedsl.cli.examples import ALL, ENDINGS, FOLDER, GETTER, examples, files_of, folder_of, names
from spinedsl.cli.options import force_argument
from spinedsl.cli.output import cannot, refused, write_whole
from spinedsl.cli.terminal import say_diagnostics
from spinedsl.cli.voice import UsageError, note, summary
from spinedsl.diagnostics import Diagnostic
from spinedsl.diagnostics.plain import one_line
from spinedsl.driver import analyse
from spinedsl.reading import reason_of
from spinedsl.source import Source

EXAMPLES = """\
examples:
  spine new mynet.spine
  spine new backbone.spine --name TinySpine
  spine new --list
  spine new --example spinenet
  spine new mine.spine --example tutorial/5_own_block
  spine new --example fashion_mnist                          a folder: networks, and how they are trained
  spine new --example all
"""
TEMPLATE = Path(__file__).with_name("new.spine")
PLACEHOLDER = "NewNetwork"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument(
        "file", metavar="FILE", nargs="?",
        help="the file to write; of an example, its own name without this, and of all, the folder",
    )  # fmt: skip
    parser.add_argument("--name", metavar="NAME", help="name of the network, instead of one made from the file's")
    parser.add_argument(
        "--example", metavar="NAME", help=f"write an example and what it imports; `{ALL}` writes all of them"
    )
    parser.add_argument("--list", action="store_true", help="list the examples")
    force_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Write the file, or those of examples; over others only if that is wanted."""
    if options.list:
        return _list(options)
    if options.example is not None:
        return _write(options)
    if options.file is None:
        raise UsageError("FILE is missing: `spine new net.spine`, or an example: `spine new --list` lists them")
    path = Path(options.file)
    _see_name(options.file)
    if path.exists() and not options.force:
        raise UsageError(f"`{options.file}` is there already: choose another name, or --force replaces it")
    if refused(options.file, "law", force=options.force):
        return 1
    name = options.name if options.name is not None else name_from(path.stem)
    text = _named(name, options.file)
    if (problem := write_whole(path, text.encode())) is not None:
        say_diagnostics([problem], sys.stderr)
        return 1
    file = one_line(options.file)
    typed = shlex.quote(file)
    summary(f"{file}: network {name}\n\nnext:  spine check {typed}\n       spine show {typed}")
    return 0


def _named(name: str, file: str) -> str:
    """The text of a new file, whose network has a name that the check takes."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise UsageError(f"{name!r} cannot name a network: a letter, then letters, digits and _")
    text = TEMPLATE.read_text(encoding="utf-8").replace(PLACEHOLDER, name)
    checked = analyse(Source.from_text(text, file))
    if not checked.ok:
        raise UsageError(f"{name!r} cannot name a network: {checked.diagnostics[0].message}")
    return text


def _see_name(file: str) -> None:
    """The name of a file that is written."""
    if not file:
        raise UsageError("the name of the file to write is empty")
    path = Path(file)
    if path.is_dir():
        raise UsageError(f"`{file}` is a folder: name the file to write, as in `{path / 'net.spine'}`")
    if path.suffix != ".spine":
        raise UsageError(f"`{file}` does not end in .spine; did you mean `{file}.spine`?")


def name_from(stem: str) -> str:
    """`my-net` becomes `MyNet`."""
    words = re.findall(r"[A-Za-z0-9]+", stem)
    name = "".join(word[0].upper() + word[1:] for word in words)
    return name if name[:1].isalpha() else f"Network{name}"


# ---- examples ----


def _list(options: argparse.Namespace) -> int:
    """Print what there is; nothing else is read."""
    if options.file is not None and options.example is None:
        raise UsageError(f"--list only lists them; did you mean `--example {options.file}`?")
    given = {"FILE": options.file, "--name": options.name, "--example": options.example, "--force": options.force}
    if others := [name for name, value in given.items() if value not in (None, False)]:
        raise UsageError(f"--list only lists them: leave out {' and '.join(others)}")
    width = max(map(len, names()))
    print("\n".join(f"{name:{width}}  {about}" for name, about in names().items()))
    note(f"`spine new --example NAME` writes one, `spine new --example {ALL}` the folder {FOLDER}/")
    return 0


def _write(options: argparse.Namespace) -> int:
    """Write an example or all of them: what is not there yet, and nothing where a file is there that says otherwise."""
    files = _chosen(options)
    several = options.example == ALL or bool(folder_of(options.example))
    missing = {path: data for path, data in files.items() if not _holds(path, data)}
    for path in missing:
        if path.exists() and not options.force:
            raise UsageError(f"`{path}` is there already, and is not the example: move it, or --force replaces it")
    for path, data in missing.items():
        if several and (problem := _make_folder(path)) is not None:
            say_diagnostics([problem], sys.stderr)
            return 1
        if path.name.endswith(ENDINGS) and refused(str(path), "law", force=True):
            return 1
        if (problem := write_whole(path, data)) is not None:
            say_diagnostics([problem], sys.stderr)
            return 1
    if options.example == ALL:
        target = one_line(options.file or FOLDER)
        kept = len(files) - len(missing)
        summary(f"{target}/: {counted(len(missing), 'file')} written" + (f", {kept} there before" if kept else ""))
    else:
        target = one_line(next(iter(files)))
        for path in files:
            summary(f"{one_line(path)}: {'written' if path in missing else 'there before'}")
    summary(f"\nnext:  {_next(options, target)}")
    return 0


def _next(options: argparse.Namespace, target: str) -> str:
    """What to run after it."""
    within = folder_of(options.example)
    if not within:
        return f"spine check {shlex.quote(target)}"
    name = next(path.partition("/")[0] for path in within if "/" in path)
    getter, config = (
        shlex.quote(one_line(str(Path(options.file or "", path)))) for path in (GETTER, f"{name}/permuted.toml")
    )
    return f"python {getter} {name}\n       spine train {config}"


def _chosen(options: argparse.Namespace) -> dict[Path, bytes]:
    """The files to write."""
    file = options.file
    if options.name is not None:
        raise UsageError("--name is for a new network: an example keeps its names")
    if options.example == ALL:
        if file is not None and (not file or file.endswith(".spine") or Path(file).is_file()):
            raise UsageError(f"`{file}` is no folder, where all examples go: `spine new {FOLDER} --example {ALL}`")
        return {Path(file or FOLDER, name): text.encode() for name, text in examples().items()}
    if within := folder_of(options.example):
        if file is not None and (not file or file.endswith(".spine") or Path(file).is_file()):
            raise UsageError(f"`{file}` is no folder: {options.example} is one, and goes into the one that is named")
        return {Path(file or "", name): text.encode() for name, text in within.items()}
    (first, text), *others = files_of(options.example).items()
    if file is not None:
        _see_name(file)
    path = Path(file or first)
    if path.name in (name for name, _ in others):
        raise UsageError(f"`{path}` is the name of a file that the example imports: choose another one")
    return {path: text.encode(), **{path.with_name(name): text.encode() for name, text in others}}


def _make_folder(path: Path) -> Diagnostic | None:
    """Make the folder of a file, or say why that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return cannot(path, reason_of(error))
    return None


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False
