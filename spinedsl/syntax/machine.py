"""Run the tables that Lark makes of the grammar: a text to tokens, and the tokens of one statement to its node.

Lark's own loops do the same, several times slower, and cannot say cheaply what could have come instead of a token that
came. Tests hold this one against them: same tokens, same trees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from lark import Lark
from lark.parsers.lalr_analysis import Shift

END = "$END"
MAX_REMEMBERED = 4_096

# What a state does with a terminal: go to a state, or (-1) reduce by (size, callback, nonterminal).
Reduction: TypeAlias = tuple[int, Any, str]
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
    """Lark's lexer and parser for one grammar, by its tables."""

    def __init__(self, lark: Lark) -> None:
        parser = lark.parser.parser.parser
        self._table = parser.parse_table
        self._callbacks: Mapping[Any, Any] = parser.callbacks
        self._rows: dict[int, dict[str, Action]] = {}
        self._accepts: dict[tuple[int, ...], frozenset[str]] = {}
        self._lark = lark

    # ---- lexing ----

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Every terminal, in the order in which Lark tries them."""
        terminals = sorted(
            self._lark.terminals, key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name)
        )
        return re.compile("|".join(f"(?P<{terminal.name}>{terminal.pattern.to_regexp()})" for terminal in terminals))

    def tokens(self, text: str) -> list[Token]:
        """All tokens of a text; every character that is not ignored is in one."""
        ignored = frozenset(self._lark.lexer_conf.ignore)
        tokens: list[Token] = []
        line = 1
        for match in self._pattern.finditer(text):
            kind, value = match.lastgroup, match.group()
            assert kind is not None
            if kind in ignored:
                line += value.count("\n")
            else:
                tokens.append(Token(kind, value, match.start(), line))
        return tokens

    # ---- parsing ----

    def parse(self, start: str, tokens: Sequence[Token]) -> Any:
        """The node of a whole statement of the kind `start`. Raises `Unexpected`."""
        rows, end_state = self._rows, self._table.end_states[start]
        states: list[int] = [self._table.start_states[start]]
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
                else:
                    size, callback, origin = reduction
                    children = values[-size:] if size else []
                    if size:
                        del states[-size:], values[-size:]
                    values.append(callback(children))
                    state = rows[states[-1]][origin][0]
                states.append(state)
                row = rows.get(state) or self._row(state)
                if reduction is None:
                    break
                if token is None and state == end_state:
                    return values[-1]
        raise AssertionError("the end is never shifted")

    def _row(self, state: int) -> dict[str, Action]:
        """What a state does with each symbol, in the form that `parse` reads."""
        row = self._rows.get(state)
        if row is None:
            row = {}
            for symbol, (kind, argument) in self._table.states[state].items():
                if kind is Shift:
                    row[symbol] = (argument, None)
                else:
                    row[symbol] = (-1, (len(argument.expansion), self._callbacks[argument], argument.origin.name))
            self._rows[state] = row
        return row

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

    @cached_property
    def _ends(self) -> frozenset[int]:
        return frozenset(self._table.end_states.values())
