"""Blocks whose inputs differ, by place or by channels: what a space may not choose of them, networks without one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.diagnostics.plain import counted
from spinedsl.ir.filled import IN_CHANNELS, arguments_of, maps_of
from spinedsl.ir.library import Unit
from spinedsl.ir.networks import Network, RowDecl
from spinedsl.ir.resolve.network import calls_in
from spinedsl.syntax import tree


def parts_of(network: Network) -> str | None:
    """Why candidates of a network cannot be written: it has parts, or is one; None where they can."""
    if network.is_part:
        return "takes feature maps"
    return "has parts" if network.declared.frames else None


def told_apart(row: RowDecl) -> bool:
    """Whether each input of a block has a meaning of its own: its type takes them one by one, or it resamples one."""
    return row.maps > 1 or any(use is not None for use in row.own)


def widths_vary(row: RowDecl) -> bool:
    """What goes into the type of a row may depend on which rows it reads, and on how many.

    A resampling gives `target.in_channels` unless it says otherwise; and a join that concatenates adds channels up.
    """
    signatures = [use[1].definition.signature for use in (row.resample, *row.own) if use is not None]
    fixed = all(
        signature is None or (isinstance(signature, tree.Property) and signature.name.text == IN_CHANNELS)
        for signature in signatures
    )
    pending = [row.join[1]] if row.join is not None else []
    seen: set[int] = set()
    while pending:
        defined = pending.pop()
        seen.add(id(defined))
        callees = set(calls_in(defined.definition))
        if "concat" in callees or not callees.isdisjoint(defined.called):  # what it is given may do so
            return True
        called = [defined.unit.definitions[name] for name in callees if name in defined.unit.definitions]
        pending += [one for one in called if id(one) not in seen]
    return not fixed


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
