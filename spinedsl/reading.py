"""Reading: from a path to a `Source`, and from a `Source` to a `Unit`, with all the files that it imports.

The only place of the compiler that touches the disk; nothing here writes. Each file is read once, and why one cannot be
read is reported where it is named: by the command, or by the import.
"""

from __future__ import annotations

import os
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Outcome, nearest, nearest_file
from spinedsl.ir.library import Unit
from spinedsl.ir.resolve import resolve
from spinedsl.prelude import modules, path_of
from spinedsl.record import Record, field
from spinedsl.source import Archive, Source
from spinedsl.syntax import tree
from spinedsl.syntax.parse import parse

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 10_000_000
MAX_IMPORTS = 200


# ---- files to sources ----


def read(path: str | Path, name: str | None = None, archive: Archive | None = None) -> Outcome[Source]:
    """A file as a source, or why it cannot be read; from the disk, or out of an archive."""
    shown = legible(name if name is not None else str(path))
    nowhere = Source(shown, "").span(0, 0)
    try:
        if archive is not None:
            return read_bytes(BytesIO(archive.read(str(path))), shown, str(path), archive)
        with open(path, "rb") as file:
            return read_bytes(file, shown, os.path.realpath(path))
    except OSError as error:
        return Outcome(None, (say.CANNOT_READ.at(nowhere, path=shown, reason=reason_of(error)),))
    except ValueError:  # a null character, or half of one
        return Outcome(None, (say.CANNOT_READ.at(nowhere, path=shown, reason="no file can have this name"),))


def expanded(path: str) -> str:
    """A path with the home folder in the place of `~`; as it is where it only begins with one, as in `~mine`."""
    return os.path.expanduser(path)


