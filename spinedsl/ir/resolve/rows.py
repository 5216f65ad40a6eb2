"""Resolve the rows of a network: clauses sorted, types found, every row that a row reads found above it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Fix, Label, one_of
from spinedsl.ir.arguments import taken_away
from spinedsl.ir.filled import FILLED_IN, arguments_of, maps_of
from spinedsl.ir.joins import OPERATIONS, standing_for
from spinedsl.ir.library import IMPLICIT, KIND_IN_WORDS, Unit
from spinedsl.ir.networks import CLAUSES, RowDecl, TypedUse, is_misread, with_article
from spinedsl.ir.resolve.given import misgiven
from spinedsl.ir.resolve.imports import import_of
from spinedsl.ir.resolve.names import MAX_MEANT, Names
from spinedsl.prelude import home_of
from spinedsl.record import Record
from spinedsl.syntax import tree

MAX_STEPS = 20_000  # from row to row in search of circles; what more there is reads as an input below
ELSEWHERE = {  # what other languages call a clause
    "n": "repeat", "number": "repeat", "times": "repeat", "x": "repeat",
    "dim": "channels", "filters": "channels", "out": "channels", "width": "channels",
    "input": "from", "inputs": "from", "parents": "from", "sources": "from",
    "scale": "level",
}  # fmt: skip
AS_IN = {  # settings that rows with `from` need
    "resample": "`resample spinenet` with `import std.resample`",
    "join": "`join sum` or `join concat`, or SpineNet's `join activated_sum` with `import std.resample`",
}

Clauses = Mapping[str, tree.Clause]


class RowResolver(Record, frozen=False):
    """Rows of one network. `settings` are its `resample` and `join`, where it has them."""

    names: Names
    settings: Mapping[str, tree.Setting | None]

    def __post_init__(self) -> None:
        self.common: dict[str, TypedUse | None] = {
            word: self.typed_use(setting.use, f"{word}_type") if setting is not None else None
            for word, setting in self.settings.items()
        }
        # Nobody misses a setting twice, or one that may stand in a statement that could not be read, or around a part.
        sound = all(not isinstance(item, tree.Broken | tree.Maps) for item in self.names.declared.items)
        self.of_parts: dict[str, dict[str, TypedUse | None]] = {}
        for prefix, frame in self.names.declared.frames.items():
            own = {one.keyword: one.use for one in frame.items if isinstance(one, tree.Setting)}
            outer = self.of_parts.get(prefix.rpartition(".")[0], {})
            self.of_parts[prefix] = outer | {w: self.typed_use(use, f"{w}_type") for w, use in own.items()}
        self.steps = MAX_STEPS
        self.missed = {word for word, setting in self.settings.items() if setting is not None or not sound}

    def rows(self) -> tuple[RowDecl, ...]:
        """All rows, in the order of the file."""
        return tuple(self.row(row, index) for index, row in enumerate(self.names.rows))

    def row(self, row: tree.Row, index: int) -> RowDecl:
        """One row; unsound if anything was reported about it."""
        before = len(self.names.diagnostics)
        clauses = self.clauses(row)
        if row.kind == "input":
            for given in clauses.values():
                if not isinstance(given.value, tuple | tree.Use):
                    self.names.check(given.value)
            sound = len(self.names.diagnostics) == before
            return RowDecl(row, clauses, None, (), True, (), None, None, sound)
        plain = self.is_plain(row)
        defined = None if plain else self.row_type(row, index)
        if defined is not None:
            self.given_twice(row, clauses)
        sources, direct = self.sources(row, clauses, plain=plain)
        maps = 1 if defined is None else maps_of(defined[1].definition, arguments_of(row.use))
        if defined is not None and row.kind in ("stem", "block"):
            names = sources if row.kind == "block" else names_of(clauses.get("after"))
            if maps > 1 or (len(names) > 1 and ("from" not in clauses or len(self.names.diagnostics) > before)):
                self.one_by_one(row, defined[1].definition, maps, names, clauses, before)
        absorbed = names_of(clauses.get("absorb"))
        found = [self.above(name, row, index) for name in (*sources, *absorbed)]
        own = self.own_resamplings(row, clauses, direct=direct)
        if row.kind == "block" and not direct and maps == 1:
            sources, own, absorbed = _each_once(sources, own, absorbed)
        resample = self.of_row(row, clauses, "resample", direct=direct)
        join = self.of_row(row, clauses, "join", direct=direct) if maps == 1 else None
        for word in ("level", "repeat", "channels"):
            clause = clauses.get(word)
            if clause is not None and not isinstance(clause.value, tuple | tree.Use):
                self.names.check(clause.value)
        sound = all(found) and len(self.names.diagnostics) == before and (plain or defined is not None)
        sound = sound and (direct or (resample is not None and (join is not None or maps > 1)))
        type_ = defined[1] if defined is not None else None
        return RowDecl(row, clauses, type_, sources, direct, absorbed, resample, join, sound, maps, own)

    def one_by_one(
        self,
        row: tree.Row,
        definition: tree.Definition,
        maps: int,
        given: Sequence[tree.Name],
        clauses: Clauses,
        at: int,
    ) -> None:
        """What is wrong with a row that gives its type several inputs; `at` is where what was reported of it begins."""
        from spinedsl.ir.resolve.fed import misfed, read_as_no_map  # noqa: PLC0415  few types take maps one by one

        reported = self.names.diagnostics
        clause = clauses.get("from") or clauses.get("after")
        unread = read_as_no_map(row, definition, maps, given, clause) if len(reported) > at else None
        if unread is not None:  # what was reported as missing is given
            reported[at:] = [one for one in reported[at:] if one.code is not say.MISSING_ARGUMENT]
            reported.append(unread)
            return
        reported += misfed(row, definition, maps, len(given), clauses)

    def is_plain(self, row: tree.Row) -> bool:
        """`output C5: c5`: an output that gives a row as it is."""
        name = row.use.name.text
        names = self.names
        known = name in names.order or name in names.mentioned or names.dropped(name) is not None
        typed = any(clause.keyword.text in CLAUSES["output"] for clause in row.clauses) or row.use.arguments
        return row.kind == "output" and known and not typed

    # ---- clauses ----

    def clauses(self, row: tree.Row) -> dict[str, tree.Clause]:
        """The clauses by their word; unknown ones, and second ones, are reported."""
        known = CLAUSES[row.kind]
        found: dict[str, tree.Clause] = {}
        say_ = self.names.diagnostics.append
        for clause in row.clauses:
            word = clause.keyword
            if word.text not in known:
                unknown = say.UNKNOWN_CLAUSE.at(
                    word.span, row=with_article(row.kind) + " row", name=word.text, known=one_of(known)
                )
                say_(self.meant(clause, unknown, known))
                if isinstance(clause.value, tree.Ident):
                    self.names.meant.add(clause.value.name)
            elif word.text in found:
                again = say.CLAUSE_TWICE.at(clause.span, name=word.text)
                again = again.with_others(Label(found[word.text].span, "first given here"))
                say_(again.repaired(Edit(clause.span, "")))
            else:
                found[word.text] = clause
        if "from" in found and "after" in found:
            both = say.FROM_AND_AFTER.at(found["after"].span)
            both = both.with_others(Label(found["from"].span, "and `from` here"))
            say_(both.repaired(Edit(found["after"].span, "")))
        return found

    def own_resamplings(self, row: tree.Row, clauses: Clauses, *, direct: bool) -> tuple[TypedUse | None, ...]:
        """What resamples each input alone. Only a block resamples: what another row says of an input is reported."""
        clause = clauses.get("from")
        own = clause.own if clause is not None else ()
        if not direct:
            return tuple(self.typed_use(use, "resample_type") if use is not None else None for use in own)
        for use in own if row.kind != "block" else ():
            if use is not None:
                known, article = one_of(CLAUSES[row.kind]), with_article(row.kind)
                found = say.UNKNOWN_CLAUSE.at(use.span, row=f"{article} row", name="resample", known=known)
                self.names.diagnostics.append(found.with_fix("resample it in a block, and read that"))
        return ()

    def given_twice(self, row: tree.Row, clauses: Clauses) -> None:
        """A clause gives what the parentheses give as well: the clause is what the rest of the network reads."""
        for argument in row.use.arguments:
            word = argument.name.text if argument.name is not None else ""
            if word in FILLED_IN and word in clauses:
                found = say.ARGUMENT_TWICE.at(clauses[word].span, callee=row.use.name.text, name=word)
                found = found.with_others(Label(argument.span, "first given here"))
                away = taken_away(row.use.arguments, argument)
                self.names.diagnostics.append(found.with_fix("keep the clause, and take the argument away", away))

    def meant(self, clause: tree.Clause, found: Diagnostic, known: Sequence[str]) -> Diagnostic:
        """What a clause that there is not may have meant."""
        word, value = clause.keyword, clause.value
        if word.text == "stride" and isinstance(value, tree.Number) and "level" in known:
            levels = [level for level in range(8) if value.value == 1 << level]
            edits = [Edit(clause.span, f"level {level}") for level in levels]
            level = Fix("say its `level`: the stride follows, 2 for each level above that of what feeds it")
            return found.with_fix("say `level L`, which stands for a stride of 2^L", *edits, instead=level)
        near = ELSEWHERE.get(word.text)
        near = near if near in known else self.names.unit.nearest(word.text, known)
        if near is None and isinstance(value, tree.Ident) and value.name in self.names.order and "from" in known:
            near = "from"  # it names a row
        if near is None:
            return found.with_fix("take it away", Edit(clause.span, ""))
        return found.with_rename(word.span, near)

    def sources(self, row: tree.Row, clauses: Clauses, *, plain: bool) -> tuple[tuple[tree.Name, ...], bool]:
        """The rows that feed this one, and whether directly."""
        if plain:
            return (row.use.name,), True
        if row.kind == "stem":
            return names_of(clauses.get("after")), True
        sources = names_of(clauses.get("from")) or names_of(clauses.get("after"))
        home = self.names.unit.home(row.use.span)
        typed = row.use.name.text in home.definitions or (row.clauses and row.use.name.text not in self.names.order)
        bare = row.kind == "output" and not typed
        if not sources and not is_misread(row) and not bare:
            expected = {"block": "`from` a block, or `after` one", "head": "`from` the maps that it reads"}.get(
                row.kind, "`from` a block"
            )
            missing = say.MISSING_CLAUSE.at(
                row.name.span, row=row.kind, name=row.name.text, what="what feeds it", expected=expected
            )
            above = [other.name.text for other in self.names.rows[: self.names.order.get(row.name.text, 0)]]
            word = "after" if row.kind == "block" else "from"
            self.names.diagnostics.append(missing.with_fix(f"say it, as in `{word} {above[-1]}`") if above else missing)
        return sources, row.kind in ("output", "head") or "from" not in clauses

    def of_row(self, row: tree.Row, clauses: Clauses, word: str, *, direct: bool) -> TypedUse | None:
        """The row's own `resample` or `join`, else the network's."""
        clause = clauses.get(word)
        if clause is not None and isinstance(clause.value, tree.Use):
            own = self.typed_use(clause.value, f"{word}_type")
            if direct and not is_misread(row):
                found = say.NEEDS_FROM.at(clause.span, name=row.name.text, clause=word)
                fix = "feed the block by `from`, or take the clause away"
                self.names.diagnostics.append(found.with_fix(fix, Edit(clause.span, "")))
            return own
        if direct:
            return None
        if (own_part := self.of_parts.get(row.name.text.rpartition(".")[0], {}).get(word)) is not None:
            return own_part
        if word not in self.missed:
            self.missed.add(word)
            network = self.names.network
            label = f"expected a `{word}` setting: rows with `from` need it"
            found = say.MISSING_SETTING.at(self.names.declared.name.span, name=network, what=f"`{word}`", label=label)
            found = found.with_others(Label(row.name.span, f"`{row.name.text}` is the first such row"))
            found = found.with_fix(f"say it in the network, as in {AS_IN[word]}")
            one = names_of(clauses.get("from"))
            if len(one) == 1:
                written = one[0].span.text  # in a part not the name that the row has in the whole network
                found = found.with_fix(f"or read `{written}` directly: `after {written}`")
            self.names.diagnostics.append(found)
        return self.common[word]

    # ---- the rows that a row reads ----

    def above(self, name: tree.Name, row: tree.Row, index: int) -> bool:
        """A row `name` stands above row number `index`; otherwise what is wrong was reported."""
        names = self.names
        at = names.order.get(name.text)
        if at is None:
            self.unknown_row(name, row, index)
        elif at < index and names.rows[at].kind not in readable(row) and not is_inner(names.rows[at]):
            kind = with_article(names.rows[at].kind)
            found = say.WRONG_KIND.at(name.span, name=name.text, got=kind, expected=words_for(row))
            place = Label(names.rows[at].name.span, f"{kind} is where the network ends")
            names.diagnostics.append(found.with_others(place).with_fix(f"read what the {names.rows[at].kind} reads"))
        elif at < index:
            return True
        elif names.trace is not None and not names.mentioned.isdisjoint({name.text, row.name.text}):
            pass  # an edit that could not be made may have put it right
        elif at == index:
            found = say.CYCLE.at(name.span, what=f"{row.kind} `{name.text}` feeds itself")
            names.diagnostics.append(found.repaired(name=row.name.text))
        elif (circle := self.circle(name.text, row.name.text)) is not None:
            way = " -> ".join(f"`{step}`" for step in circle)
            found = say.CYCLE.at(name.span, what=f"these blocks feed each other: {way}")
            place = Label(names.rows[at].name.span, f"`{name.text}` stands here, below")
            names.diagnostics.append(found.with_others(place).repaired(name=row.name.text))
        else:
            self.below(name, row)
        return False

    def unknown_row(self, name: tree.Name, row: tree.Row, index: int) -> None:
        """Nothing of that name is a row."""
        names = self.names
        part = name.text.partition(".")[0]  # which may be one that could not be read
        if not names.mentioned.isdisjoint((name.text, part)) or name.text in names.unit.home(name.span).mentioned:
            return
        if (dropped := names.dropped(name.text)) is not None:
            if row.name.text in names.mentioned:
                return  # an edit of the row could not be read: it may well say what feeds it now
            found = say.READS_DROPPED.at(name.span, name=name.text, user=row.name.text)
            fix = f"drop `{row.name.text}` too, or edit what it reads: `{self.reread(row, name)}`"
            names.diagnostics.append(found.with_others(Label(dropped, "dropped here")).with_fix(fix))
            return
        if name.text in names.places:
            what, place = names.places[name.text]
            found = say.WRONG_KIND.at(name.span, name=name.text, got=what, expected=words_for(names.rows[index]))
            found = found.with_others(Label(place, f"`{name.text}` is set here"))
            names.meant |= set(islice(self.usable(index), MAX_MEANT))
            if what == "the input":
                found = found.with_fix(
                    "only a stem reads the input: read a stem, as in `stem s: resnet_stem channels 64`"
                )
            else:
                found = found.with_fix("name a row above this one")
            names.diagnostics.append(found)
            return
        read = {source.text for clause in row.clauses for source in names_of(clause)}  # nothing reads a row twice
        usable = list(islice(self.usable(index), MAX_MEANT))
        kind = "output or block" if names.rows[index].kind == "head" else "block"
        found = say.UNKNOWN_NAME.at(name.span, kind=kind, name=name.text, where=f"in network `{names.network}`")
        others = [other for other in usable if other not in read]
        near = self.names.unit.nearest(name.text, others)
        names.meant |= {near} if near is not None else set(usable)
        if near is None and names.may_be_nameless(name.text):
            return
        if near is None and usable:
            found = found.with_notes(f"above stand {one_of(others or usable, conjunction='and')}")
            found = found.with_fix("read one of those, or add a row of that name above this one")
        elif near is None:
            found = found.with_notes("no row stands above that could be read")
            found = found.with_fix(f"add one above this one, as in `stem {name.text}: resnet_stem channels 64`")
        names.diagnostics.append(found.with_rename(name.span, near))

    def usable(self, index: int) -> Iterator[str]:
        """The rows above row number `index` that it may read, nearest first."""
        kinds = readable(self.names.rows[index])
        above = (self.names.rows[at] for at in range(index - 1, -1, -1))
        return (row.name.text for row in above if row.kind in kinds or is_inner(row))

    @staticmethod
    def reread(row: tree.Row, name: tree.Name) -> str:
        """An edit of a row that reads `name` no more."""
        for clause in row.clauses:
            if isinstance(clause.value, tuple) and name in clause.value:
                word, own = clause.keyword.text, clause.own or (None,) * len(clause.value)
                rest = [
                    other.text + (f" resample {' '.join(use.span.text.split())}" if use is not None else "")
                    for other, use in zip(clause.value, own, strict=True)
                    if other.text != name.text
                ]
                return f"{row.kind} {row.name.text} {word} {', '.join(rest) or ('none' if word == 'absorb' else '…')}"
        return f"{row.kind} {row.name.text}: …"

    def below(self, name: tree.Name, row: tree.Row) -> None:
        """The row stands further down."""
        place = self.names.rows[self.names.order[name.text]]
        found = say.USED_BEFORE.at(name.span, name=name.text, user=row.name.text)
        found = found.with_others(*self.names.place_of(place, f"`{name.text}` stands here"))
        moved = self.names.place_of(row, "")
        if len(moved) > 1:
            found = found.with_others(Label(moved[-1].span, f"`{row.name.text}` is moved here"))
        added = self.names.trace.placed.get(name.text.partition(".")[0]) if self.names.trace is not None else None
        if is_inner(place) and added is not None and added[1] == "added":
            fix = f"say where the part goes: `before {row.name.text}`, or feed `{row.name.text}` from a block above"
            self.names.diagnostics.append(found.with_fix(fix))
            return
        fix = f"move the row of `{row.name.text}` below that of `{name.text}`, or feed it from a block above"
        other = f"move the row of `{name.text}` above that of `{row.name.text}`, or feed `{row.name.text}` from another"
        instead = Fix(other, _move(row, place, up=True), Fix(f"feed `{row.name.text}` from a block above"))
        self.names.diagnostics.append(found.with_fix(fix, *_move(row, place), instead=instead))

    def circle(self, start: str, goal: str) -> list[str] | None:
        """A way from row `start` over its inputs back to row `goal`, if there is one."""
        before: dict[str, str] = {start: ""}
        pending = [start]
        while pending and self.steps > 0:
            self.steps -= 1
            name = pending.pop()
            if name == goal:
                way = [name]
                while before[way[-1]]:
                    way.append(before[way[-1]])
                return [goal, *reversed(way)]
            row = self.names.rows[self.names.order[name]]
            for source in (source for clause in row.clauses for source in names_of(clause)):
                if source.text in self.names.order and source.text not in before:
                    before[source.text] = name
                    pending.append(source.text)
        return None

    # ---- types ----

    def row_type(self, row: tree.Row, index: int) -> TypedUse | None:
        """The definition that a row names. An output without clauses may have meant a block."""
        names, name = self.names, row.use.name
        home = names.unit.home(name.span)
        bare = row.kind == "output" and not row.clauses and not row.use.arguments
        if bare and name.text not in home.definitions and not home.incomplete:
            if name.text not in home.mentioned:
                usable = list(islice(self.usable(index), MAX_MEANT))
                near = self.names.unit.nearest(name.text, usable)
                names.meant |= {near} if near is not None else set(usable)
                if near is None and names.may_be_nameless(name.text):
                    return None
                where = f"in network `{names.network}`"
                found = say.UNKNOWN_NAME.at(name.span, kind="block or output type", name=name.text, where=where)
                names.diagnostics.append(found.with_rename(name.span, near))
            return None
        return self.typed_use(row.use, f"{row.kind}_type")

    def typed_use(self, use: tree.Use, kind: str) -> TypedUse | None:
        """The definition that a row or setting names, of the right kind and with arguments that it knows."""
        names = self.names
        home = names.unit.home(use.span)
        defined = home.definitions.get(use.name.text)
        operation = standing_for(use.name.text, kind) if defined is None else None
        defined = defined or operation
        if names.at(use.span).compared(use.name, use.arguments, names.scope):
            return None
        for argument in use.arguments:
            if argument.name is not None:
                names.held(argument.value)
        if defined is None:
            if use.name.text not in home.mentioned and not home.incomplete:
                self.unknown_type(use, kind, home)
            return None
        place = defined.definition.name.span
        if defined.kind != kind:
            found = say.WRONG_KIND.at(
                use.name.span, name=use.name.text, got=KIND_IN_WORDS[defined.kind], expected=KIND_IN_WORDS[kind]
            ).with_others(Label(place, "defined here"))
            near = self.names.unit.nearest(use.name.text, of_kind(home, kind))
            if near is None:
                known = one_of(of_kind(home, kind), limit=6)
                found = found.with_fix(
                    f"name {KIND_IN_WORDS[kind]}, such as {known}" if known != "none" else "define one"
                )
            names.diagnostics.append(found.with_rename(use.name.span, near))
            return None
        filled_in = maps_of(defined.definition, arguments_of(use)) if kind == "block_type" else len(IMPLICIT[kind])
        formals = defined.definition.parameters[filled_in:]
        positional = [argument for argument in use.arguments if argument.name is None]
        if positional:
            found = say.GIVEN_BY_NAME.at(positional[0].span, callee=use.name.text, what="a row gives")
            found = found.with_others(Label(place, "defined here")) if operation is None else found
            free = [formal.name.text for formal in formals if formal.name.text not in FILLED_IN]
            if free:
                text = f"{free[0]} = {positional[0].span.text}"
                found = found.with_fix(f"name it, as in `{text}`", Edit(positional[0].span, text))
            names.diagnostics.append(found)
            return None
        parameters = [parameter.name.text for parameter in formals]
        filled = FILLED_IN if kind in ("stem_type", "block_type", "output_type", "head_type") else ()
        required = [p.name.text for p in formals if p.default is None and p.name.text not in filled]
        at = place if operation is None else None  # which stands in no file
        names.at(use.span).arguments(use.name, use.arguments, use.span, parameters, required, at)
        names.diagnostics += misgiven(defined, use.arguments, home, names.scope.names)
        return use, defined

    def unknown_type(self, use: tree.Use, kind: str, home: Unit) -> None:
        """Nothing of that name is defined in, or imported by, the file in which it is used."""
        words = kind.replace("_", " ")
        where = "in this file or its imports"
        found = say.UNKNOWN_NAME.at(use.name.span, kind=words, name=use.name.text, where=where)
        same = of_kind(home, kind)
        near = self.names.unit.nearest(use.name.text, same)
        elsewhere = [unit for unit in self.names.unit.all_imports() if defines(unit, use.name.text, kind)]
        if module := home_of(use.name.text):
            found = found.with_fix(*import_of(home, f"std.{module}"))
        elif elsewhere:
            found = found.with_fix(*import_of(home, elsewhere[0]))
        elif use.name.text in home.networks:
            fed = f"`part NAME: {use.name.text} from …`"
            found = found.with_fix(f"`{use.name.text}` is a network, which stands in another as a part: {fed}")
        elif near is not None:
            found = found.with_rename(use.name.span, near)
        elif same:
            found = found.with_notes(f"known {words}s: {one_of(same, conjunction='and')}")
        if use.name.text in self.names.order:
            self.names.meant.add(use.name.text)  # whatever is meant, the row is read here
            example = f", or name a type, as in `{same[0]} from {use.name.text}`" if same else ""
            found = found.with_fix(f"take the clauses away, to give `{use.name.text}` as it is{example}")
        self.names.diagnostics.append(found)


def _each_once(
    sources: tuple[tree.Name, ...], own: tuple[TypedUse | None, ...], absorbed: tuple[tree.Name, ...]
) -> tuple[tuple[tree.Name, ...], tuple[TypedUse | None, ...], tuple[tree.Name, ...]]:
    """What a join takes, each row once: of one that is named again that is reported, and nothing that follows."""
    names = [name.text for name in (*sources, *absorbed)]
    kept = [at for at, name in enumerate(names) if name not in names[:at]]
    if len(kept) == len(names):
        return sources, own, absorbed
    read = [at for at in kept if at < len(sources)]
    taken = tuple(absorbed[at - len(sources)] for at in kept[len(read) :])
    return tuple(sources[at] for at in read), tuple(own[at] for at in read if own), taken


def readable(row: tree.Row) -> tuple[str, ...]:
    """The kinds of rows that a row may read."""
    return ("stem", "block", "output", "input") if row.kind == "head" else ("stem", "block", "input")


def is_inner(row: tree.Row) -> bool:
    """The row is one of a part: where it gives something, that is read here."""
    return "." in row.name.text[1:]


def words_for(row: tree.Row) -> str:
    """The same in the words of a message."""
    return "an output, a block or a stem" if row.kind == "head" else "a block or a stem"


def names_of(clause: tree.Clause | None) -> tuple[tree.Name, ...]:
    """The rows that a clause such as `from` names."""
    return clause.value if clause is not None and isinstance(clause.value, tuple) else ()


def _move(row: tree.Row, target: tree.Row, *, up: bool = False) -> tuple[Edit, ...]:
    """The edits that put the line of `row` below that of `target`, or that of `target` `up` above that of `row`.

    None, unless both have their lines to themselves.
    """
    source = row.span.source
    if target.span.source is not source:
        return ()
    lines = [source.position(one.span.start)[0] for one in (row, target)]
    texts = [source.line_text(line) for line in lines]
    if any(text.strip() != one.span.text for text, one in zip(texts, (row, target), strict=True)):
        return ()
    starts = [source.line_starts[line - 1] for line in lines]
    if up:
        above, end = starts[0], starts[1] + len(texts[1])
        return Edit(source.span(above, above), f"{texts[1]}\n"), Edit(source.span(starts[1] - 1, end), "")
    below = starts[1] + len(texts[1])
    return Edit(source.span(starts[0], starts[0] + len(texts[0]) + 1), ""), Edit(
        source.span(below, below), f"\n{texts[0]}"
    )


def of_kind(unit: Unit, kind: str) -> list[str]:
    """The definitions of one kind that a file can name, and the operations that stand for one."""
    own = [name for name, defined in unit.definitions.items() if defined.kind == kind]
    return [*own, *(name for name, other in OPERATIONS.items() if kind == other and name not in unit.definitions)]


def defines(unit: Unit, name: str, kind: str) -> bool:
    """The definition stands in the unit's own file."""
    defined = unit.definitions.get(name)
    return defined is not None and defined.unit is unit and defined.kind == kind
