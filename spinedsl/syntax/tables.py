"""The parser's tables: made by Lark of `grammar/spine.lark`, saved as plain data beside this file.

Lark is the tool that makes them; reading a file needs only what is saved (`machine`). `saved.py` is a cache
and nothing more: it bears a checksum of the grammar and the version of its own form, and where either differs the
tables are built from the grammar. `python -m spinedsl.syntax.tables` writes it anew; a test proves that it is fresh.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from lark import Lark

STARTS = (
    "file",
    "version_head",
    "import_head",
    "definition_head",
    "network_head",
    "instance",
    "edited_head",
    "edit",
    "row",
    "simple",
    "if_head",
    "else_head",
    "repeat_head",
    "each_head",
    "space_head",
    "plain_choice",
    "orphans_choice",
    "parents_choice",
    "shift_choice",
    "types_choice",
    "keep_choice",
)
HERE = os.path.dirname(os.path.realpath(__file__))
HEAD = '"""The tables of the grammar, as `python -m spinedsl.syntax.tables` writes them: nothing to edit here."""'
FORM = 2  # of what is saved
WORD_END = r"\b"

Tables: TypeAlias = dict[str, Any]


class _KeepBad:
    """Tells Lark to keep the catch-all terminal, which no rule mentions, so that lexing never fails."""

    always_accept = ("BAD",)

    def process(self, stream: Any) -> Any:
        return stream


def grammar_text() -> str:
    """The text of `spine.lark`: beside the checkout, else as shipped in the wheel."""
    package = os.path.dirname(HERE)
    for place in (os.path.join(os.path.dirname(package), "grammar"), os.path.join(package, "_grammar")):
        with suppress(FileNotFoundError), open(os.path.join(place, "spine.lark"), encoding="utf-8") as file:
            return file.read()
    raise FileNotFoundError("spine.lark is missing from this installation of spinedsl")


def lark_of_grammar(callbacks: Any = None, *, strict: bool = False) -> Lark:
    """Lark's own parser of the grammar. `strict` refuses every conflict; it needs the package `interegular`."""
    from lark import Lark  # noqa: PLC0415  only to make the tables

    return Lark(
        grammar_text(),
        parser="lalr",
        lexer="basic",
        start=list(STARTS),
        postlex=_KeepBad(),
        transformer=callbacks,
        maybe_placeholders=True,
        strict=strict,
    )


def build() -> Tables:
    """The tables as plain data: terminals in the order in which they are tried, states, and rules.

    A keyword is a NAME that reads so: one look into a dictionary, and no pattern for each.

    A state maps a symbol to the state to go to, or to -1 - n to reduce by rule n. A rule says how many symbols it
    takes, what it makes, the callback, and of its children which are kept, which are lists to take in, and where a
    missing optional one leaves a None.
    """
    from lark.parsers.lalr_analysis import Shift  # noqa: PLC0415

    lark = lark_of_grammar()
    order = sorted(lark.terminals, key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name))
    parser = lark.parser.parser.parser
    table = parser.parse_table
    # Lark numbers states as it meets them, which differs from run to run: number them by the way there instead.
    number: dict[int, int] = {}
    pending = [table.start_states[start] for start in STARTS]
    rules: dict[Any, int] = {}
    states: list[dict[str, int]] = []
    ordered: list[int] = []
    while pending:
        state = pending.pop(0)
        if state not in number:
            number[state] = len(ordered)
            ordered.append(state)
            pending += [to for _, (kind, to) in sorted(table.states[state].items()) if kind is Shift]
    for state in ordered:
        row: dict[str, int] = {}
        for symbol, (kind, argument) in sorted(table.states[state].items()):
            row[str(symbol)] = number[argument] if kind is Shift else -1 - rules.setdefault(argument, len(rules))
        states.append(row)
    patterns = {terminal.name: terminal.pattern.to_regexp() for terminal in order}
    keywords = {regexp.removesuffix(WORD_END): name for name, regexp in patterns.items() if regexp.endswith(WORD_END)}
    return {
        "keywords": keywords,
        "terminals": [[name, regexp] for name, regexp in patterns.items() if name not in keywords.values()],
        "ignored": sorted(lark.lexer_conf.ignore),
        "states": states,
        "starts": {start: number[table.start_states[start]] for start in STARTS},
        "ends": {start: number[table.end_states[start]] for start in STARTS},
        "rules": [_rule(rule) for rule in rules],
    }


def _rule(rule: Any) -> list[Any]:
    """Size, what it makes, callback, children kept, Nones at the end, and whether an only child stands for itself."""
    origin = str(rule.origin.name)
    gaps = [0] * (len(rule.expansion) + 1)
    if rule.options.empty_indices:
        gaps = [len(run) for run in "".join(str(int(empty)) for empty in rule.options.empty_indices).split("0")]
    kept: list[list[int]] = []
    nones = 0
    for index, symbol in enumerate(rule.expansion):
        nones += gaps[index]
        if rule.options.keep_all_tokens or not (symbol.is_term and symbol.filter_out):
            kept.append([index, int(not symbol.is_term and symbol.name.startswith("_")), nones])
            nones = 0
    nones += gaps[-1]
    callback = str(rule.alias or "") or ("" if origin.startswith("_") else origin)
    return [len(rule.expansion), origin, callback, kept, nones, int(rule.options.expand1 and not rule.alias)]


def load() -> Tables:
    """The saved tables where they fit the grammar, else tables made of it."""
    try:
        from spinedsl.syntax.saved import TABLES  # noqa: PLC0415  it may be broken, and is not needed to write it anew
    except (ImportError, SyntaxError):
        return build()
    return TABLES if TABLES.get("key") == key() else build()


def key() -> str:
    """What the tables depend on."""
    return f"form {FORM} of\n{grammar_text()}"


def save() -> None:
    """Write `saved.py` anew."""
    made = {"key": key(), **build()}
    with open(os.path.join(HERE, "saved.py"), "w", encoding="utf-8") as file:
        file.write(f"{HEAD}\n\nfrom typing import Any\n\nTABLES: dict[str, Any] = {made!r}\n")


if __name__ == "__main__":
    save()
