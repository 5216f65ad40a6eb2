"""From a source to an `Analysis`: a file with all that it imports, and every network of it checked.

    Source --load--> Loaded --analyse--> Analysis

`load` parses and resolves; `analyse` elaborates and checks each network, and reports every mistake once, in the
order of the text. What of it edits and instances are to blame for, and whether a repair holds, is found here too.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from spinedsl import checks as say
from spinedsl.brief import counted, listed, short_path
from spinedsl.checks import check as mistakes_of
from spinedsl.checks.switches import Switches
from spinedsl.diagnostics import Diagnostic, Outcome, Severity, in_order
from spinedsl.ir.elaborate import Work, elaborate
from spinedsl.ir.library import Unit
from spinedsl.ir.networks import Network
from spinedsl.ir.resolve import resolve_networks
from spinedsl.ir.typed import CheckedNetwork, InputSize, TypedNetwork
from spinedsl.ir.unchanged import unchanged
from spinedsl.reading import Loader
from spinedsl.record import Record, field
from spinedsl.source import Source, Span
from spinedsl.syntax import tree

if TYPE_CHECKING:
    from spinedsl.spaces.model import Space

USUAL = Switches()  # every lint as it is by default
MAX_LOOKED = 100  # errors that are looked at for what an edit stands in the way of
FEW_GUESSES = 2_000  # tokens that are read to find strays in a text that is read again after a repair


class Loaded(Record, eq=False):
    """A file before any of its networks is elaborated: what it defines, and what was wrong up to here."""

    source: Source
    unit: Unit
    networks: Mapping[str, Network]
    diagnostics: tuple[Diagnostic, ...]
    ok: bool  # no error among them
    loader: Loader = field(repr=False)

    def __brief__(self) -> str:
        return _brief(self.source, self.networks)


def load(file: Source | Loaded, loader: Loader | None = None) -> Loaded:
    """A file parsed and resolved, after all that it imports. What was loaded before is returned as it is."""
    if isinstance(file, Loaded):
        return file
    loader = loader or Loader()
    with without_collection():
        unit = loader.unit(file)  # parse and resolve, this file after those that it imports
        networks = unit.then(resolve_networks)
    assert unit.value is not None
    return Loaded(file, unit.value, networks.value or {}, networks.diagnostics, networks.ok, loader)


def _brief(source: Source, networks: Mapping[str, Network]) -> str:
    found = f"{counted(len(networks), 'network')} in {short_path(source.name, 50)}"
    return f"of {found}: {listed(networks, len(networks))}" if networks else f"of {found}"


class Analysis(Record, eq=False):
    """A file after all its checks: what it defines, and every network that could be checked."""

    source: Source
    unit: Unit
    networks: Mapping[str, Network]
    checked: Mapping[str, CheckedNetwork]
    spaces: Mapping[str, Space] = field(default_factory=dict)

    def __brief__(self) -> str:
        return _brief(self.source, self.networks)


# ---- every network of a file ----


def analyse(
    file: Source | Loaded, size: InputSize | None = None, only: str | None = None, switches: Switches = USUAL
) -> Outcome[Analysis]:
    """Check every network of a file (or `only` one), and report every mistake, in the order of the text."""
    with without_collection():
        loaded = load(file)
        outcome, work = _analyse(loaded, size, only, switches)
        if any(fix.edits for found in outcome.diagnostics for fix in found.fixes):
            found = _proven(loaded, outcome.diagnostics, size, only, switches, work)
            outcome = Outcome(outcome.value, found)
        return Outcome(outcome.value, switches.applied(outcome.diagnostics))


def _of_an_import(found: Diagnostic) -> bool:
    return found.code in (say.IMPORT_CYCLE, say.IMPORT_OUTSIDE, say.CANNOT_READ, say.NOT_UTF8)


def _proven(
    loaded: Loaded,
    found: Sequence[Diagnostic],
    size: InputSize | None,
    only: str | None,
    switches: Switches,
    work: Work,
) -> tuple[Diagnostic, ...]:
    """The same, with the repairs that hold.

    What is wrong with an import is reported once, when it is read, and a text read again knows nothing of it: so
    repairs are tried where all mistakes are in one file. Where they are in several, imported ones go without.
    """
    from spinedsl.diagnostics.repairs import proven, without_edits  # noqa: PLC0415  a clean file has nothing to repair

    first, *others = dict.fromkeys(one.span.source for one in found)
    if any(_of_an_import(one) for one in found):
        return tuple(found)
    if others:
        return tuple(one if one.span.source is loaded.source else without_edits(one) for one in found)
    of_file = (size, only) if first is loaded.source else (None, None)
    return proven(first, found, partial(_again, *of_file, switches, loaded.loader, work))


def _again(
    size: InputSize | None, only: str | None, switches: Switches, loader: Loader, work: Work, source: Source
) -> Sequence[Diagnostic] | None:
    """What is reported about a text after a repair: its imports are read already, and the work is that of one file."""
    again = load(source, Loader(guesses=FEW_GUESSES, folder=loader.folder, units=dict(loader.units)))
    outcome, _ = _analyse(again, size, only, switches, work)
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
    loaded: Loaded, size: InputSize | None, only: str | None, switches: Switches, work: Work | None = None
) -> tuple[Outcome[Analysis], Work]:
    """Every network checked by itself, then against what it is made of; and the work that was left."""
    source, networks = loaded.source, loaded.networks
    diagnostics = list(loaded.diagnostics)
    checked: dict[str, CheckedNetwork] = {}
    bases = _imported_bases(networks)
    searched = _searched(loaded) if only is None else {}
    bases += [network for network in dict.fromkeys(searched.values()) if network not in {*networks.values(), *bases}]
    read = {source, *(base.declared.span.source for base in bases)}
    # For all networks together: an answer comes soon, whatever is read.
    work = work or Work(sum(len(part.text) for part in read))
    typed: dict[Network, TypedNetwork] = {}
    known: dict[Network, TypedNetwork] = {}  # of a file with mistakes elsewhere too

    def checked_by(typed: TypedNetwork) -> Outcome[CheckedNetwork]:
        return check(typed, switches)

    if only is None:
        for base in bases:  # what is wrong with one by itself is reported in its own file, not of what is made of it
            outcome = elaborate(base, None, work).then(checked_by)
            diagnostics += _reported_for(base, outcome.diagnostics)
            if outcome.value is not None and outcome.ok and size is None:
                typed[base] = known[base] = outcome.value.typed
    for name, network in networks.items():
        if only is not None and name != only:
            continue
        if work.left < 0:
            break
        outcome = elaborate(network, size, work).then(checked_by)
        diagnostics += _reported_for(network, outcome.diagnostics)
        if outcome.value is not None and outcome.ok:
            known[network] = outcome.value.typed
        if outcome.value is not None and loaded.ok and outcome.ok and not needs_arguments(network):
            checked[name] = _complete(outcome.value)
            typed[network] = outcome.value.typed
    if any(network.is_part for network in networks.values()):
        from spinedsl.ir.parts.shown import once  # noqa: PLC0415  most files have no parts

        diagnostics = once(networks.values(), diagnostics)
    diagnostics += _unchanged(source, typed, diagnostics)
    spaces: Mapping[str, Space] = {}
    if loaded.unit.file.spaces and only is None:
        from spinedsl.spaces.find import spaces_of  # noqa: PLC0415  most files have none

        found = spaces_of(loaded.unit, searched, known.get)
        spaces = found.value or {}
        diagnostics += found.diagnostics
    if only is None and not any(found.severity is Severity.ERROR for found in diagnostics):
        diagnostics += _of_the_file(loaded, diagnostics, switches)
    return Outcome(
        Analysis(source, loaded.unit, networks, checked, spaces), in_order(_reported_once(diagnostics))
    ), work


def _searched(loaded: Loaded) -> dict[tree.Space, Network]:
    """The networks that the spaces of a file are of."""
    if not loaded.unit.file.spaces:
        return {}
    from spinedsl.spaces.find import networks_of  # noqa: PLC0415  most files have none

    return networks_of(loaded.unit, loaded.networks)


def _reported_once(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    """The same; of an edit that stands in the way of another one it is not reported too that it changes nothing."""
    if not any(found.code.id == "W0703" for found in diagnostics):
        return diagnostics
    code = say.EDIT_WITHOUT_EFFECT
    wrong = [found for found in diagnostics if found.severity is Severity.ERROR][:MAX_LOOKED]
    places = [span for found in wrong for span in (found.span, *(label.span for label in found.others))]

    def stands_in_the_way(span: Span) -> bool:
        return any(it.source is span.source and it.start <= span.start and span.end <= it.end for it in places)

    return [found for found in diagnostics if found.code is not code or not stands_in_the_way(found.span)]


def _of_the_file(loaded: Loaded, diagnostics: Sequence[Diagnostic], switches: Switches) -> Iterator[Diagnostic]:
    """What the rules of files say of one without errors, from which a name that nothing reads may follow.

    Of a network nothing is reported whose instance was told to change nothing: mostly that is why.
    """
    told = {label.span for found in diagnostics if found.code.id == "W0703" for label in found.others}
    heads = [one.head for one in loaded.unit.file.networks if isinstance(one, tree.Network) and one.name.span in told]
    for found in say.check_file(loaded.unit, switches):
        if not any(head.start <= found.span.start < head.end for head in heads):
            yield found


def _unchanged(
    source: Source, typed: Mapping[Network, TypedNetwork], diagnostics: Sequence[Diagnostic]
) -> Iterator[Diagnostic]:
    """Instances that are the same as what they are made of, where no edit was reported to change nothing.

    One that others are made of may prepare something for them.
    """
    bases = {network.base for network in typed}
    for network, own in typed.items():
        instance, base = network.instance, typed.get(network.base) if network.base is not None else None
        if instance is None or base is None or network in bases or instance.span.source is not source:
            continue
        allowed = {allow.code.text for allow in network.allowed}
        for found in unchanged(own, base):
            before = (one for one in diagnostics if one.code is found.code and instance.edited_at(one.span))
            if found.code.id not in allowed and not any(before):
                yield found


def check(typed: TypedNetwork, switches: Switches = USUAL) -> Outcome[CheckedNetwork]:
    """Every rule of `checks/networks` that is on, on one network."""
    return Outcome(CheckedNetwork(typed), tuple(mistakes_of(typed, switches)))


def _complete(checked: CheckedNetwork) -> CheckedNetwork:
    """The same: nothing of it is unknown. If something is, a mistake was missed: an internal compiler error."""
    unknown = [row.name for row in checked.typed.rows.values() if row.type is None and not row.parts]
    if unknown:
        raise AssertionError(f"row {unknown[0]} is not known, and nothing was reported about it")
    return checked


def _reported_for(network: Network, found: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
    """What was found in a network; in one that edits made, what of it they are to blame for."""
    if not found:
        return ()
    from spinedsl.ir.edits import blame  # noqa: PLC0415  a clean file has nothing to blame on anyone

    found = blame(network, found)
    if not network.declared.frames:
        return found
    from spinedsl.ir.parts.shown import shown  # noqa: PLC0415

    return shown(network, found)


def _imported_bases(networks: Mapping[str, Network]) -> list[Network]:
    """The networks of other files that these are made of."""
    own = set(networks.values())
    bases = dict.fromkeys(network.base for network in networks.values() if network.base is not None)
    return [base for base in bases if base not in own]


def waiting(network: Network) -> list[str]:
    """The parameters of a network that have no value."""
    names = [one.name.text for one in network.declared.parameters if one.default is None]
    return [name for name in names if name not in network.arguments]


def needs_arguments(network: Network) -> bool:
    """The network is no whole one: a parameter has no value, or it takes maps and is a part of others."""
    return network.is_part or bool(waiting(network))
