"""Breaking: every network of a file against the one of its name in another, and the highest tier of all."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl import api, driver
from spinedsl.compare.compare import compare
from spinedsl.compare.model import Difference, Tier
from spinedsl.compare.side import side
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


def networks_in(loaded: driver.Loaded) -> tuple[str, ...]:
    """The networks of a file that can be compiled as they stand.

    Raises:
        Mistakes: the file cannot be made sense of.
    """
    if not loaded.ok:
        raise api.Mistakes(driver.analyse(loaded).diagnostics)
    return tuple(name for name, network in loaded.networks.items() if not driver.needs_arguments(network))


def breaking(old: Source, new: Source, *, network: str | None = None) -> tuple[Verdict, ...]:
    """Compare all networks of two files by their names, or only `network`.

    A network that was dropped is an interface that went; one that was added breaks nobody.

    Raises:
        Mistakes: one of the files has mistakes.
        NetworkChoice: neither file has the network.
    """
    return tuple(_verdicts(driver.load(old), driver.load(new), network))


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
            yield Verdict(name, Tier.INTERFACE, "the network is dropped", None, top)
        elif name not in before:
            made = side(new, network=name)
            yield Verdict(name, Tier.NONE, "the network is added", None, made.program.loc)
        else:
            found = compare(side(old, network=name), side(new, network=name))
            yield Verdict(name, found.tier, found.tier.means, found, found.new.program.loc)
