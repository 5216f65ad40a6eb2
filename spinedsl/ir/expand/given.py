"""Definitions that are given as arguments: whether a call fits what it was given, and that none leads back to itself.

In: a call by the name of a parameter, and the definition that this holds. Out: nothing, or what is reported where the
definition was named, since that is where another can be named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.diagnostics.plain import counted
from spinedsl.ir.expand.values import Environment, Held
from spinedsl.ir.library import IMPLICIT, KIND_IN_WORDS, Defined
from spinedsl.syntax import tree

if TYPE_CHECKING:
    from spinedsl.ir.expand.context import Context


def unfit(call: tree.Call, held: Held, *, numbers: bool = False) -> Diagnostic | None:
    """Why a call cannot be of what it is given; None if it can. Where there are only `numbers`, it is of a `fn`."""
    defined = held.defined
    problem, fix = _problem(call, defined, numbers=numbers)
    if not problem:
        return None
    found = say.GIVEN_UNFIT.at(held.span, given=defined.name, problem=problem, name=call.callee.text)
    label = f"`{call.callee.text}` is called here"
    return found.with_others(Label(call.span, label)).with_fix(fix)


def _problem(call: tree.Call, defined: Defined, *, numbers: bool) -> tuple[str, str]:
    """What of a call the definition does not take, and what to do about it; empty where it takes all."""
    kind, other = KIND_IN_WORDS[defined.kind], "or give another"
    if numbers and defined.kind != "fn":
        return f"is {kind}, where only a function of numbers can be called", "give the name of a `fn`"
    if "block" in IMPLICIT[defined.kind]:
        return f"is {kind}, which definitions cannot call", "make a `def` of it"
    known = list(defined.parameters)
    names = [argument.name.text for argument in call.arguments if argument.name is not None]
    got = len(call.arguments) - len(names)
    taken = known[:got]
    if got > len(known):
        return f"takes {counted(len(known), 'argument')}, and gets {got}", f"let it take as many, {other}"
    for name in names:
        if name not in known:
            return (
                f"has no parameter `{name}`",
                f"let it take one: `{defined.kind} {defined.name}(…, {name} = …)`, {other}",
            )
        if name in taken:
            return f"gets `{name}` twice", f"call its parameter otherwise, {other}"
        taken.append(name)
    missing = [name for name, one in defined.parameters.items() if name not in taken and one.default is None]
    if missing:
        return f"needs `{missing[0]}`, which it is not given", f"let `{missing[0]}` have a default, {other}"
    return "", ""


def held_in(arguments: Environment) -> list[Held]:
    """The definitions among the arguments of one."""
    return [value for value in arguments.values() if type(value) is Held]


def enter(context: Context, defined: Defined, held: list[Held]) -> bool:
    """Begin with a definition that is given others: false, with the reason reported, where it is at work for the same.

    Calls alone never lead back to where they began; what is given may.
    """
    key = (defined, *[one.defined for one in held]) if held else (defined,)
    if key in context.at_work:
        _report(context, key, held)
        return False
    context.at_work[key] = held
    return True


def leave(context: Context) -> None:
    """End what `enter` began."""
    context.at_work.popitem()


def _report(context: Context, again: tuple[Defined, ...], held: list[Held]) -> None:
    """The circle of those at work that ends with the first of them `again`."""
    at_work = list(context.at_work.items())
    at_work = at_work[list(context.at_work).index(again) :]
    circle = [key[0] for key, _ in at_work]
    way = "" if len(circle) == 1 else ", by way of " + ", ".join(f"`{one.name}`" for one in circle[1:])
    found = say.RECURSION.at(context.uses[-1][0], name=circle[0].name, way=way)
    given = [one for _, those in at_work for one in those] + held
    places = {one.span: one.defined.name for one in given if one.defined in circle}
    found = found.with_others(*(Label(span, f"`{name}` is given here") for span, name in places.items()))
    context.report(found.with_fix(f"give a definition that does not lead back to `{circle[0].name}`"))
