"""W0703: an instance whose arguments and edits make the same network of the one that it is made of.

In: both, typed. Out: a warning at the instance's name. Whether two expansions are the same is told by identity: equal
uses of a definition share one, so nothing is compared that is large.
"""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.ir.networks import Network
from spinedsl.ir.typed import TypedNetwork, TypedRow, TypedTask
from spinedsl.ops.program import Call
from spinedsl.syntax import tree


def unchanged(typed: TypedNetwork, base: TypedNetwork) -> Iterator[Diagnostic]:
    """An instance of `base` that gives other arguments, or edits it, and is the same network all the same."""
    instance = typed.network.instance
    if instance is None or not _asks(typed.network, base.network) or _key(typed) != _key(base):
        return
    given = [argument.span.text for argument in instance.given]
    words = f"`{instance.name.text}` is the same network as `{instance.base.text}`"
    label = "nothing of it is another" if len(given) != 1 or instance.edits else f"`{given[0]}` changes nothing of it"
    found = say.EDIT_WITHOUT_EFFECT.at(instance.name.span, what=words, label=label)
    place = base.network.declared.name.span
    others = () if place.source is not instance.span.source else (Label(place, "made of this one"),)
    yield found.with_others(*others).with_fix(f"use `{instance.base.text}`, or say what is to differ")


def _asks(network: Network, base: Network) -> bool:
    """Something is given that was not so before, other than `allow`."""
    instance = network.instance
    assert instance is not None
    if instance.parameters:
        return False
    if any(not isinstance(edit, tree.Allow | tree.Argument) for edit in instance.edits or ()):
        return True
    defaults = {parameter.name.text: parameter.default for parameter in network.declared.parameters}
    before = {**defaults, **base.arguments}
    return any(
        name not in before or not tree.alike(before[name], value)
        for name, value in network.arguments.items()
        if base.arguments.get(name) is not value
    )


def _key(typed: TypedNetwork) -> tuple[object, ...]:
    """What makes a network, but for its name, where everything of it is known; else what no other has."""
    rows = typed.rows.values()
    if any(row.type is None and not row.parts for row in rows):
        return (typed,)
    rules = typed.least_inputs, typed.most_inputs, typed.any_size, tuple(typed.static_axes)
    tasks = tuple(map(_key_of_task, typed.tasks))
    return typed.input_name, str(typed.input_type), rules, tasks, *map(_key_of_row, rows)


def _key_of_task(task: TypedTask) -> tuple[object, ...]:
    declared = task.declared
    heads = tuple((clause, name.text, task.chosen.get(clause)) for clause, name in declared.heads.items())
    return declared.name, declared.task.use.name.text, tuple(task.arguments.items()), heads


def _key_of_row(row: TypedRow) -> tuple[object, ...]:
    inputs = tuple((connection.source.text, _key_of_call(connection.resample)) for connection in row.inputs)
    absorbed = tuple(name.text for name in row.declared.absorbed)
    calls = tuple(_key_of_call(call) for call in row.calls)
    return row.name, row.declared.row.kind, row.level, inputs, absorbed, _key_of_call(row.join), calls


def _key_of_call(call: Call | None) -> tuple[object, ...]:
    return (None,) if call is None else (id(call.module), call.path)
