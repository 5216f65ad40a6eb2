"""The whole compiler in one page: from a source to files, stage by stage.

    Source --parse--> File --resolve--> Unit, Network --elaborate--> TypedNetwork --check--> CheckedNetwork
           --lower--> Program --emit--> bytes

Up to the checks the stages run here, for every network of a file; `api` lowers and emits the one that is asked for.
Reading the imports is the one thing here that touches the disk; nothing writes.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from spinedsl import checks as say
from spinedsl.brief import counted, listed, short_path
from spinedsl.checks import check as mistakes_of
from spinedsl.diagnostics import Diagnostic, Edit, Outcome, Severity, in_order, nearest
from spinedsl.ir.elaborate import Work, elaborate
from spinedsl.ir.library import Unit
from spinedsl.ir.networks import Network
from spinedsl.ir.resolve import resolve, resolve_networks
from spinedsl.ir.typed import CheckedNetwork, InputSize, TypedNetwork
from spinedsl.ir.unchanged import unchanged
from spinedsl.prelude import modules, path_of
from spinedsl.record import Record, field
from spinedsl.source import Archive, Source, Span
from spinedsl.syntax import tree
from spinedsl.syntax.parse import parse

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 10_000_000
MAX_IMPORTS = 200
MAX_LOOKED = 100  # errors that are looked at for what an edit stands in the way of
FEW_GUESSES = 2_000  # tokens that are read to find strays in a text that is read again after a repair


# ---- reading ----


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
        source = Source.from_text(data[: error.start].decode("utf-8", "replace"), name, origin)
        end = len(source.text)
        place = source.span(max(end - 1, 0), end)
        found = say.NOT_UTF8.at(place, byte=f"0x{data[error.start]:02x}", offset=error.start)
        return Outcome(None, (found.repaired(),))


def reason_of(error: OSError) -> str:
    """Why the system refuses a file, in a few words."""
    reason = error.strerror or type(error).__name__
    return reason[:1].lower() + reason[1:]


# ---- files to units ----


@cache
def prelude(module: str) -> Outcome[Unit]:
    """A unit of the standard prelude, read once. Its definitions are checked by the tests, and not by every run."""
    return read(path_of(module), f"std/{module}.spine").then(lambda source: _Loader(trusted=True).unit(source))


class _Loader(Record, frozen=False):
    """Resolves a file after the files that it imports; each file once, circles said at the import that closes them."""

    trusted: bool = False
    guesses: int | None = None  # as `parse` takes it
    folder: Path | None = None
    open_files: list[str] = field(default_factory=list)
    units: dict[str, Unit | None] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def unit(self, source: Source) -> Outcome[Unit]:
        """The unit of a file and of all that it imports."""
        parsed = parse(source, self.guesses)
        file = parsed.value
        assert file is not None
        self.open_files.append(source.origin)
        said: list[Diagnostic] = list(parsed.diagnostics)
        imports: list[tuple[tree.Import, Unit | None]] = []
        for import_ in file.imports:
            outcome = self.imported(import_, source)
            said += outcome.diagnostics
            imports.append((import_, outcome.value))
        self.open_files.pop()
        resolved = resolve(file, imports, trusted=self.trusted)
        return Outcome(resolved.value, (*said, *resolved.diagnostics))

    def imported(self, import_: tree.Import, source: Source) -> Outcome[Unit]:
        if isinstance(import_.path, tuple):
            return self.imported_prelude(import_, import_.path)
        if not source.origin:
            return _not_found(import_, import_.path, "a text without a file has no folder to import from")
        return self.imported_file(import_, import_.path, source)

    def imported_file(self, import_: tree.Import, path: str, source: Source) -> Outcome[Unit]:
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
                near = nearest(target.name, others)
                found = _not_found(import_, path, "no such file beside this one").diagnostics[0]
                fix = str(Path(path).with_name(near)) if near else None
                said = f'did you mean "{fix}"?' if fix else "give the path as it is from the folder of this file"
                return Outcome(None, (found.with_fix(said),))
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


# ---- the stages ----


class Analysis(Record, eq=False):
    """A file after all its checks: what it defines, and every network that could be checked."""

    source: Source
    unit: Unit
    networks: Mapping[str, Network]
    checked: Mapping[str, CheckedNetwork]

    def __brief__(self) -> str:
        found = f"{counted(len(self.networks), 'network')} in {short_path(self.source.name, 50)}"
        return f"of {found}: {listed(self.networks, len(self.networks))}" if self.networks else f"of {found}"


def analyse(source: Source, size: InputSize | None = None, only: str | None = None) -> Outcome[Analysis]:
    """Check every network of a file (or `only` one), and say everything that is wrong, in the order of the text."""
    with without_collection():
        loader = _Loader()
        outcome, work = _analyse(source, size, only, loader)
        # What is wrong with an import is said once, when it is read: a text read again would know nothing of it.
        apart = any(found.span.source is not source or _of_an_import(found) for found in outcome.diagnostics)
        if not apart and any(fix.edits for found in outcome.diagnostics for fix in found.fixes):
            return _proven(source, outcome, lambda text: _again(text, size, only, loader, work))
        return outcome


def _of_an_import(found: Diagnostic) -> bool:
    return found.code in (say.IMPORT_CYCLE, say.IMPORT_OUTSIDE, say.CANNOT_READ, say.NOT_UTF8)


def _proven(
    source: Source, outcome: Outcome[Analysis], again: Callable[[Source], Sequence[Diagnostic] | None]
) -> Outcome[Analysis]:
    from spinedsl.diagnostics.repairs import proven  # noqa: PLC0415  a clean file has nothing to repair

    return Outcome(outcome.value, proven(source, outcome.diagnostics, again))


def _again(
    source: Source, size: InputSize | None, only: str | None, loader: _Loader, work: Work
) -> Sequence[Diagnostic] | None:
    """What is said of a text after a repair: its imports are read already, and the work is that of one file."""
    again = _Loader(guesses=FEW_GUESSES, folder=loader.folder, units=dict(loader.units))
    outcome, _ = _analyse(source, size, only, again, work)
    return outcome.diagnostics if work.left >= 0 else None


@contextmanager
def without_collection() -> Iterator[None]:
    """Pause Python's search for garbage in circles.

    Trees and types are kept anyway, and it would go over all of them again and again: the time would grow faster than
    the file.
    """
    paused = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


def _analyse(
    source: Source, size: InputSize | None, only: str | None, loader: _Loader, work: Work | None = None
) -> tuple[Outcome[Analysis], Work]:
    loaded = loader.unit(source)
    unit = loaded.value
    assert unit is not None
    resolved = resolve_networks(unit)
    networks = resolved.value or {}
    said = [*loaded.diagnostics, *resolved.diagnostics]
    sound = loaded.ok and resolved.ok
    checked: dict[str, CheckedNetwork] = {}
    bases = _imported_bases(networks)
    read = {source, *(base.declared.span.source for base in bases)}
    # For all networks together: an answer comes soon, whatever is read.
    work = work or Work(sum(len(part.text) for part in read))
    typed: dict[Network, TypedNetwork] = {}
    if only is None:
        for base in bases:  # what is wrong with one by itself is said in its own file, not of what is made of it
            outcome = elaborate(base, None, work).then(check)
            said += _said_of(base, outcome.diagnostics)
            if outcome.value is not None and outcome.ok and size is None:
                typed[base] = outcome.value.typed
    for name, network in networks.items():
        if only is not None and name != only:
            continue
        if work.left < 0:
            break
        outcome = elaborate(network, size, work).then(check)
        said += _said_of(network, outcome.diagnostics)
        if outcome.value is not None and sound and outcome.ok and not needs_arguments(network):
            checked[name] = _complete(outcome.value)
            typed[network] = outcome.value.typed
    said += _unchanged(source, typed, said)
    return Outcome(Analysis(source, unit, networks, checked), in_order(_said_once(said))), work


def _said_once(said: list[Diagnostic]) -> list[Diagnostic]:
    """The same; of an edit that stands in the way of another one it is not said too that it changes nothing."""
    if not any(found.code.id == "W0703" for found in said):
        return said
    code = say.EDIT_WITHOUT_EFFECT
    wrong = [found for found in said if found.severity is Severity.ERROR][:MAX_LOOKED]
    places = [span for found in wrong for span in (found.span, *(label.span for label in found.others))]

    def stands_in_the_way(span: Span) -> bool:
        return any(it.source is span.source and it.start <= span.start and span.end <= it.end for it in places)

    return [found for found in said if found.code is not code or not stands_in_the_way(found.span)]


def _unchanged(
    source: Source, typed: Mapping[Network, TypedNetwork], said: Sequence[Diagnostic]
) -> Iterator[Diagnostic]:
    """Instances that are the same as what they are made of, where no edit was said to change nothing.

    One that others are made of may prepare something for them.
    """
    bases = {network.base for network in typed}
    for network, own in typed.items():
        instance, base = network.instance, typed.get(network.base) if network.base is not None else None
        if instance is None or base is None or network in bases or instance.span.source is not source:
            continue
        allowed = {allow.code.text for allow in network.allowed}
        for found in unchanged(own, base):
            before = (one for one in said if one.code is found.code and instance.edited_at(one.span))
            if found.code.id not in allowed and not any(before):
                yield found


def check(typed: TypedNetwork) -> Outcome[CheckedNetwork]:
    """Every rule of `checks/networks` on one network."""
    return Outcome(CheckedNetwork(typed), tuple(mistakes_of(typed)))


def _complete(checked: CheckedNetwork) -> CheckedNetwork:
    """The same: nothing of it is unknown. If something is, a mistake was missed, which is a fault of ours."""
    unknown = [row.name for row in checked.typed.rows.values() if row.type is None and not row.parts]
    if unknown:
        raise AssertionError(f"row {unknown[0]} is not known, and nothing was said of it")
    return checked


def _said_of(network: Network, found: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
    """What was found in a network; in one that edits made, what of it they are to blame for."""
    if not found:
        return ()
    from spinedsl.ir.edits import blame  # noqa: PLC0415  a clean file has nothing to blame on anyone

    return blame(network, found)


def _imported_bases(networks: Mapping[str, Network]) -> list[Network]:
    """The networks of other files that these are made of."""
    own = set(networks.values())
    bases = dict.fromkeys(network.base for network in networks.values() if network.base is not None)
    return [base for base in bases if base not in own]


def needs_arguments(network: Network) -> bool:
    """The network has a parameter without a value: only its instances can be compiled."""
    return network.instance is None and any(p.default is None for p in network.declared.parameters)


def networks_of(source: Source) -> Outcome[dict[str, Network]]:
    """The networks of a file by name, before any of them is elaborated."""
    return _Loader().unit(source).then(resolve_networks)


def choose_network(networks: Mapping[str, Network], name: str | None) -> str | tuple[str, ...]:
    """The network asked for, or the only one there is; else the names to choose from."""
    known = tuple(known for known, network in networks.items() if not needs_arguments(network))
    if name is not None:
        return name if name in known else known
    return known[0] if len(known) == 1 else known
