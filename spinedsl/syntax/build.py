"""Make tree nodes of what the grammar recognises: the callbacks that the machine calls as it reduces each rule."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, TypeAlias

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit
from spinedsl.record import replace
from spinedsl.source import Source, Span
from spinedsl.syntax import tree
from spinedsl.syntax.machine import Token
from spinedsl.syntax.statements import PART, span_of

MAX_DIGITS = 30
MAX_EXPONENT = 30
TIMES = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}  # what may follow the number of a `keep`


_Clauses: TypeAlias = "tree.Clause | tuple[tree.Clause, ...]"


class Mistake(Exception):
    """A mistake that only shows when a node is made. `parse` catches it: it never leaves this folder."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Builder:
    """One method for each rule. `source` is set for the file at hand; `parse` holds a lock while it is."""

    source: Source

    def _span(self, first: Any, last: Any) -> Span:
        start: int = first.start_pos if isinstance(first, Token) else first.span.start
        end: int = last.start_pos + len(last.value) if isinstance(last, Token) else last.span.end
        return Span(self.source, start, end)

    def _name(self, token: Token | tree.Name) -> tree.Name:
        return token if isinstance(token, tree.Name) else tree.Name(token.value, span_of(self.source, token))

    def path(self, first: Token, *rest: Token) -> tree.Name:
        if not rest:
            return self._name(first)
        return tree.Name(".".join(token.value for token in (first, *rest)), self._span(first, rest[-1]))

    # ---- expressions ----

    def number(self, token: Token) -> tree.Number:
        span = span_of(self.source, token)
        mantissa, _, exponent = token.value.lower().partition("e")
        if len(mantissa) > MAX_DIGITS or abs(int(exponent[:9] or 0)) > MAX_EXPONENT:
            found = say.NUMBER_TOO_LONG.at(span, digits=MAX_DIGITS, exponent=MAX_EXPONENT)
            raise Mistake(found.repaired())
        value = Fraction(token.value)
        return tree.Number(value.numerator if value.denominator == 1 else value, span)

    def string(self, token: Token) -> tree.Text:
        return tree.Text(token.value[1:-1], span_of(self.source, token))

    def flag(self, token: Token) -> tree.Flag:
        return tree.Flag(token.type == "TRUE", span_of(self.source, token))

    def name(self, token: Token) -> tree.Ident:
        return tree.Ident(token.value, span_of(self.source, token))

    def property(self, base: tree.Expr, token: Token) -> tree.Property:
        return tree.Property(base, self._name(token), self._span(base, token))

    def unary(self, operator: Token, operand: tree.Expr) -> tree.Unary:
        return tree.Unary(operator.value, operand, self._span(operator, operand))

    def binary(self, left: tree.Expr, operator: Token, right: tree.Expr) -> tree.Binary:
        return tree.Binary(operator.value, left, right, self._span(left, right))

    def conditional(
        self, value: tree.Expr, _if: Token, condition: tree.Expr, _else: Token, other: tree.Expr
    ) -> tree.Conditional:
        return tree.Conditional(condition, value, other, self._span(value, other))

    def group(self, left: Token, inner: tree.Expr, right: Token) -> tree.Expr:
        return replace(inner, span=self._span(left, right))

    def list(self, left: Token, *rest: Any) -> tree.ListOf:
        return tree.ListOf(tuple(rest[:-1]), self._span(left, rest[-1]))

    def list_of_each(
        self, left: Token, value: tree.Expr, word: Token, name: Token, _in: Token, items: tree.Expr, right: Token
    ) -> tree.ListOfEach:
        return tree.ListOfEach(value, word.value, self._name(name), items, self._span(left, right))

    def item(self, base: tree.Expr, _left: Token, index: tree.Expr, right: Token) -> tree.Item:
        return tree.Item(base, index, self._span(base, right))

    def argument(self, name: Token | None, *rest: Any) -> tree.Argument:
        value = rest[-1]
        label = None if name is None else self._name(name)
        return tree.Argument(label, value, self._span(value if name is None else name, value))

    def arguments(self, _left: Token, *rest: Any) -> tuple[tuple[tree.Argument, ...], Token]:
        return tuple(rest[:-1]), rest[-1]

    def call(self, name: Token, arguments: tuple[tuple[tree.Argument, ...], Token]) -> tree.Call:
        return tree.Call(self._name(name), arguments[0], False, self._span(name, arguments[1]))

    def shared_call(self, shared: Token, name: Token, arguments: tuple[tuple[tree.Argument, ...], Token]) -> tree.Call:
        return tree.Call(self._name(name), arguments[0], True, self._span(shared, arguments[1]))

    # ---- statements of a definition ----

    def let(self, keyword: Token, name: Token, _equal: Token, value: tree.Expr) -> tree.Binding:
        return tree.Binding(keyword.value, self._name(name), value, self._span(keyword, value))

    var = let
    network_let_row = let

    def assign(self, name: Token, _equal: Token, value: tree.Expr) -> tree.Binding:
        return tree.Binding("set", self._name(name), value, self._span(name, value))

    def return_(self, keyword: Token, value: tree.Expr) -> tree.Return:
        return tree.Return(value, self._span(keyword, value))

    def yield_(self, keyword: Token, value: tree.Expr) -> tree.Yield:
        return tree.Yield(value, self._span(keyword, value))

    # Heads of statements that have a body: the parser puts the body in.

    def if_head(self, _keyword: Token, condition: tree.Expr) -> tree.Expr:
        return condition

    def else_head(self, _keyword: Token, _if: Token | None, condition: tree.Expr | None) -> tree.Expr | None:
        return condition

    def repeat_head(
        self, _keyword: Token, index: Token | None, _in: Token | None, count: tree.Expr
    ) -> tuple[tree.Name | None, tree.Expr]:
        return (None if index is None else self._name(index)), count

    def each_head(self, _keyword: Token, item: Token, _in: Token, items: tree.Expr) -> tuple[tree.Name, tree.Expr]:
        return self._name(item), items

    # ---- definitions and networks ----

    def version_head(self, _keyword: Token, number: Token) -> Token:
        return number

    def import_prelude(self, keyword: Token, *parts: Token) -> tree.Import:
        return tree.Import(tuple(part.value for part in parts), self._span(keyword, parts[-1]))

    def import_file(self, keyword: Token, path: Token) -> tree.Import:
        return tree.Import(path.value[1:-1], self._span(keyword, path))

    def parameter(self, name: Token, _equal: Token | None, default: tree.Expr | None) -> tree.Parameter:
        return tree.Parameter(self._name(name), default)

    def kind(self, token: Token) -> Token:
        return token

    def signature(self, value: tree.Expr) -> tree.Expr:
        return value

    def definition_head(self, kind: Token, name: Token, *rest: Any) -> tuple[Any, ...]:
        parameters = tuple(part for part in rest if isinstance(part, tree.Parameter))
        signature = None if isinstance(rest[-1], Token) else rest[-1]
        return kind.value, self._name(name), parameters, signature

    def network_head(self, _keyword: Token, name: Token, *rest: Any) -> tuple[Any, ...]:
        return self._name(name), tuple(part for part in rest if isinstance(part, tree.Parameter))

    def instance(self, keyword: Token, name: Token, *rest: Any) -> tree.Instance:
        *parts, base, arguments = rest  # what is in its parentheses, the `=`, and the base with what that is given
        given, last = arguments or ((), base)
        own = tuple(part for part in parts if isinstance(part, tree.Parameter))
        span = self._span(keyword, last)
        return tree.Instance(self._name(name), own, self._name(base), given, span, None, span)

    def edited_head(self, *parts: Any) -> tree.Instance:
        return self.instance(*parts[:-1])

    # ---- rows of a network ----

    def use(self, name: Token | tree.Name, arguments: tuple[tuple[tree.Argument, ...], Token] | None) -> tree.Use:
        given, last = arguments or ((), name)
        return tree.Use(self._name(name), given, self._span(name, last))

    def size(self, value: Token | tree.Expr) -> tree.Expr:
        if not isinstance(value, Token):
            return value
        return self.number(value) if value.type == "NUMBER" else self.name(value)

    def input_row(
        self, keyword: Token, name: Token, c: tree.Expr, x1: Token, h: tree.Expr, x2: Token, w: tree.Expr
    ) -> tree.Input:
        wrong = [self._span(between, between) for between in (x1, x2) if between.value != "x"]
        if wrong:
            found = say.INPUT_FORM.at(wrong[0], got=f"`{wrong[0].text}` between them")
            raise Mistake(found.with_fix("write `x` between the sizes", *(Edit(span, "x") for span in wrong)))
        return tree.Input(self._name(name), (c, h, w), self._span(keyword, w))

    def map_row(
        self, keyword: Token, name: Token, _level: Token, low: tree.Expr, high: tree.Expr | None, *clauses: tree.Clause
    ) -> tree.Maps:
        return self.maps_row(keyword, name, _level, low, high, *clauses)

    def maps_row(self, keyword: Token, *rest: Any) -> tree.Maps:
        at = next(i for i, part in enumerate(rest) if isinstance(part, Token) and part.type == "LEVEL")
        low, high, *given = rest[at + 1 :]
        clauses = _flat(given)
        names = tuple(self._name(token) for token in rest[:at])
        last = clauses[-1] if clauses else high or low
        return tree.Maps(names, low, high, clauses, self._span(keyword, last))

    def own_outputs_row(self, keyword: Token, *names: Token) -> tree.Outputs:
        return tree.Outputs(tuple(map(self._name, names)), None, self._span(keyword, names[-1]))

    def outputs_row(self, keyword: Token, *rest: Token | tree.Name) -> tree.Outputs:
        names = tuple(self._name(part) for part in rest if isinstance(part, Token))
        sources = tuple(part for part in rest if isinstance(part, tree.Name))
        return tree.Outputs(names, sources, self._span(keyword, rest[-1]))

    def default_choice(
        self, role: Token, name: Token, arguments: tuple[tuple[tree.Argument, ...], Token] | None
    ) -> tree.DefaultItem:
        use = self.use(name, arguments)
        return tree.DefaultItem(self._name(role), use, self._span(role, use))

    def default_attributes(self, name: Token, arguments: tuple[tuple[tree.Argument, ...], Token]) -> tree.DefaultItem:
        use = self.use(name, arguments)
        return tree.DefaultItem(None, use, use.span)

    def defaults_row(self, keyword: Token, _left: Token, *rest: Any) -> tree.Defaults:
        items = tuple(item for item in rest[:-1] if item is not None)
        return tree.Defaults(items, self._span(keyword, rest[-1]))

    def width_item(self, keyword: Token, low: tree.Expr, high: tree.Expr | None, value: tree.Expr) -> tree.WidthItem:
        return tree.WidthItem(low, high, value, self._span(keyword, value))

    def widths_row(self, keyword: Token, _left: Token, *rest: Any) -> tree.Widths:
        items = tuple(item for item in rest[:-1] if item is not None)
        return tree.Widths(items, self._span(keyword, rest[-1]))

    def rule_item(self, name: Token, low: tree.Expr, high: tree.Expr | None) -> tree.RuleItem:
        return tree.RuleItem(self._name(name), low, high, self._span(name, high or low))

    def rules_row(self, keyword: Token, _left: Token, *rest: Any) -> tree.Rules:
        items = tuple(item for item in rest[:-1] if item is not None)
        return tree.Rules(items, self._span(keyword, rest[-1]))

    def resample_row(self, keyword: Token, use: tree.Use) -> tree.Setting:
        return tree.Setting(keyword.value, use, self._span(keyword, use))

    join_row = resample_row

    def allow_row(self, keyword: Token, code: Token, reason: Token) -> tree.Allow:
        return tree.Allow(self._name(code), reason.value[1:-1], self._span(keyword, reason))

    def level_clause(self, keyword: Token, value: tree.Expr | tree.Use) -> tree.Clause:
        return tree.Clause(self._name(keyword), value, self._span(keyword, value))

    repeat_clause = level_clause
    resample_clause = level_clause
    join_clause = level_clause
    named_clause = level_clause

    def connection(self, name: Token, resample: tree.Clause | None) -> tuple[Token, tree.Clause | None]:
        return name, resample

    def from_clause(self, keyword: Token, *sources: tuple[Token, tree.Clause | None]) -> tuple[tree.Clause, ...]:
        """The clause; what stands behind the last row, a clause of its own."""
        names = tuple(self._name(name) for name, _ in sources)
        *own, behind = (resample for _, resample in sources)
        uses = tuple(one.value if one is not None and isinstance(one.value, tree.Use) else None for one in own)
        uses = (*uses, None) if any(uses) else ()
        clause = tree.Clause(self._name(keyword), names, self._span(keyword, sources[-1][0]), uses)
        return (clause,) if behind is None else (clause, behind)

    def after_clause(self, keyword: Token, *names: Token) -> tree.Clause:
        return tree.Clause(
            self._name(keyword), tuple(self._name(name) for name in names), self._span(keyword, names[-1])
        )

    absorb_clause = after_clause

    def place_clause(self, right: Token, after: Token, name: Token) -> tree.Clause:
        if right.value != "right":
            from spinedsl.syntax.words import parted  # noqa: PLC0415  for mistakes only

            found = say.UNEXPECTED.at(self._span(after, after), found=after.value, expected="a value")
            text = parted(right.value)
            if text is not None:
                found = found.with_fix(f"with a blank between: `{text}`", Edit(self._span(right, right), text))
            raise Mistake(found)
        keyword = tree.Name("right after", self._span(right, after))
        return tree.Clause(keyword, (self._name(name),), self._span(right, name))

    def _row(self, keyword: Token, name: Token, use: tree.Use, *given: _Clauses) -> tree.Row:
        clauses = _flat(given)
        last = clauses[-1] if clauses else use
        return tree.Row(keyword.value, self._name(name), use, clauses, self._span(keyword, last))

    stem_row = _row
    block_row = _row
    output_row = _row
    head_row = _row

    def task_row(
        self, word: Token, name: Token, shared: Token | None, use: tree.Use, *given: _Clauses
    ) -> tree.Task | tree.Part:
        clauses = _flat(given)
        last = clauses[-1] if clauses else use
        once = None if shared is None else self._name(shared)
        if word.value == PART:
            return tree.Part(self._name(name), use, clauses, self._span(word, last), once)
        if once is not None:
            raise Mistake(say.SHARED_ALONE.at(once.span, why="a task has no weights").repaired())
        return tree.Task(self._name(name), use, clauses, self._span(word, last))

    # ---- edits of a network: `parse` has seen that their soft keywords are right ----

    def drop_edit(self, word: Token, name: Token) -> tree.Drop:
        return tree.Drop(self._name(name), self._span(word, name))

    def move_edit(self, word: Token, name: Token, side: Token, row: Token) -> tree.Move:
        place = tree.Place(side.value, self._name(row), self._span(side, row))
        return tree.Move(self._name(name), place, self._span(word, row))

    def add_edit(self, word: Token, kind: Token, name: Token, use: tree.Use, *given: _Clauses) -> tree.Addition:
        kept, place, last = self._placed(use, given)
        row = tree.Row(kind.value, self._name(name), use, kept, self._span(kind, last))
        return tree.Addition(row, place, self._span(word, last))

    def add_part_edit(
        self, word: Token, kind: tree.Name, name: Token, shared: Token | None, use: tree.Use, *given: _Clauses
    ) -> tree.Addition:
        kept, place, last = self._placed(use, given)
        once = None if shared is None else self._name(shared)
        part = tree.Part(self._name(name), use, kept, self._span(kind, last), once)
        return tree.Addition(part, place, self._span(word, last))

    @staticmethod
    def _placed(
        use: tree.Use, given: Iterable[_Clauses]
    ) -> tuple[tuple[tree.Clause, ...], tree.Place | None, tree.Clause | tree.Use]:
        """The clauses of what is added without its place, the place, and what stands last."""
        clauses = _flat(given)
        place = next((found for clause in reversed(clauses) if (found := _place(clause)) is not None), None)
        kept = tuple(clause for clause in clauses if place is None or clause.span != place.span)
        return kept, place, clauses[-1] if clauses else use

    def task_edit(
        self, word: Token, name: Token, shared: Token | None, use: tree.Use, *given: _Clauses
    ) -> tree.Task | tree.Change:
        made = self.task_row(word, name, shared, use, *given)
        if isinstance(made, tree.Task):
            return made
        return tree.Change(PART, made.name, made.use, made.clauses, made.span, made.shared)

    def change_part_edit(self, word: Token, name: Token, *given: _Clauses) -> tree.Change:
        clauses = _flat(given)
        if word.value != PART:
            place = clauses[0].keyword.span
            raise Mistake(say.UNEXPECTED.at(place, found=place.text, expected="`:`"))
        return tree.Change(PART, self._name(name), None, clauses, self._span(word, clauses[-1]))

    def change_edit(self, kind: Token, name: Token, *given: _Clauses) -> tree.Change:
        clauses = _flat(given)
        return tree.Change(kind.value, self._name(name), None, clauses, self._span(kind, clauses[-1]))

    def argument_edit(self, name: Token, _equal: Token, value: tree.Expr) -> tree.Argument:
        return tree.Argument(self._name(name), value, self._span(name, value))

    def retype_edit(self, kind: Token, name: Token, use: tree.Use, *given: _Clauses) -> tree.Change:
        clauses = _flat(given)
        span = self._span(kind, clauses[-1] if clauses else use)
        return tree.Change(kind.value, self._name(name), use, clauses, span)

    # ---- search spaces ----

    def space_head(self, _space: Token, name: Token, of: Token, base: Token) -> tuple[tree.Name, tree.Name]:
        if of.value != "of":
            raise Mistake(self._instead(of, "of"))
        return self._name(name), self._name(base)

    def among(self, first: Token, last: Token | None) -> tree.Among:
        return tree.Among(
            self._name(first), None if last is None else self._name(last), self._span(first, last or first)
        )

    def bound(self, minus: Token | None, number: Token) -> tree.Number:
        value = self.number(number)
        if minus is None:
            return value
        return tree.Number(-value.value, self._span(minus, number))

    def plain_choice(self, word: Token, *rows: tree.Among) -> tree.Permute | tree.Orphans:
        if word.value != "orphans":
            return tree.Permute(rows, self._span(word, rows[-1]))
        wrong = rows[0].last or next((row.first for row in rows[1:]), None)
        if wrong is not None:
            found = say.UNEXPECTED.at(wrong.span, found=wrong.text, expected="the end of the line")
            raise Mistake(found.with_fix("as in `orphans absorb else drop`"))
        return tree.Orphans((rows[0].first,), self._span(word, rows[0]))

    def orphans_choice(self, word: Token, absorb: Token, _else: Token | None, fate: Token | None) -> tree.Orphans:
        fates = [token for token in (absorb, fate) if token is not None]
        return tree.Orphans(tuple(self._name(token) for token in fates), self._span(word, fates[-1]))

    def parents_choice(self, word: Token, *rest: Any) -> tree.Parents:
        *rows, count, of, pool, window = rest
        if of.value != "of":
            raise Mistake(self._instead(of, "of"))
        if pool.value not in ("last", "all"):
            found = say.UNEXPECTED.at(self._span(pool, pool), found=pool.value, expected="`last` or `all`")
            raise Mistake(found.with_fix("as in `2 of last 5`, or `2 of all`"))
        if pool.value == "last" and window is None:
            found = say.ENDS_EARLY.at(self._span(pool, pool), last=pool.value, expected="a number")
            raise Mistake(found.with_fix("say of how many: `last 5`"))
        if pool.value == "all" and window is not None:
            place = self._span(window, window)
            found = say.UNEXPECTED.at(place, found=window.value, expected="the end of the line")
            raise Mistake(found.with_fix(f"as in `last {window.value}`", Edit(self._span(pool, pool), "last")))
        kept = None if window is None else self.number(window)
        return tree.Parents(tuple(rows), self.number(count), kept, self._span(word, window or pool))

    def shift_choice(self, word: Token, *rest: Any) -> tree.LevelShift:
        *rows, low, high, within, lowest, highest = rest
        if within is None:
            return tree.LevelShift(tuple(rows), low, high, None, self._span(word, high))
        if within.value != "within":
            raise Mistake(self._instead(within, "within"))
        return tree.LevelShift(tuple(rows), low, high, (lowest, highest), self._span(word, highest))

    def types_choice(self, word: Token, *rest: Any) -> tree.Types:
        rows = tuple(part for part in rest if isinstance(part, tree.Among))
        uses = tuple(part for part in rest if isinstance(part, tree.Use))
        return tree.Types(rows, uses, self._span(word, uses[-1]))

    def keep_choice(self, word: Token, figure: Token, operator: Token, number: Token, unit: Token | None) -> tree.Keep:
        value, last = self.number(number), unit or number
        if unit is not None and unit.value not in TIMES:
            place = self._span(unit, unit)
            found = say.UNEXPECTED.at(place, found=unit.value, expected="`K`, `M`, `G`, `T` or the end of the line")
            near = unit.value[:1].upper()
            raise Mistake(found.with_fix(f"`{number.value}{near}`", Edit(place, near)) if near in TIMES else found)
        times = 1 if unit is None else TIMES[unit.value]
        bound = tree.Number(value.value * times, self._span(number, last))
        return tree.Keep(self._name(figure), operator.value, bound, self._span(word, last))

    def _instead(self, token: Token, word: str) -> Diagnostic:
        """Another name stands where a soft keyword belongs."""
        place = span_of(self.source, token)
        return say.UNEXPECTED.at(place, found=token.value, expected=f"`{word}`").with_rename(place, word)


def _flat(given: Iterable[_Clauses]) -> tuple[tree.Clause, ...]:
    """Clauses one by one: `from` may come with one behind it."""
    found: list[tree.Clause] = []
    for part in given:
        found += part if isinstance(part, tuple) else (part,)
    return tuple(found)


def _place(clause: tree.Clause) -> tree.Place | None:
    """Where a clause places an added row, if that is what it does."""
    value = clause.value
    if clause.keyword.text == "before" and (name := _dotted(value)):
        return tree.Place("before", tree.Name(name, value.span), clause.span)  # type: ignore[union-attr]
    if clause.keyword.text == "right after" and isinstance(value, tuple):
        return tree.Place("after", value[0], clause.span)
    return None


def _dotted(value: object) -> str:
    """`n1.P4` read as an expression is the name of a row."""
    if isinstance(value, tree.Ident):
        return value.name
    base = _dotted(value.base) if isinstance(value, tree.Property) else ""
    return f"{base}.{value.name.text}" if base and isinstance(value, tree.Property) else ""
