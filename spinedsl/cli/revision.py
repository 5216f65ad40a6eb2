"""Networks as the commands that compare name them: a file, one of a git revision, and perhaps which network of it.

`net.spine`, `net.spine:SpineNet49`, `HEAD~1:net.spine`, `v1.0:nets/net.spine:SpineNet49`, `-`. A revision is spelled as
git does: a path after the colon counts from the top of the repository, from here with `./`. It is asked for what it
holds and for where it is; nothing in it is run or written, and nothing goes through a shell.
"""

from __future__ import annotations

import errno
import os
import re
import subprocess
from pathlib import Path

from spinedsl import driver
from spinedsl.cli.terminal import read_source
from spinedsl.cli.voice import UsageError
from spinedsl.diagnostics import Outcome
from spinedsl.record import Record
from spinedsl.source import Source

_BLOB = re.compile(rb"[0-9a-f]+ (\w+) (\d+)\n")


class Named(Record):
    """What a command line names: a text, which is read once, and perhaps a network in it."""

    text: str
    network: str | None


def named(argument: str) -> Named:
    """An argument taken apart. What is a file is a file, whatever its name looks like."""
    if argument == "-" or Path(argument).is_file():
        return Named(argument, None)
    before, found, network = argument.rpartition(".spine:")
    return Named(f"{before}.spine", network) if found and network.isidentifier() else Named(argument, None)


def read(text: str) -> Outcome[Source]:
    """A file, or one of a revision."""
    if text == "-" or Path(text).is_file():
        return read_source(text)
    revision, path = _apart(text)
    if path is None:
        return read_source(text)  # which says that there is no such file
    return _from_git(revision, path, text)


def _apart(text: str) -> tuple[str, str | None]:
    """Revision and path; a colon in braces belongs to the revision, and so does a stage's number: `:2:net.spine`."""
    staged = re.match(r":[0-3]:", text)
    start = staged.end() - 1 if staged else 0
    depth = 0
    for at, character in enumerate(text[start:], start):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == ":" and not depth:
            return text[:at], text[at + 1 :]
    return text, None


def _from_git(revision: str, path: str, text: str) -> Outcome[Source]:
    top = _where()
    here = Path.cwd() if path.startswith(("./", "../")) or path in (".", "..") else top
    full = Path(os.path.normpath(here / path))
    archive = _Revision(top, revision)
    found = driver.read(full, text, archive)
    if found.value is None and here is top and (Path.cwd() / path).is_file():
        beside = Path(os.path.relpath(Path.cwd() / path, top)).as_posix()
        if beside != path:
            return Outcome(
                None, tuple(one.with_fix(f"did you mean `{revision}:./{path}`?") for one in found.diagnostics)
            )
    return found


class _Revision:
    """The files of a revision: a `source.Archive`. Paths are those of the working tree."""

    def __init__(self, top: Path, revision: str) -> None:
        self.top, self.revision = top, revision

    def name(self, path: Path) -> str:
        """As git spells it."""
        return f"{self.revision}:{path.relative_to(self.top).as_posix()}"

    def read(self, path: str) -> bytes:
        """The file's bytes; a symbolic link in the repository is followed."""
        if not Path(path).is_relative_to(self.top):
            raise OSError(errno.ENOENT, "outside the repository")
        wanted = self.name(Path(path))
        if "\n" in wanted:
            raise OSError(errno.EINVAL, "git cannot be asked for a name with a line break")
        answer = _git("cat-file", "--batch", "--follow-symlinks", ask=f"{wanted}\n".encode(), where=self.top)
        found = _BLOB.match(answer)
        if found is None:
            raise OSError(errno.ENOENT, self.why_not())
        if found[1] != b"blob":
            raise OSError(errno.EISDIR, "this is no file")
        return answer[found.end() : found.end() + int(found[2])]

    def why_not(self) -> str:
        """What there is not: the revision, or the file in it."""
        if self.revision in ("", ":0", ":1", ":2", ":3"):
            return "no such file in git's index"
        known = _git("cat-file", "--batch-check", ask=f"{self.revision}^{{tree}}\n".encode(), where=self.top)
        if _BLOB.match(known) is None:
            return f"git knows no revision `{self.revision}`"
        return f"no such file in revision `{self.revision}`"


def _where() -> Path:
    """The top of the repository that this folder is in; of one without a working tree, its own folder."""
    try:
        return Path(_git("rev-parse", "--show-toplevel").decode().rstrip("\n"))
    except UsageError:
        if _git("rev-parse", "--is-bare-repository").strip() == b"true":
            return Path(_git("rev-parse", "--absolute-git-dir").decode().rstrip("\n"))
        raise


def _git(*arguments: str, ask: bytes = b"", where: Path | None = None) -> bytes:
    """What git answers.

    Raises:
        UsageError: there is no git, or it refuses, as where there is no repository.
    """
    try:
        done = subprocess.run(  # noqa: S603  a fixed command; what the user wrote goes in as text
            ["git", *arguments],  # noqa: S607  the git that the user uses
            input=ask, cwd=where, capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise UsageError("REVISION:FILE needs git, which is not installed") from None
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(f"git: {reason[0].removeprefix('fatal: ') if reason else 'it failed'}")
    return done.stdout
