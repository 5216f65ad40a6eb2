"""Resolve a network: its settings gathered, its rows' clauses sorted, every row that a row names found above it.

In: `tree.Network` and its unit. Out: a `Network`; an instance is the same network with arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from spinedsl.diagnostics import Diagnostic, Edit, Label, nearest, one_of
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.definitions import Expressions, Scope
from spinedsl.ir.library import IMPLICIT, KIND_IN_WORDS, Defined, Unit
from spinedsl.ir.reserved import why_reserved
from spinedsl.ops.primitives import ALIASES, PRIMITIVES, ROLES, Primitive
from spinedsl.prelude import home_of
from spinedsl.source import Span
from spinedsl.syntax import tree

CLAUSES: Mapping[str, tuple[str, ...]] = {
    "stem": ("level", "after", "channels", "repeat"),
    "block": ("level", "from", "after", "channels", "repeat", "absorb", "resample", "join"),
    "output": ("from", "channels"),
}
FILLED_IN = {"channels": "the row's `channels`", "stride": "the difference of levels"}


@dataclass(frozen=True, eq=False)
class RowDecl:
    """A row with its clauses by name. `defined` is None for a plain output, or where the type is not known."""

    row: tree.Row
    clauses: Mapping[str, tree.Clause]
    defined: Defined | None
    sources: tuple[tree.Name, ...]  # rows fed in, in order
    direct: bool  # `after`, an output, or a stem: no resampling and no join
    absorbed: tuple[tree.Name, ...]
    resample: tuple[tree.Use, Defined] | None
    join: tuple[tree.Use, Defined] | None
    sound: bool  # false: a mistake was said of it, so that nothing that follows from it is

    @property
    def name(self) -> str:
        """Name of the row."""
        return self.row.name.text

    @property
    def misread(self) -> bool:
        """A clause of the row is not known: what seems to be missing may be meant by it."""
        return any(clause.keyword.text not in CLAUSES[self.row.kind] for clause in self.row.clauses)


@dataclass(frozen=True, eq=False)
class Network:
    """A network before any value is known. `arguments` are those of an instance."""

    name: str
    declared: tree.Network
    unit: Unit
    input: tree.Input | None
    defaults: tree.Defaults | None
    widths: tree.Widths | None
    rules: tree.Rules | None
    lets: tuple[tree.Binding, ...]
    allowed: tuple[tree.Allow, ...]
    rows: tuple[RowDecl, ...]
    mentioned: frozenset[str]
    arguments: tuple[tree.Argument, ...] = ()
    instance: tree.Instance | None = None

    @property
    def sound_text(self) -> bool:
        """Every statement of the network could be read."""
        return not any(isinstance(item, tree.Broken) for item in self.declared.items)


def resolve_network(declared: tree.Network, unit: Unit) -> tuple[Network, list[Diagnostic]]:
    """The network with its names bound, and what is wrong with them."""
    resolver = _Resolver(declared, unit)
    return resolver.run(), resolver.diagnostics


def resolve_instance(
    instance: tree.Instance, unit: Unit, networks: Mapping[str, Network]
) -> tuple[Network | None, list[Diagnostic]]:
    """The network that an instance is made of, with its arguments."""
    base = networks.get(instance.base.text)
    expressions = Expressions(unit, in_network=True)
    if base is None:
        if instance.base.text in unit.mentioned or instance.base.text in unit.networks:
            return None, []
        found = say.UNKNOWN_NAME.at(
            instance.base.span, kind="network", name=instance.base.text, where="in this file"
        ).with_rename(instance.base.span, nearest(instance.base.text, unit.networks))
        return None, [found]
    for argument in instance.arguments:
        expressions.check(argument.value, Scope())
    parameters = [parameter.name.text for parameter in base.declared.parameters]
    required = [p.name.text for p in base.declared.parameters if p.default is None]
    if base.instance is not None:
        parameters, required = [], []
    expressions.arguments(
        instance.base, instance.arguments, instance.span, parameters, required, base.declared.name.span
    )
    arguments = instance.arguments if base.instance is None else base.arguments
    made = replace(base, name=instance.name.text, arguments=arguments, instance=instance)
    return (made if not expressions.diagnostics else None), expressions.diagnostics


@dataclass
class _Resolver:
    declared: tree.Network
    unit: Unit
    diagnostics: list[Diagnostic] = field(default_factory=list)
    places: dict[str, tuple[str, Span]] = field(default_factory=dict)  # every name of the network, and what it is
    order: dict[str, int] = field(default_factory=dict)

    def run(self) -> Network:
        declared = self.declared
        items = declared.items
        self.expressions = Expressions(self.unit, self.diagnostics, in_network=True)
        self.scope = Scope()
        for parameter in declared.parameters:
            if parameter.default is not None:
                self.expressions.check(parameter.default, self.scope)
            self.take(parameter.name, "a parameter")
            self.scope.names[parameter.name.text] = ("parameter", parameter.name.span)
        lets = tuple(item for item in items if isinstance(item, tree.Binding))
        for let in lets:
            self.expressions.check(let.value, self.scope)
            self.take(let.name, "a `let`")
            self.scope.names[let.name.text] = ("let", let.name.span)
        mentioned = frozenset(name for item in items if isinstance(item, tree.Broken) for name in item.mentions)
        self.mentioned = mentioned
        input_ = self.setting(tree.Input, "input")
        if input_ is not None:
            self.take(input_.name, "the input")
            self.reserved(input_.name, "the input")
            for size in input_.sizes:
                self.expressions.check(size, self.scope)
        rows = [item for item in items if isinstance(item, tree.Row)]
        for index, row in enumerate(rows):
            if self.take(row.name, f"{_a(row.kind)}"):
                self.order[row.name.text] = index
            self.reserved(row.name, _a(row.kind))
        self.rows = rows
        network = Network(
            name=declared.name.text,
            declared=declared,
            unit=self.unit,
            input=input_,
            defaults=self.defaults(),
            widths=self.widths(),
            rules=self.rules(),
            lets=lets,
            allowed=self.allowed(),
            rows=self.resolve_rows(rows),
            mentioned=mentioned,
        )
        self.required_settings(network)
        return network

    # ---- names ----

    def take(self, name: tree.Name, what: str) -> bool:
        if name.text in self.places:
            first_what, first = self.places[name.text]
            self.diagnostics.append(
                say.DEFINED_TWICE.at(name.span, name=name.text, what=what).with_others(
                    Label(first, f"{first_what} has this name")
                )
            )
            return False
        self.places[name.text] = (what, name.span)
        return True

    def reserved(self, name: tree.Name, what: str) -> None:
        why = why_reserved(name.text)
        if why is not None:
            suggestion = (name.text.strip("_") or "block") + "_"
            self.diagnostics.append(
                say.NAME_RESERVED.at(name.span, name=name.text, what=what, why=why).with_fix(
                    f"choose another name, say `{suggestion}`"
                )
            )

    # ---- settings ----

    def setting(self, kind: type, word: str) -> object | None:
        """The only setting of its kind; a second one is a mistake."""
        found = [item for item in self.declared.items if isinstance(item, kind)]
        if word in ("resample", "join"):
            found = [item for item in found if item.keyword == word]
        for again in found[1:]:
            self.diagnostics.append(
                say.SETTING_TWICE.at(again.span, what=word, name=self.declared.name.text).with_others(
                    Label(found[0].span, "first set here")
                )
            )
        return found[0] if found else None

    def required_settings(self, network: Network) -> None:
        head = self.declared.name.span
        name = self.declared.name.text
        if not network.sound_text:
            return
        if network.input is None:
            self.diagnostics.append(
                say.MISSING_SETTING.at(head, name=name, what="input", label="expected an `input` row").with_fix(
                    "say what comes in, as in `input image: 3 x 640 x 640`"
                )
            )

    def defaults(self) -> tree.Defaults | None:
        defaults = self.setting(tree.Defaults, "defaults")
        roles: dict[str, Span] = {}
        for item in defaults.items if defaults is not None else ():
            primitive = self.primitive(item.use)
            if item.role is not None:
                if item.role.text not in ROLES:
                    self.unknown_entry(item.role, "`defaults`", ROLES)
                elif item.role.text == "act" and primitive is not None and not primitive.activation:
                    self.diagnostics.append(
                        say.WRONG_KIND.at(
                            item.use.name.span, name=item.use.name.text, got="no activation", expected="an activation"
                        )
                    )
            key = item.role.text if item.role is not None else item.use.name.text
            if key in roles:
                self.diagnostics.append(
                    say.SETTING_TWICE.at(item.span, what=key, name=self.declared.name.text).with_others(
                        Label(roles[key], "first set here")
                    )
                )
            roles[key] = item.span
            if primitive is not None:
                self.attributes(item.use, primitive)
        return defaults

    def primitive(self, use: tree.Use) -> Primitive | None:
        name = ALIASES.get(use.name.text, use.name.text)
        primitive = PRIMITIVES.get(name)
        if primitive is None or not primitive.callable:
            known = [p.name for p in PRIMITIVES.values() if p.callable]
            self.diagnostics.append(
                say.UNKNOWN_NAME.at(
                    use.name.span, kind="primitive operation", name=use.name.text, where="in the language"
                ).with_rename(use.name.span, nearest(use.name.text, [*known, *ALIASES]))
            )
            return None
        return primitive

    def attributes(self, use: tree.Use, primitive: Primitive) -> None:
        known = [attribute.name for attribute in primitive.attributes]
        for argument in use.arguments:
            self.expressions.check(argument.value, self.scope)
        if positional := [argument for argument in use.arguments if argument.name is None]:
            self.diagnostics.append(
                say.TOO_MANY_ARGUMENTS.at(positional[0].span, callee=use.name.text, most=0, got=len(positional))
                .with_notes("defaults are given by name")
            )  # fmt: skip
            return
        self.expressions.arguments(use.name, use.arguments, use.span, known, [], None)

    def widths(self) -> tree.Widths | None:
        widths = self.setting(tree.Widths, "widths")
        for item in widths.items if widths is not None else ():
            for part in (item.low, item.high, item.value):
                if part is not None:
                    self.expressions.check(part, self.scope)
        return widths

    def rules(self) -> tree.Rules | None:
        rules = self.setting(tree.Rules, "rules")
        for item in rules.items if rules is not None else ():
            if item.name.text != "inputs":
                self.unknown_entry(item.name, "`rules`", ("inputs",))
            self.expressions.check(item.low, self.scope)
            if item.high is not None:
                self.expressions.check(item.high, self.scope)
        return rules

    def allowed(self) -> tuple[tree.Allow, ...]:
        warnings = [code for code in say.CATALOGUE if code.startswith("W")]
        allowed = tuple(item for item in self.declared.items if isinstance(item, tree.Allow))
        for allow in allowed:
            if allow.code.text not in warnings:
                self.unknown_entry(allow.code, "`allow`", warnings)
        return allowed

    def unknown_entry(self, name: tree.Name, what: str, known: tuple[str, ...] | list[str]) -> None:
        self.diagnostics.append(
            say.UNKNOWN_ENTRY.at(name.span, what=what, name=name.text, known=one_of(known)).with_rename(
                name.span, nearest(name.text, known)
            )
        )

    # ---- rows ----

    def resolve_rows(self, rows: list[tree.Row]) -> tuple[RowDecl, ...]:
        settings = {word: self.setting(tree.Setting, word) for word in ("resample", "join")}
        self.common = {
            word: self.typed_use(setting.use, f"{word}_type") if setting is not None else None
            for word, setting in settings.items()
        }
        self.set_at_all = {word for word, setting in settings.items() if setting is not None}
        return tuple(self.resolve_row(row, index) for index, row in enumerate(rows))

    def resolve_row(self, row: tree.Row, index: int) -> RowDecl:
        before = len(self.diagnostics)
        clauses = self.clauses(row)
        plain = row.kind == "output" and not row.clauses and not row.use.arguments and self.is_row(row.use.name.text)
        defined = None if plain else self.typed_use(row.use, f"{row.kind}_type")
        sources, direct = self.sources(row, clauses, plain)
        absorbed = self.names(clauses.get("absorb"))
        known = all([self.above(name, row, index, sources) for name in (*sources, *absorbed)])
        resample, join = self.of_row(row, clauses, "resample", direct), self.of_row(row, clauses, "join", direct)
        for word in ("level", "repeat", "channels"):
            if word in clauses:
                self.expressions.check(clauses[word].value, self.scope)  # type: ignore[arg-type]
        sound = known and len(self.diagnostics) == before and (plain or defined is not None)
        sound = sound and not (not direct and (resample is None or join is None))
        return RowDecl(
            row, clauses, defined[1] if defined is not None else None, sources, direct, absorbed, resample, join, sound
        )

    def clauses(self, row: tree.Row) -> dict[str, tree.Clause]:
        known = CLAUSES[row.kind]
        found: dict[str, tree.Clause] = {}
        for clause in row.clauses:
            word = clause.keyword
            if word.text not in known:
                self.diagnostics.append(
                    say.UNKNOWN_CLAUSE.at(word.span, row=_a(row.kind) + " row", name=word.text, known=one_of(known)).with_rename(
                        word.span, nearest(word.text, known)
                    )
                )
            elif word.text in found:
                self.diagnostics.append(
                    say.CLAUSE_TWICE.at(clause.span, name=word.text).with_others(
                        Label(found[word.text].span, "first said here")
                    )
                )
            else:
                found[word.text] = clause
        if "from" in found and "after" in found:
            self.diagnostics.append(
                say.FROM_AND_AFTER.at(found["after"].span).with_others(Label(found["from"].span, "and `from` here"))
            )
        return found

    @staticmethod
    def names(clause: tree.Clause | None) -> tuple[tree.Name, ...]:
        return clause.value if clause is not None and isinstance(clause.value, tuple) else ()

    def is_row(self, name: str) -> bool:
        return name in self.order or name in self.mentioned

    def sources(
        self, row: tree.Row, clauses: Mapping[str, tree.Clause], plain: bool
    ) -> tuple[tuple[tree.Name, ...], bool]:
        """The rows that feed this one, and whether directly."""
        if plain:
            return (row.use.name,), True
        if row.kind == "stem":
            return self.names(clauses.get("after")), True
        names = self.names(clauses.get("from")) or self.names(clauses.get("after"))
        unknown = any(clause.keyword.text not in CLAUSES[row.kind] for clause in row.clauses)  # it may be meant
        if not names and not unknown:
            expected = "`from` a block, or `after` one" if row.kind == "block" else "`from` a block"
            self.diagnostics.append(
                say.MISSING_CLAUSE.at(
                    row.name.span, row=row.kind, name=row.name.text, what="what feeds it", expected=expected
                )
            )
        return names, row.kind == "output" or "from" not in clauses

    def above(self, name: tree.Name, row: tree.Row, index: int, sources: tuple[tree.Name, ...]) -> bool:
        """The row `name` stands above row number `index`; otherwise what is wrong was said."""
        at = self.order.get(name.text)
        if at is not None and at < index and self.rows[at].kind != "output":
            return True
        if at is None:
            self.unknown_row(name, index)
        elif at < index:
            self.diagnostics.append(
                say.WRONG_KIND.at(name.span, name=name.text, got="an output", expected="a block or a stem").with_others(
                    Label(self.rows[at].name.span, "an output is where the network ends")
                )
            )
        elif at == index or (circle := self.circle(name.text, row.name.text)) is None:
            self.below(name, row, at == index)
        else:
            way = " -> ".join(f"`{step}`" for step in circle)
            self.diagnostics.append(
                say.CYCLE.at(name.span, way=way).with_others(Label(self.rows[at].name.span, f"`{name.text}` stands here"))
            )
        return False

    def unknown_row(self, name: tree.Name, index: int) -> None:
        if name.text in self.mentioned or name.text in self.unit.mentioned:
            return
        usable = [row.name.text for row in self.rows[:index] if row.kind != "output"]
        if name.text in self.places:
            what, place = self.places[name.text]
            found = say.WRONG_KIND.at(name.span, name=name.text, got=what, expected="a block or a stem")
            self.diagnostics.append(found.with_others(Label(place, f"`{name.text}` is set here")))
            return
        self.diagnostics.append(
            say.UNKNOWN_NAME.at(
                name.span, kind="block", name=name.text, where=f"in network `{self.declared.name.text}`"
            ).with_rename(name.span, nearest(name.text, usable))
        )

    def below(self, name: tree.Name, row: tree.Row, itself: bool) -> None:
        if itself:
            self.diagnostics.append(say.CYCLE.at(name.span, way=f"`{name.text}` -> `{name.text}`"))
            return
        place = self.rows[self.order[name.text]]
        self.diagnostics.append(
            say.USED_BEFORE.at(name.span, name=name.text, user=row.name.text)
            .with_others(Label(place.name.span, f"`{name.text}` stands here"))
            .with_fix(f"move the row of `{row.name.text}` below that of `{name.text}`, or feed it from a block above")
        )

    def circle(self, start: str, goal: str) -> list[str] | None:
        """A way from row `start` over its inputs back to row `goal`, if there is one."""
        trail, seen = [[start]], {start}
        while trail:
            way = trail.pop()
            if way[-1] == goal:
                return [goal, *way]
            row = self.rows[self.order[way[-1]]]
            for clause in row.clauses:
                for name in self.names(clause):
                    if name.text in self.order and name.text not in seen:
                        seen.add(name.text)
                        trail.append([*way, name.text])
        return None

    # ---- types ----

    def of_row(
        self, row: tree.Row, clauses: Mapping[str, tree.Clause], word: str, direct: bool
    ) -> tuple[tree.Use, Defined] | None:
        """The row's own `resample` or `join`, else the network's."""
        clause = clauses.get(word)
        if clause is not None and isinstance(clause.value, tree.Use):
            return self.typed_use(clause.value, f"{word}_type")
        if direct:
            return None
        if word not in self.set_at_all and not any(isinstance(item, tree.Broken) for item in self.declared.items):
            self.diagnostics.append(
                say.MISSING_SETTING.at(
                    self.declared.name.span, name=self.declared.name.text, what=f"`{word}`",
                    label=f"expected a `{word}` setting: rows with `from` need it",
                ).with_others(Label(row.span, f"`{row.name.text}` is the first such row"))
            )  # fmt: skip
            self.set_at_all.add(word)
        return self.common[word]

    def typed_use(self, use: tree.Use, kind: str) -> tuple[tree.Use, Defined] | None:
        """The definition that a row or setting names, of the right kind and with arguments that it knows."""
        defined = self.unit.definitions.get(use.name.text)
        for argument in use.arguments:
            self.expressions.check(argument.value, self.scope)
        if defined is None:
            if use.name.text not in self.unit.mentioned and not self.unit.incomplete:
                self.unknown_type(use, kind)
            return None
        if defined.kind != kind:
            self.diagnostics.append(
                say.WRONG_KIND.at(
                    use.name.span, name=use.name.text, got=KIND_IN_WORDS[defined.kind], expected=KIND_IN_WORDS[kind]
                ).with_others(Label(defined.definition.name.span, "defined here"))
            )
            return None
        implicit = len(IMPLICIT[kind])
        formals = defined.definition.parameters[implicit:]
        parameters = [parameter.name.text for parameter in formals]
        required = [p.name.text for p in formals if p.default is None and p.name.text not in FILLED_IN]
        place = defined.definition.name.span
        positional = [argument for argument in use.arguments if argument.name is None]
        if positional:
            self.diagnostics.append(
                say.TOO_MANY_ARGUMENTS.at(
                    positional[0].span, callee=use.name.text, most=0, got=len(positional)
                ).with_notes("a row gives its arguments by name").with_others(Label(place, "defined here"))
            )
            return None
        self.expressions.arguments(use.name, use.arguments, use.span, parameters, required, place)
        return use, defined

    def unknown_type(self, use: tree.Use, kind: str) -> None:
        words = kind.replace("_", " ")
        same = [name for name, defined in self.unit.definitions.items() if defined.kind == kind]
        diagnostic = say.UNKNOWN_NAME.at(
            use.name.span, kind=words, name=use.name.text, where="in this file or its imports"
        )
        near = nearest(use.name.text, same)
        diagnostic = diagnostic.with_rename(use.name.span, near)
        if near is None:
            if module := home_of(use.name.text):
                place = _place_for_import(self.unit.file)
                diagnostic = diagnostic.with_fix(f"import it: `import std.{module}`", Edit(place, f"import std.{module}\n"))
            else:
                diagnostic = diagnostic.with_notes(f"known {words}s: {one_of(same, conjunction='and')}")
        self.diagnostics.append(diagnostic)


def _place_for_import(file: tree.File) -> Span:
    """Above the first import, or above the first thing that follows the version."""
    first = [*file.imports, *file.definitions, *file.networks]
    start = min((node.span.start for node in first), default=0)
    return Span(file.source, start, start)


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
