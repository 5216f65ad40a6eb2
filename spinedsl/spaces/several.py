"""What a space may not choose of blocks whose inputs have places of their own, and networks that it may not be of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.diagnostics.plain import counted
from spinedsl.ir.filled import arguments_of, maps_of
from spinedsl.ir.library import Unit
from spinedsl.ir.networks import Network, RowDecl
from spinedsl.syntax import tree


def parts_of(network: Network) -> str | None:
    """Why candidates of a network cannot be written: it has parts, or is one; None where they can."""
    if network.is_part:
        return "takes feature maps"
    return "has parts" if network.declared.frames else None


def inputs_chosen(row: RowDecl, among: tree.Among) -> Diagnostic | None:
    """A block among those whose inputs are chosen, or whose place is, that gives each input a meaning of its own."""
    if row.maps == 1:
        return None
    found = say.MAPS_OF_SPACE.at(among.span, name=row.name, takes=counted(row.maps, "map"))
    found = found.with_others(Label(row.row.use.name.span, f"`{row.row.use.name.text}` takes them one by one"))
    return found.with_fix(f"leave `{row.name}` out, which keeps what feeds it, and its place")


def own_resampling(row: RowDecl, among: tree.Among) -> Diagnostic | None:
    """A block among those whose inputs are chosen, which says of one of them how it is resampled."""
    clause = row.clauses.get("from")
    use = next((use for use in clause.own if use is not None), None) if clause is not None else None
    if use is None:
        return None
    found = say.OWN_RESAMPLING_OF_SPACE.at(among.span, name=row.name)
    found = found.with_others(Label(use.span, "of this input alone"))
    return found.with_fix(f"leave `{row.name}` out, or say one `resample` behind its last input, for all of them")


def unfit_types(unit: Unit, rows: Mapping[str, RowDecl], chosen: Mapping[str, tree.Types]) -> Iterator[Diagnostic]:
    """Types that take another number of maps than a block is given that may have them, told once for a choice."""
    wrong: set[tree.Types] = set()
    for name, choice in chosen.items():
        row = rows[name]
        for use in choice.uses:
            defined = unit.definitions.get(use.name.text)
            maps = maps_of(defined.definition, arguments_of(use)) if defined is not None else row.maps
            if maps == row.maps or choice in wrong:
                continue
            wrong.add(choice)
            takes, got = counted(maps, "map"), counted(row.maps, "map")
            found = say.MAPS_OF_TYPE.at(use.span, type=use.name.text, takes=takes, name=name, got=got)
            found = found.with_others(Label(row.row.use.span, f"`{name}` is fed for this type"))
            yield found.with_fix(f"leave the type out, or leave `{name}` out")
