"""Run the tables that Lark made of the grammar: a text to tokens, and the tokens of one statement to its node.

Lark's own loops do the same, several times slower, and cannot say cheaply what could have come instead of a token that
came; and importing Lark takes as long as checking a file. Tests hold this one against them: same tokens, same trees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from spinedsl.syntax.tables import Tables

END = "$END"
NAME = "NAME"
MAX_REMEMBERED = 4_096

# What a state does with a terminal: go to a state, or (-1) reduce by (size, callback, nonterminal). Without a callback
# the one child stays as it is, as where a product is no more than a number.
Reduction: TypeAlias = tuple[int, Callable[[list[Any]], Any] | None, str]
Action: TypeAlias = tuple[int, Reduction | None]


class Token:
    """A piece of a text: the name of its terminal, its characters, and where it stands."""

    __slots__ = ("line", "start_pos", "type", "value")

    def __init__(self, type: str, value: str, start_pos: int, line: int) -> None:  # noqa: A002  as Lark calls it
        self.type = type
        self.value = value
        self.start_pos = start_pos
        self.line = line

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        return f"Token({self.type}, {self.value!r}, {self.start_pos})"


class Unexpected(Exception):
    """A token that no statement of this kind has at this place. `position` counts tokens; `accepts` could have come."""

    def __init__(self, position: int, accepts: frozenset[str]) -> None:
        super().__init__(position)
        self.position = position
        self.accepts = accepts


class Machine:
    """A lexer and parser by the tables of a grammar. `callbacks` has a method for each rule that makes a node."""

    def __init__(self, tables: Tables, callbacks: object) -> None:
        self._tables = tables
        self._rules = [_reduction(rule, callbacks) for rule in tables["rules"]]
        self._rows: dict[int, dict[str, Action]] = {}
        self._risen: dict[tuple[int, str, str], int] = {}
        self._accepts: dict[tuple[int, ...], frozenset[str]] = {}
        self._ends = frozenset(tables["ends"].values())

    # ---- lexing ----

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Every terminal, in the order in which they are tried."""
        return re.compile("|".join(f"(?P<{name}>{regexp})" for name, regexp in self._tables["terminals"]))

    def keywords(self) -> frozenset[str]:
        """Words that end at a word boundary: no name can be one."""
        return frozenset(self._tables["keywords"])

    def tokens(self, text: str) -> list[Token]:
        """All tokens of a text; every character that is not ignored is in one."""
        ignored, keywords = frozenset(self._tables["ignored"]), self._tables["keywords"]
        ascii_only = text.isascii()
        tokens: list[Token] = []
        line = 1
        for match in self._pattern.finditer(text):
            kind, value = match.lastgroup, match.group()
            assert kind is not None
            if kind == NAME:
                # A letter beyond ASCII is no part of a name, and yet no keyword ends before it.
                if ascii_only or not text[match.end() : match.end() + 1].isalnum():
                    kind = keywords.get(value, kind)
                tokens.append(Token(kind, value, match.start(), line))
            elif kind in ignored:
                line += value.count("\n")
            else:
                tokens.append(Token(kind, value, match.start(), line))
        return tokens

    # ---- parsing ----

    def parse(self, start: str, tokens: Sequence[Token]) -> Any:
        """The node of a whole statement of the kind `start`. Raises `Unexpected`."""
        rows, end_state = self._rows, self._tables["ends"][start]
        states: list[int] = [self._tables["starts"][start]]
        row = rows.get(states[0]) or self._row(states[0])
        values: list[Any] = []
        for position, token in enumerate((*tokens, None)):
            kind = END if token is None else token.type
            while True:
                action = row.get(kind)
                if action is None:
                    raise Unexpected(position, self._acceptable(tuple(states)))
                state, reduction = action
                if reduction is None:
                    values.append(token)
                    states.append(state)
                    row = rows.get(state) or self._row(state)
                    break
                size, callback, origin = reduction
                if callback is None:
                    below = states[-2]
                    state = states[-1] = self._risen.get((below, origin, kind)) or self._rise(below, origin, kind)
                else:
                    children = values[-size:] if size else []
                    if size:
                        del states[-size:], values[-size:]
                    values.append(callback(children))
                    state = rows[states[-1]][origin][0]
                    states.append(state)
                row = rows.get(state) or self._row(state)
                if token is None and state == end_state:
                    return values[-1]
        raise AssertionError("the end is never shifted")

    def _row(self, state: int) -> dict[str, Action]:
        """What a state does with each symbol, in the form that `parse` reads."""
        row = self._rows.get(state)
        if row is None:
            actions = self._tables["states"][state].items()
            row = {symbol: (to, None) if to >= 0 else (-1, self._rules[-1 - to]) for symbol, to in actions}
            self._rows[state] = row
        return row

    def _rise(self, below: int, origin: str, terminal: str) -> int:
        """The state after one child stands for `origin`, and for all that this stands for in turn."""
        state = self._row(below)[origin][0]
        _, reduction = self._row(state).get(terminal, (state, None))
        if reduction is not None and reduction[1] is None:
            state = self._rise(below, reduction[2], terminal)
        self._risen[below, origin, terminal] = state
        return state

    def _acceptable(self, states: tuple[int, ...]) -> frozenset[str]:
        """The terminals that could come next; `$END` among them if the statement could end."""
        known = self._accepts.get(states)
        if known is None:
            if len(self._accepts) >= MAX_REMEMBERED:
                self._accepts.clear()
            terminals = [symbol for symbol in self._row(states[-1]) if symbol == END or symbol.isupper()]
            known = frozenset(terminal for terminal in terminals if self._shifts(list(states), terminal))
            self._accepts[states] = known
        return known

    def _shifts(self, states: list[int], terminal: str) -> bool:
        """After all reductions that it asks for, the terminal can be shifted, or the end is reached."""
        while True:
            action = self._row(states[-1]).get(terminal)
            if action is None:
                return False
            reduction = action[1]
            if reduction is None:
                return True
            size, _, origin = reduction
            if size:
                del states[-size:]
            states.append(self._row(states[-1])[origin][0])
            if terminal == END and states[-1] in self._ends:
                return True


def _reduction(rule: list[Any], callbacks: object) -> Reduction:
    """A rule as `parse` uses it: its size, what makes a node of its children, and what it makes.

    Of a rule without a name the children stay a list, which the rule above takes in.
    """
    size, origin, name, kept, nones, stands_for_child = rule
    method = getattr(callbacks, name, None) if name else None
    whole = not nones and len(kept) == size and not any(take_in or before for _, take_in, before in kept)
    if whole and size == 1 and stands_for_child:
        return size, None, origin

    def node(children: list[Any]) -> Any:
        if not whole:
            children = _kept(children, kept, nones)
        if stands_for_child and len(children) == 1:
            return children[0]
        return children if method is None else method(*children)

    return size, node, origin


def _kept(children: list[Any], kept: list[list[int]], nones: int) -> list[Any]:
    """The children that count, a None for each optional part that is not there.

    A list that comes first goes on growing: nobody else has it, and to copy it for each item would take the square of
    its length.
    """
    found: list[Any] = []
    for index, take_in, before in kept:
        if before:
            found += [None] * before
        if take_in and not found:
            found = children[index]
        elif take_in:
            found += children[index]
        else:
            found.append(children[index])
    return found + [None] * nones if nones else found
