"""What may stand in a statement that could not be read, so that nothing is reported that only follows from it.

In: the statement, and where its parser stopped. Out: the `Broken` that stands for it in the tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spinedsl.source import Source
from spinedsl.syntax import tree
from spinedsl.syntax.habits import LETTERS, LISTS
from spinedsl.syntax.machine import Token
from spinedsl.syntax.statements import Statement, span_of
from spinedsl.syntax.words import parted

LEADS_TO_NAMES = frozenset({*LISTS, "COMMA"})


def broken_of(source: Source, statement: Statement) -> tree.Broken:
    """A stand-in with all names that stand in the statement and below it, or may be meant there."""
    names: list[str] = []
    pending = [statement]
    while pending:
        part = pending.pop()
        names += [token.value for token in part.tokens if token.type == "NAME"]
        pending += part.body or []
    tokens, stopped = statement.tokens, statement.stopped
    span = span_of(source, tokens[0]).to(span_of(source, tokens[-1]))
    binds = names[:2] if [token.type for token in tokens[:3]] == ["NAME", "NAME", "EQUAL"] else names[:1]
    leads = LEADS_TO_NAMES | {"COLON"} if statement.head == "OUTPUT" else LEADS_TO_NAMES
    before = tokens[max(stopped - 2, 0) : stopped] if stopped is not None and stopped > 1 else []
    return tree.Broken(
        binds=tuple(binds),
        mentions=frozenset([*names, *_names_meant(tokens)]),
        span=span,
        nameless=stopped == 1,
        unread=any(token.type in leads for token in before),
    )


def _names_meant(tokens: Sequence[Token]) -> Iterator[str]:
    """The rows that a statement may mean by what is no name: `"b0"`, the number 0 in its place, or `afterb0`."""
    letter = LETTERS.get(tokens[0].type, "")
    for index, token in enumerate(tokens):
        if token.type == "STRING":
            yield token.value[1:-1].strip()
        elif token.type == "NAME" and (text := parted(token.value)) is not None:
            yield text.split(" ")[1]
        elif token.type == "NUMBER" and letter and tokens[index - 1].type in LEADS_TO_NAMES:
            yield f"b{token.value}"
        elif token.type == "NUMBER" and letter and index == 1:
            yield f"{letter}{token.value}"
