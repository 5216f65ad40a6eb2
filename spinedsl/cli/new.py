"""Start a file: a small network that compiles, to change into your own."""

from __future__ import annotations

import argparse
import keyword
import re
import sys
from pathlib import Path

from spinedsl.cli.options import force_argument
from spinedsl.cli.output import refused, write_whole
from spinedsl.cli.terminal import say_diagnostics
from spinedsl.cli.voice import UsageError, summary
from spinedsl.diagnostics.plain import one_line

EXAMPLES = """\
examples:
  spine new mynet.spine
  spine new backbone.spine --name TinySpine
"""
TEMPLATE = Path(__file__).with_name("new.spine")
PLACEHOLDER = "NewNetwork"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("file", metavar="FILE", help="the file to write")
    parser.add_argument("--name", metavar="NAME", help="name of the network, instead of one made from the file's")
    force_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Write the file; over another only if that is wanted."""
    path = Path(options.file)
    if not options.file:
        raise UsageError("the name of the file to write is empty")
    if path.is_dir():
        raise UsageError(f"`{options.file}` is a folder: name the file to write, as in `{path / 'net.spine'}`")
    if path.suffix != ".spine":
        raise UsageError(f"`{options.file}` does not end in .spine; did you mean `{options.file}.spine`?")
    if path.exists() and not options.force:
        raise UsageError(f"`{options.file}` is there already: choose another name, or --force replaces it")
    if refused(options.file, "law", force=options.force):
        return 1
    name = options.name if options.name is not None else name_from(path.stem)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or keyword.iskeyword(name):
        raise UsageError(f"{name!r} cannot name a network: a letter, then letters, digits and _")
    text = TEMPLATE.read_text(encoding="utf-8").replace(PLACEHOLDER, name)
    if (problem := write_whole(path, text.encode())) is not None:
        say_diagnostics([problem], sys.stderr)
        return 1
    file = one_line(options.file)
    summary(f"{file}: network {name}\n\nnext:  spine check {file}\n       spine show {file}")
    return 0


def name_from(stem: str) -> str:
    """`my-net` becomes `MyNet`."""
    words = re.findall(r"[A-Za-z0-9]+", stem)
    name = "".join(word[0].upper() + word[1:] for word in words)
    return name if name[:1].isalpha() else f"Network{name}"
