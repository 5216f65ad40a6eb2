"""Breaking: every network of a file against the one of its name in another, and the highest tier of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from spinedsl import api, driver
from spinedsl.compare.compare import compare
from spinedsl.compare.model import Difference, Tier
from spinedsl.compare.side import side
from spinedsl.ir.networks import Network
from spinedsl.ops.types import Loc
from spinedsl.record import Record
from spinedsl.source import Source


class Verdict(Record, eq=False):
    """What became of one network. `difference` is None where only one file has it."""

    network: str
    tier: Tier
    text: str  # one sentence
    difference: Difference | None
    place: Loc  # in the new file


class NotCompared(Record):
    """A network that no verdict is about: it waits for values, or is a part of others. `text` says so."""

    network: str
    text: str
    place: Loc  # in the new file


def networks_in(loaded: driver.Loaded) -> tuple[str, ...]:
    """The networks of a file that can be compiled as they stand.

    Raises:
        Mistakes: the file cannot be made sense of.
    """
    return tuple(name for name, network in _all(loaded).items() if not driver.needs_arguments(network))


def breaking(
    old: Source | driver.Loaded, new: Source | driver.Loaded, *, network: str | None = None
) -> tuple[Verdict, ...]:
    """Compare all networks of two files by their names, or only `network`.

    A network that was dropped, or now waits for values, is an interface that went; one that was added breaks nobody.
    Those that waited for values are left out: see `not_compared`.

    Raises:
        Mistakes: one of the files has mistakes.
        NetworkChoice: neither file has the network.
    """
    return tuple(_verdicts(_loaded(old), _loaded(new), network))


def not_compared(
    old: Source | driver.Loaded, new: Source | driver.Loaded, *, network: str | None = None
) -> tuple[NotCompared, ...]:
    """The networks of the old file, or only `network`, that `breaking` has no verdict on.

    Raises:
        Mistakes: one of the files has mistakes.
    """
    return tuple(_left_out(_loaded(old), _loaded(new), network))


def _loaded(file: Source | driver.Loaded) -> driver.Loaded:
    return driver.load(file) if isinstance(file, Source) else file


def _all(loaded: driver.Loaded) -> Mapping[str, Network]:
    """All networks of a file without mistakes."""
    if not loaded.ok:
        raise api.Mistakes(driver.analyse(loaded).diagnostics)
    return loaded.networks


def _verdicts(old: driver.Loaded, new: driver.Loaded, network: str | None) -> Iterator[Verdict]:
    """A verdict for each network of the two files, by their names."""
    before, after = networks_in(old), networks_in(new)
    if network is not None and network not in before + after:
        driver.chosen(new, network)  # which says what there is instead
    top = Loc(new.source.name, 1)
    for name in dict.fromkeys((*before, *after)):
        if network not in (None, name):
            continue
        if name not in after:
            now = new.networks.get(name)
            text, place = ("is dropped", top) if now is None else (f"now {_waits(now)}", _place(now))
            yield Verdict(name, Tier.INTERFACE, f"the network {text}", None, place)
        elif name not in before:
            was = old.networks.get(name)
            text = "is added" if was is None else f"no longer {_waits(was)}"
            yield Verdict(name, Tier.NONE, f"the network {text}", None, _place(new.networks[name]))
        else:
            found = compare(side(old, network=name), side(new, network=name))
            yield Verdict(name, found.tier, found.tier.means, found, found.new.program.loc)


def _left_out(old: driver.Loaded, new: driver.Loaded, network: str | None) -> Iterator[NotCompared]:
    """Networks that wait for values in the old file, and are not whole ones in the new file either."""
    after = _all(new)
    for name, was in _all(old).items():
        if network not in (None, name) or not driver.needs_arguments(was):
            continue
        now = after.get(name)
        if now is None:
            yield NotCompared(name, f"`{name}` {_waits(was)}, and is dropped", Loc(new.source.name, 1))
        elif driver.needs_arguments(now):
            yield NotCompared(name, f"`{name}` {_waits(now)}", _place(now))


def _waits(network: Network) -> str:
    """Why a network cannot be compiled as it stands."""
    return "is a part of others" if network.is_part else "waits for values"


def _place(network: Network) -> Loc:
    span = network.declared.span
    return Loc(span.source.name, span.line)
