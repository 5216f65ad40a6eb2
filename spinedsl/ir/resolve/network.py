"""Resolve a network: its settings gathered and checked by their text; its rows are resolved in `rows`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Label, one_of
from spinedsl.ir.arguments import taken_away
from spinedsl.ir.library import Defined, Unit, language_callable
from spinedsl.ir.networks import RULES, Network, TaskDecl, layers
from spinedsl.ir.resolve.given import misgiven, named_in
from spinedsl.ir.resolve.names import MAX_MEANT, Names
from spinedsl.ir.resolve.rows import RowResolver
from spinedsl.ir.trace import Trace
from spinedsl.ops.primitives import ALIASES, PRIMITIVES, ROLES, Primitive
from spinedsl.record import Record
from spinedsl.source import Span
from spinedsl.syntax import tree

T = TypeVar("T")
NO_ROLE = "none"  # `act none`: what the role is applied to, as it is
NOTHING = ("none", "null", "linear", "false", "no")  # what people call the identity as an activation


def resolve_network(declared: tree.Network, unit: Unit, trace: Trace | None = None) -> tuple[Network, list[Diagnostic]]:
    """The network with its names bound, and what is wrong with them. `trace` tells what edits did to it."""
    names = Names(declared, unit, trace)
    return _Settings(names).network(), names.diagnostics


class _Settings(Record, frozen=False):
    names: Names

    def network(self) -> Network:
        """The network with its names resolved: parameters, `let`s, settings, rows and tasks."""
        names, items = self.names, self.names.declared.items
        for parameter in names.declared.parameters:
            if parameter.default is not None:
                names.held(parameter.default)
            names.take_value(parameter.name, "parameter", "a parameter", parameter.default)
        lets = tuple(item for item in items if isinstance(item, tree.Binding))
        for let in lets:
            names.held(let.value)
            names.take_value(let.name, "let", "a `let`", let.value)
        input_ = self.input()
        for item in items:
            if isinstance(item, tree.Row):
                names.take_row(item)
            elif isinstance(item, tree.Maps | tree.Outputs | tree.Part):
                names.take_ports(item, image=input_ is not None)
            elif isinstance(item, tree.Broken) and item.unread:
                names.meant |= {row.name.text for row in names.rows[-MAX_MEANT:]}
        settings = self.of_kind(tree.Setting)
        uses = {
            word: self.only(word, [setting for setting in settings if setting.keyword == word])
            for word in ("resample", "join")
        }
        self.frames()
        resolver = RowResolver(names, uses)
        rows = resolver.rows()
        tasks = tuple(item for item in items if isinstance(item, tree.Task))
        return Network(
            name=names.network,
            declared=names.declared,
            unit=names.unit,
            input=input_,
            defaults=self.defaults(),
            widths=self.widths(),
            rules=self.rules(),
            lets=lets,
            allowed=self.allowed(),
            rows=rows,
            mentioned=names.mentioned | names.meant,
            arguments={},
            trace=names.trace,
            tasks=self.tasks(tasks),
            joining=resolver.common,
        )

    def tasks(self, tasks: tuple[tree.Task, ...]) -> tuple[TaskDecl, ...]:
        if not tasks:
            return ()
        from spinedsl.ir.resolve.tasks import TaskResolver  # noqa: PLC0415  most networks have none

        return tuple(TaskResolver(self.names).task(task) for task in tasks)

    def of_kind(self, kind: type[T]) -> list[T]:
        return [item for item in self.names.declared.items if isinstance(item, kind)]

    def only(self, word: str, found: list[T]) -> T | None:
        """The only setting of its kind; a second one is a mistake."""
        for again in found[1:]:
            self.names.twice(word, again.span, found[0].span)  # type: ignore[attr-defined]
        return found[0] if found else None

    def input(self) -> tree.Input | None:
        """The only `input` row; None where it is missing, which is reported."""
        names = self.names
        found = self.only("input", self.of_kind(tree.Input))
        if found is None:
            maps = any(isinstance(item, tree.Maps) for item in names.declared.items)
            if (
                not maps
                and not names.mentioned
                and all(not isinstance(item, tree.Broken) for item in names.declared.items)
            ):
                missing = say.MISSING_SETTING.at(
                    names.declared.name.span, name=names.network, what="input", label="expected an `input` row"
                )
                names.diagnostics.append(missing.with_fix("say what comes in, as in `input image: 3 x 640 x 640`"))
            return None
        names.take(found.name, "the input")
        names.refuse_reserved(found.name, "the input")
        for size in found.sizes:
            names.check(size)
        return found

    # ---- defaults ----

    def defaults(self) -> tree.Defaults | None:
        """The only `defaults`."""
        defaults = self.only("defaults", self.of_kind(tree.Defaults))
        self.entries(defaults)
        return defaults

    def frames(self) -> None:
        """The settings of the parts, called as they are here."""
        for frame in self.names.declared.frames.values():
            for item in frame.items:
                if isinstance(item, tree.Defaults):
                    self.entries(item)

    def entries(self, defaults: tree.Defaults | None) -> None:
        """The entries of `defaults` checked: known roles and operations, each once."""
        names = self.names
        seen: dict[str, Span] = {}
        for item in defaults.items if defaults is not None else ():
            if self.is_turned_round(item):
                continue
            known = item.role is None or item.role.text in ROLES
            defined = self.defined(item)
            primitive = self.primitive(item) if known and defined is None and not self.held(item) else None
            if item.role is not None:
                self.role(item, primitive)
            key = item.role.text if item.role is not None else ALIASES.get(item.use.name.text, item.use.name.text)
            if key in seen:
                names.twice(key, item.span, seen[key])
            seen[key] = item.span
            if defined is not None:
                self.parameters(item, defined)
            if primitive is not None:
                self.attributes(item.use, primitive)
                if item.role is None:
                    self.read(defaults, item, primitive)

    def read(self, defaults: tree.Defaults | None, item: tree.DefaultItem, primitive: Primitive) -> None:
        """An entry of an operation sets something, and nothing that every call has to say by itself."""
        assert defaults is not None
        name, arguments = item.use.name.text, item.use.arguments
        alike = [other for other in defaults.items if other.role is None and other.use.name.text == name]
        if len(alike) > 1:  # which is reported
            return
        roles = {other.role.text: other.use.name.text for other in defaults.items if other.role is not None}
        if not arguments:
            found = say.NOT_READ.at(item.span, name=name, where="`defaults`", why="it sets nothing")
            role = "act" if primitive.activation else "norm" if name.endswith("_norm") else ""
            if role and role not in roles:
                found = found.with_fix(f"say what it is for: `{role} {name}`", Edit(item.span, f"{role} {name}"))
            else:
                found = found.with_fix("take it away", taken_away(defaults.items, item))
            self.names.diagnostics.append(found)
        for argument in arguments:
            attribute = primitive.attribute(argument.name.text) if argument.name is not None else None
            # The entry of a role builds on it; edits may have chosen another operation for that.
            built_on = primitive.name in roles.values() or (self.names.trace is not None and name.endswith("_norm"))
            if attribute is None or not attribute.required or built_on:
                continue
            why = f"every `{name}` says its own `{attribute.name}`"
            found = say.NOT_READ.at(argument.span, name=attribute.name, where=f"`{name}` in `defaults`", why=why)
            alone = len(arguments) == 1
            away = taken_away(defaults.items, item) if alone else taken_away(arguments, argument)
            self.names.diagnostics.append(found.with_fix("take it away", away))

    def is_turned_round(self, item: tree.DefaultItem) -> bool:
        """`relu act` says an operation first, and then what it is for: reported once."""
        role = item.use.name.text
        if item.role is None or role not in ROLES or item.role.text not in {*_fitting(role), "identity"}:
            return False
        found = say.UNKNOWN_ENTRY.at(item.role.span, what="`defaults`", name=item.role.text, known=one_of(ROLES))
        swapped = (Edit(item.role.span, role), Edit(item.use.name.span, item.role.text))
        self.names.diagnostics.append(found.with_fix(f"the other way round: `{role} {item.role.text}`", *swapped))
        return True

    def held(self, item: tree.DefaultItem) -> bool:
        """`act` is what a parameter or a `let` of the network holds; its value is checked when it is known."""
        name, use = item.use.name.text, item.use
        mentioned = name in self.names.scope.names and language_callable(name) is None
        return mentioned and item.role is not None and item.role.text == "act" and not use.arguments

    def defined(self, item: tree.DefaultItem) -> Defined | None:
        """The `def` that is to be what `act` or `norm` stands for."""
        if item.role is None or item.role.text not in ROLES or self.held(item):
            return None
        defined = self.names.unit.home(item.use.name.span).definitions.get(item.use.name.text)
        return defined if defined is not None and defined.kind == "def" else None

    def parameters(self, item: tree.DefaultItem, defined: Defined) -> None:
        """It takes a feature map, and whatever else has a default or is given by name; it is no part of itself."""
        assert item.role is not None
        names, use, role = self.names, item.use, item.role.text
        for argument in use.arguments:
            names.held(argument.value)
        first, *others = defined.definition.parameters or (None,)
        if first is None or first.default is not None:
            found = say.MISSING_PARAMETER.at(
                use.name.span, kind="a helper definition", name=defined.name, missing="the feature map"
            )
            example = f"def {defined.name}(x)"
            names.diagnostics.append(found.with_notes(f"`{role}` gives it one").repaired(example=example))
        elif positional := [argument for argument in use.arguments if argument.name is None]:
            found = say.GIVEN_BY_NAME.at(positional[0].span, callee=use.name.text, what="`defaults` give")
            named = others[0].name.text if others else "name"
            names.diagnostics.append(found.with_fix(f"name it, as in `{named} = {positional[0].span.text}`"))
        else:
            known = [parameter.name.text for parameter in others]
            required = [parameter.name.text for parameter in others if parameter.default is None]
            names.at(use.span).arguments(
                use.name, use.arguments, use.span, known, required, defined.definition.name.span
            )
            names.diagnostics += misgiven(defined, use.arguments, names.unit.home(use.span), names.scope.names)
        if (way := self.way_back(defined, role, use)) is not None:
            found = say.RECURSION.at(use.name.span, name=defined.name, way=way)
            found = found.with_others(Label(defined.definition.name.span, f"`{defined.name}` is defined here"))
            names.diagnostics.append(found.with_fix(f"call an operation by its name there, as `relu(x)`, not `{role}`"))

    def way_back(self, defined: Defined, role: str, use: tree.Use) -> str | None:
        """How a definition that a role stands for comes to call the role itself; None if it does not.

        So may one that it is given.
        """
        home, known = self.names.unit.home(use.span), self.names.scope.names
        named = [one.value.name for one in use.arguments if isinstance(one.value, tree.Ident)]
        given = [
            (home.definitions[name], f", by way of `{name}`")
            for name in named
            if name in home.definitions and name not in known
        ]
        defaults = self.of_kind(tree.Defaults)
        roles = {item.role.text: item for found in defaults for item in found.items if item.role is not None}
        pending: list[tuple[Defined, str]] = [(defined, ""), *given]
        seen = {id(one) for one, _ in pending}
        while pending:
            one, way = pending.pop()
            for callee in (*calls_in(one.definition), *named_in(one)):
                if callee == role:
                    return f"{way}, by way of `{role}`" if not way else f"{way} and `{role}`"
                further = one.unit.definitions.get(callee)
                if further is None and callee in roles:
                    further = self.defined(roles[callee])
                if further is not None and id(further) not in seen:
                    seen.add(id(further))
                    pending.append((further, way or f", by way of `{callee}`"))
        return None

    def role(self, item: tree.DefaultItem, primitive: Primitive | None) -> None:
        """`act` is an activation, `norm` a normalisation, and nothing else is a role."""
        assert item.role is not None
        if item.role.text not in ROLES:
            self.names.unknown_entry(item.role, "`defaults`", ROLES)
            return
        if primitive is None:
            return
        if not fills(item.role.text, primitive):
            expected = "an activation" if item.role.text == "act" else "a normalisation"
            found = say.WRONG_KIND.at(
                item.use.name.span, name=item.use.name.text, got="another operation", expected=expected
            )
            nothing = "identity" if item.use.name.text.lower() in NOTHING else None
            choose = found.with_fix(f"choose {one_of(_fitting(item.role.text))}")
            self.names.diagnostics.append(found.with_rename(item.use.name.span, nothing) if nothing else choose)

    def primitive(self, item: tree.DefaultItem) -> Primitive | None:
        """The primitive that an entry names."""
        use, role = item.use, item.role.text if item.role is not None else ""
        found = language_callable(use.name.text)
        if isinstance(found, Primitive):
            return found
        if role and use.name.text == NO_ROLE:
            return PRIMITIVES["identity"]
        known = _fitting(role)
        kind = {"act": "activation", "norm": "normalisation"}.get(role, "primitive operation")
        unknown = say.UNKNOWN_NAME.at(use.name.span, kind=kind, name=use.name.text, where="in the language")
        near = self.names.unit.nearest(use.name.text, [*known, *ALIASES])
        if item.role is None and use.name.text in ROLES:
            example = {"act": "relu", "norm": "batch_norm"}[use.name.text]
            near, unknown = None, unknown.with_fix(f"say which one it is, as in `{use.name.text} {example}`")
        elif use.name.text.lower() in NOTHING and role:
            near = "identity"
        elif role and (defined := self.names.unit.definitions.get(use.name.text)) is not None:
            unknown = unknown.with_others(Label(defined.definition.name.span, "a definition of this name"))
            what = f"`{role}` stands for an operation or a `def`"
            near, unknown = None, unknown.with_fix(f"{what}: make a `def` of what `{use.name.text}` does to its map")
        elif near is None:
            unknown = unknown.with_fix(f"choose {one_of(known, limit=40)}")
        self.names.diagnostics.append(unknown.with_rename(use.name.span, near))
        for argument in use.arguments:
            self.names.check(argument.value)
        return None

    def attributes(self, use: tree.Use, primitive: Primitive) -> None:
        """The attributes of an entry, given by name."""
        names = self.names
        if names.at(use.span).compared(use.name, use.arguments, names.scope):
            return
        for argument in use.arguments:
            if argument.name is not None:
                names.argument(argument, primitive)
        known = [attribute.name for attribute in primitive.attributes]
        if positional := [argument for argument in use.arguments if argument.name is None]:
            found = say.GIVEN_BY_NAME.at(positional[0].span, callee=use.name.text, what="`defaults` give")
            if known:
                text = f"{known[0]} = {positional[0].span.text}"
                found = found.with_fix(f"name it, as in `{text}`", Edit(positional[0].span, text))
            else:
                found = found.with_fix(f"take it away: `{use.name.text}` has no parameters")
            names.diagnostics.append(found)
            return
        names.at(use.span).arguments(use.name, use.arguments, use.span, known, [], None)

    # ---- the other settings ----

    def widths(self) -> tree.Widths | None:
        widths = self.only("widths", self.of_kind(tree.Widths))
        for item in (item for layer in layers(widths) for item in layer.items):
            for part in (item.low, item.high, item.value):
                if part is not None:
                    self.names.check(part)
        return widths

    def rules(self) -> tree.Rules | None:
        rules = self.only("rules", self.of_kind(tree.Rules))
        seen: dict[str, Span] = {}
        for item in rules.items if rules is not None else ():
            if item.name.text not in RULES:
                self.names.unknown_entry(item.name, "`rules`", RULES)
            if item.name.text in seen:
                self.names.twice(item.name.text, item.span, seen[item.name.text])
            seen[item.name.text] = item.span
            from spinedsl.ir.resolve.ruled import check_rule  # noqa: PLC0415  few networks have rules

            check_rule(self.names, item)
        return rules

    def allowed(self) -> tuple[tree.Allow, ...]:
        allowed = tuple(self.of_kind(tree.Allow))
        warnings = say.lints()
        for allow in allowed:
            if allow.code.text in say.codes() and allow.code.text not in warnings:
                found = say.WRONG_KIND.at(
                    allow.code.span, name=allow.code.text, got="an error", expected="the code of a warning"
                )
                found = found.with_notes("errors cannot be allowed")
                self.names.diagnostics.append(found.with_fix("take the row away", Edit(allow.span, "")))
            elif allow.code.text not in warnings:
                self.names.unknown_entry(allow.code, "`allow`", warnings)
        return allowed


def calls_in(definition: tree.Definition) -> Iterator[str]:
    """What a definition calls, by name."""
    for part in tree.walk(*(parameter.default for parameter in definition.parameters), definition.body):
        if isinstance(part, tree.Call):
            yield part.callee.text


def fills(role: str, primitive: Primitive) -> bool:
    """A primitive can be what `act` or `norm` stands for."""
    if role == "act":
        return primitive.activation
    return role != "norm" or primitive.name.endswith("_norm") or primitive.name == "identity"


def _fitting(role: str) -> list[str]:
    """The primitives that can fill a role; without a role, those that can have a default."""
    if role == "act":
        return [primitive.name for primitive in PRIMITIVES.values() if primitive.activation]
    if role == "norm":
        return [name for name in PRIMITIVES if name.endswith("_norm")]
    return [primitive.name for primitive in PRIMITIVES.values() if primitive.callable]
