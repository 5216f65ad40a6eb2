"""Statements that the grammar allows: as short as can be, but for the rules of it that one wants to see in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import TypeAlias

from spinedsl.syntax import tables

Rule: TypeAlias = tuple[str, tuple[str, ...]]  # a symbol, and what it may consist of
FAR = 1000
WORDS = {"NUMBER": "12", "STRING": '"a text"', "COMPARE": "<=", "OVER": "/"}


@cache
def rules() -> dict[str, tuple[Rule, ...]]:
    """The rules of each symbol that is no terminal, the one of the shortest sentence first, a name before a number."""
    found: dict[str, list[Rule]] = {}
    for rule in tables.lark_of_grammar().rules:
        name = str(rule.origin.name)
        found.setdefault(name, []).append((name, tuple(str(symbol.name) for symbol in rule.expansion)))
    lengths = dict.fromkeys(found, FAR)
    for _ in found:  # until none gets shorter
        for name, ways in found.items():
            lengths[name] = min(sum(lengths.get(part, 1) for part in parts) for _, parts in ways)
    return {
        name: tuple(
            sorted(ways, key=lambda rule: (sum(lengths.get(part, 1) for part in rule[1]), "NAME" not in rule[1]))
        )
        for name, ways in found.items()
    }


def rules_below(start: str) -> Iterator[Rule]:
    """Every rule that a sentence of a symbol can be made by."""
    pending, seen = [start], {start}
    while pending:
        for rule in rules().get(pending.pop(), ()):
            yield rule
            pending += [part for part in dict.fromkeys(rule[1]) if part not in seen]
            seen.update(rule[1])


@cache
def steps(goal: str) -> dict[str, int]:
    """How many rules lead from each symbol to another."""
    found = {goal: 0}
    for _ in rules():
        for name, ways in rules().items():
            nearest = min((found.get(part, FAR) for _, parts in ways for part in parts), default=FAR)
            found[name] = min(found.get(name, FAR), nearest + 1)
    return found


@cache
def words() -> dict[str, str]:
    """The text of each terminal that is no name."""
    given = {one.name: one.pattern.value.removesuffix(tables.WORD_END) for one in tables.lark_of_grammar().terminals}
    return {name: re.sub(r"\\(.)", r"\1", text) for name, text in given.items()} | WORDS


def sentence(symbol: str, goals: tuple[Rule, ...], names: tuple[str, ...], random: Random) -> list[str]:
    """The words of a sentence of `symbol`, made by the rules of `goals`, each inside the last if it can be."""
    if symbol not in rules():
        return [random.choice(names) if symbol == "NAME" else words()[symbol]]
    near = steps(goals[0][0]) if goals else {}
    rule = min(rules()[symbol], key=lambda one: min((near.get(part, FAR) for part in one[1]), default=FAR))
    if goals and symbol == goals[0][0]:
        rule, goals = goals[0], goals[1:]
        near = steps(goals[0][0]) if goals else {}
    nearest = min((near.get(part, FAR) for part in rule[1]), default=FAR)
    inner = random.choice([at for at, part in enumerate(rule[1]) if near.get(part, FAR) == nearest] or [0])
    return [
        word for at, part in enumerate(rule[1]) for word in sentence(part, goals if at == inner else (), names, random)
    ]
