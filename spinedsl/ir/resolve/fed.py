"""How a row feeds a type that takes its maps one by one: as many inputs as maps, and no clause that is about a join."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Label, one_of
from spinedsl.diagnostics.plain import counted
from spinedsl.ir.filled import FILLED_IN, IN_CHANNELS
from spinedsl.syntax import tree


def read_as_no_map(
    row: tree.Row, definition: tree.Definition, maps: int, given: Sequence[tree.Name], clause: tree.Clause | None
) -> Diagnostic | None:
    """A type has a parameter for each input that it is given, but its body does not read all of them as maps."""
    named = {argument.name.text for argument in row.use.arguments if argument.name is not None}
    further = list(
        takewhile(
            lambda one: one.default is None and one.name.text not in (*FILLED_IN, IN_CHANNELS, *named),
            definition.parameters[maps:],
        )
    )
    if clause is None or not further or len(given) != maps + len(further):
        return None
    first, name = further[0].name, definition.name.text
    takes, got = counted(maps, "map"), counted(len(given), "input")
    found = say.MAPS_OF_TYPE.at(clause.span, type=name, takes=takes, name=row.name.text, got=got)
    found = found.with_others(Label(first.span, f"the body of `{name}` does not read `{first.text}` as a map"))
    return found.with_fix(f"read `{first.text}` in the body, or take it away there")


def misfed(
    row: tree.Row, definition: tree.Definition, maps: int, given: int, clauses: Mapping[str, tree.Clause]
) -> Iterator[Diagnostic]:
    """What is wrong with a stem or block that gives its type, which takes so many `maps`, so many inputs."""
    clause = clauses.get("from") or clauses.get("after")
    joined = maps == 1 and (given == 1 or "from" in clauses)
    if clause is None or joined:
        return
    name = definition.name
    if given != maps:
        listed = [parameter.name for parameter in definition.parameters[:maps]]
        takes, got = counted(maps, "map"), counted(given, "input")
        found = say.MAPS_OF_TYPE.at(clause.span, type=name.text, takes=takes, name=row.name.text, got=got)
        known = one_of([one.text for one in listed], conjunction="and")
        found = found.with_others(Label(listed[0].span.to(listed[-1].span), f"it takes {known}"))
        if maps > 1:
            what = ", or give by name what is no feature map" if given < maps else ""
            yield found.with_fix(f"name one for each{what}")
        elif row.kind == "stem":
            yield found.with_fix("name one of them")
        else:
            instead = Edit(clause.keyword.span, "from")
            yield found.with_fix("feed it by `from`, which resamples and joins them", instead)
        return
    for word in ("join", "absorb", "repeat"):
        told = word == "absorb" and "after" in clauses  # by a check of its own
        if word in clauses and not told:
            found = say.ONE_BY_ONE.at(clauses[word].span, type=name.text, clause=word)
            found = found.with_others(Label(name.span, f"`{name.text}` is defined here"))
            yield found.with_fix("take it away", Edit(clauses[word].span, ""))