def legible(name: str) -> str:
    """The name of a file as every encoding can write it: bytes in it that are no UTF-8 stand there as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def read_bytes(file: BinaryIO, name: str, origin: str = "", archive: Archive | None = None) -> Outcome[Source]:
    """All that an open file, or standard input, holds, as a source; or why it cannot be one."""
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        reason = f"more than {MAX_BYTES} bytes"
        return Outcome(None, (say.CANNOT_READ.at(Source(name, "").span(0, 0), path=name, reason=reason),))
    return decode(data, name, origin, archive)


def decode(data: bytes, name: str, origin: str = "", archive: Archive | None = None) -> Outcome[Source]:
    """Bytes as a source, or where they stop being UTF-8."""
    try:
        return Outcome(Source.from_text(data.decode("utf-8"), name, origin, archive))
    except UnicodeDecodeError as error:
        if kind := _no_text(data):
            nowhere = Source(name, "", origin).span(0, 0)
            return Outcome(None, (say.CANNOT_READ.at(nowhere, path=name, reason=f"it is no text, {kind}"),))
        source = Source.from_text(data[: error.start].decode("utf-8", "replace"), name, origin)
        end = len(source.text)
        place = source.span(max(end - 1, 0), end)
        found = say.NOT_UTF8.at(place, byte=f"0x{data[error.start]:02x}", offset=error.start)
        return Outcome(None, (found.repaired(),))


def _no_text(data: bytes) -> str:
    """What bytes that are no UTF-8 are instead, in words; nothing of a text in another encoding."""
    head = data[:4096]
    if b"\0" not in head or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ""
    from spinedsl.contents import seems  # noqa: PLC0415  only who is refused asks

    found = seems(head)
    return f"but seems to be {found}" if found else "but numbers of some kind"


def reason_of(error: OSError) -> str:
    """Why the system refuses a file, in a few words."""
    reason = error.strerror or type(error).__name__
    return reason[:1].lower() + reason[1:]


# ---- sources to units ----


@cache
def prelude(module: str) -> Outcome[Unit]:
    """A unit of the standard prelude, read once. Its definitions are checked by the tests, and not by every run."""
    return read(path_of(module), f"std/{module}.spine").then(lambda source: Loader(trusted=True).unit(source))


class Loader(Record, frozen=False):
    """Resolves a file after the files that it imports; each file once, circles reported at the import that closes them.

    `guesses` is as `parse` takes it. `units` are those of files that were read before, by their paths.
    """

    trusted: bool = False
    guesses: int | None = None
    folder: Path | None = None
    open_files: list[str] = field(default_factory=list)
    units: dict[str, Unit | None] = field(default_factory=dict)

    def unit(self, source: Source) -> Outcome[Unit]:
        """The unit of a file and of all that it imports."""
        parsed = parse(source, self.guesses)
        file = parsed.value
        assert file is not None
        self.open_files.append(source.origin)
        reported: list[Diagnostic] = list(parsed.diagnostics)
        imports: list[tuple[tree.Import, Unit | None]] = []
        for import_ in file.imports:
            outcome = self.imported(import_, source)
            reported += outcome.diagnostics
            imports.append((import_, outcome.value))
        self.open_files.pop()
        resolved = resolve(file, imports, trusted=self.trusted)
        return Outcome(resolved.value, (*reported, *resolved.diagnostics))

    def imported(self, import_: tree.Import, source: Source) -> Outcome[Unit]:
        if isinstance(import_.path, tuple):
            return self.imported_prelude(import_, import_.path)
        if not source.origin:
            return _not_found(import_, import_.path, "a text without a file has no folder to import from")
        return self.imported_file(import_, import_.path, source)

    def imported_file(self, import_: tree.Import, path: str, source: Source) -> Outcome[Unit]:
        """The unit of `import "PATH"`: the path is inside the project's folder, and the file is read once."""
        from pathlib import Path  # noqa: PLC0415  few files import others, and `pathlib` takes long to import

        from spinedsl.places import is_endless, project_folder, shown  # noqa: PLC0415

        if self.folder is None:
            self.folder = project_folder(Path(self.open_files[0]))
        target = (Path(source.origin).parent / path).resolve()
        if Path(path).is_absolute() or "\\" in path or not target.is_relative_to(self.folder):
            found = say.IMPORT_OUTSIDE.at(import_.span, path=path, folder=f"`{self.folder.name}`")
            return Outcome(None, (found.repaired(),))
        key = str(target)
        if key in self.open_files:
            circle = [*self.open_files[self.open_files.index(key) :], key]
            way = " -> ".join(f"`{Path(step).name}`" for step in circle)
            found = say.IMPORT_CYCLE.at(import_.span, way=way)
            return Outcome(None, (found.repaired(),))
        if key in self.units:
            return Outcome(self.units[key])
        if len(self.units) >= MAX_IMPORTS:
            return Outcome(None, (say.TOO_MANY.at(import_.span, what="imported files", limit=MAX_IMPORTS, got="more"),))
        archive = source.archive
        if archive is None and is_endless(target):
            return _not_found(import_, path, "what has this name is no file")
        name = shown(Path(source.name).parent / path) if archive is None else archive.name(target)
        text = read(target, name, archive)
        if text.value is None:
            if text.diagnostics[0].code is say.CANNOT_READ:
                there = archive is None and target.parent.is_dir()
                others = [other.name for other in target.parent.glob("*.spine")] if there else []
                near = nearest_file(target.name, others)
                found = _not_found(import_, path, "no such file beside this one").diagnostics[0]
                fix = str(Path(path).with_name(near)) if near else None
                hint = f'did you mean "{fix}"?' if fix else "give the path as it is from the folder of this file"
                return Outcome(None, (found.with_fix(hint),))
            return Outcome(None, text.diagnostics)
        outcome = text.then(self.unit)
        self.units[key] = outcome.value
        return outcome

    def imported_prelude(self, import_: tree.Import, path: tuple[str, ...]) -> Outcome[Unit]:
        dotted = ".".join(path)
        known = [f"std.{module}" for module in modules()]
        if dotted in known:
            return prelude(path[1])
        found = _not_found(import_, dotted, "the prelude has " + ", ".join(known)).diagnostics[0]
        near = nearest(dotted, known)
        if near is not None:
            start = import_.span.end - len(dotted)
            found = found.with_fix(
                f"did you mean `{near}`?", Edit(import_.span.source.span(start, import_.span.end), near)
            )
        return Outcome(None, (found,))


def _not_found(import_: tree.Import, path: str, where: str) -> Outcome[Unit]:
    return Outcome(None, (say.IMPORT_NOT_FOUND.at(import_.span, path=path, where=where),))
