"""One or two inputs a block, unless the network's `rules` say otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.diagnostics import Diagnostic
from spinedsl.diagnostics import catalogue as say
from spinedsl.diagnostics.plain import counted
from spinedsl.ir.typed import TypedNetwork


def input_count(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """Blocks whose `from` names too few or too many others; absorbed maps are no inputs."""
    least, most = typed.least_inputs, typed.most_inputs
    for row in typed.rows.values():
        count = len({name.text for name in row.declared.sources})  # one named twice is another mistake
        clause = row.declared.clauses.get("from")
        if row.declared.row.kind == "output" and count > 1 and clause is not None:
            found = say.INPUT_COUNT.at(
                clause.span, row="output", name=row.name, got=counted(count, "input"), expected="1"
            )
            yield found.with_fix("join them in a block, and give that")
        if row.declared.row.kind != "block" or clause is None or least <= count <= most:
            continue
        expected = str(least) if least == most else f"{least} or {most}" if most == least + 1 else f"{least} to {most}"
        yield say.INPUT_COUNT.at(
            clause.span, row="block", name=row.name, got=counted(count, "input"), expected=expected
        ).with_fix(
            f"let it read from {'fewer' if count > most else 'more'} blocks, or set "
            f"`rules {{ inputs {min(least, count)}..{max(most, count)} }}` for this network"
        )
