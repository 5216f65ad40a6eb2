"""Print a page of the documentation: the language reference, the tutorial, weights, and the others."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from functools import cache
from pathlib import Path

from spinedsl.cli.voice import UsageError, note
from spinedsl.diagnostics import nearest, one_of

EXAMPLES = """\
examples:
  spine docs                     what pages there are
  spine docs language            the language reference
  spine docs weights | less
"""
PACKAGE = Path(__file__).resolve().parent.parent
PLACES = (PACKAGE.parent / "docs", PACKAGE / "_docs")  # a checkout's own go first


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("page", metavar="PAGE", nargs="?", help="which page; without one, all are listed")


def run(options: argparse.Namespace) -> int:
    """Print the page, in Markdown, or the list."""
    if options.page is None:
        width = max(map(len, pages()))
        print("\n".join(f"{name:{width}}  {_title(text)}" for name, text in pages().items()))
        note("`spine docs PAGE` prints one")
        return 0
    text = pages()[_known(options.page)]
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), end="")
    return 0


@cache
def pages() -> dict[str, str]:
    """Texts by the names of their files, in order.

    Raises:
        FileNotFoundError: the installation lacks them.
    """
    place = next((place for place in PLACES if (place / "language.md").is_file()), None)
    if place is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(PLACES[-1]))
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(place.glob("*.md"))}


def _known(page: str) -> str:
    """The page as its file is named."""
    wanted = page.lower().removeprefix("docs/").removesuffix(".md")
    if wanted in pages():
        return wanted
    near = nearest(wanted, pages())
    hint = f"did you mean `{near}`?" if near else f"there are {one_of(list(pages()), conjunction='and', limit=30)}"
    raise UsageError(f"there is no page `{page}`; {hint}")


def _title(text: str) -> str:
    return text.partition("\n")[0].removeprefix("# ")
