"""The spaces of a file: each with the network that it is of, wherever that stands, and every mistake in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label, Outcome, one_of
from spinedsl.ir.library import Unit
from spinedsl.ir.networks import Network
from spinedsl.ir.resolve import resolve_networks
from spinedsl.ir.resolve.instances import no_base
from spinedsl.ir.typed import TypedNetwork
from spinedsl.spaces.model import Space
from spinedsl.spaces.resolve import resolve_space
from spinedsl.syntax import tree

Typed = Callable[[Network], TypedNetwork | None]


def networks_of(unit: Unit, own: Mapping[str, Network]) -> dict[tree.Space, Network]:
    """The network of each space of a file, where there is one. `own` are those of the file."""
    made: dict[Unit, Mapping[str, Network]] = {unit: own}
    found: dict[tree.Space, Network] = {}
    for space in unit.file.spaces:
        homes = unit.with_network(space.base.text)
        if len(homes) != 1:
            continue
        if homes[0] not in made:
            made[homes[0]] = resolve_networks(homes[0]).value or {}
        if (network := made[homes[0]].get(space.base.text)) is not None:
            found[space] = network
    return found


def spaces_of(unit: Unit, networks: Mapping[tree.Space, Network], typed: Typed) -> Outcome[dict[str, Space]]:
    """Every space of a file that is right, and what is wrong with the others.

    Args:
        unit: of the file.
        networks: as `networks_of` finds them.
        typed: gives a network with its values known; None where that has mistakes, which are reported elsewhere.
    """
    spaces: dict[str, Space] = {}
    diagnostics: list[Diagnostic] = []
    for declared in unit.file.spaces:
        network = networks.get(declared)
        if network is None:
            if len(unit.with_network(declared.base.text)) != 1 and not _may_be_known(unit, declared):
                diagnostics.append(no_base(unit, declared))
            continue
        if missing := _needed(network):
            diagnostics.append(_open(declared, network, missing))
            continue
        outcome = resolve_space(declared, unit, network, typed(network))
        diagnostics += outcome.diagnostics
        if outcome.value is not None:
            spaces.setdefault(declared.name.text, outcome.value)
    return Outcome(spaces, tuple(diagnostics))


def _may_be_known(unit: Unit, declared: tree.Space) -> bool:
    """The network may stand in what could not be read."""
    return unit.incomplete or declared.base.text in unit.mentioned


def _needed(network: Network) -> list[str]:
    """The parameters of a network that have no value."""
    declared = network.declared.parameters
    return [p.name.text for p in declared if p.default is None and p.name.text not in network.arguments]


def _open(declared: tree.Space, network: Network, missing: list[str]) -> Diagnostic:
    """A space is of one network; this one is many, by what its parameters get."""
    name = declared.base.text
    found = say.WRONG_KIND.at(
        declared.base.span,
        name=name,
        got=f"a network that has to be given {one_of(missing, conjunction='and')}",
        expected="a network whose parameters have values",
    )
    found = found.with_others(Label(network.declared.name.span, "declared here"))
    return found.with_fix(f"make an instance, and a space of that: `network {name}1 = {name}({missing[0]} = …)`")
