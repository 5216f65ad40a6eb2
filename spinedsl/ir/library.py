"""What a file can name: its own definitions and networks, those that it imports, and what the language gives.

In: a parsed file and the units of the files that it imports. Out: a `Unit`, one table of names for each kind of thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from spinedsl import checks as say
from spinedsl.brief import Table, counted, cut, short_path
from spinedsl.diagnostics import Diagnostic, Label, nearest
from spinedsl.ir.unused import UnusedName, unused_names
from spinedsl.ops.primitives import ALIASES, PRIMITIVES, ROLES, Primitive
from spinedsl.ops.types import Expr, Loc
from spinedsl.record import Record, field
from spinedsl.source import Source, Span
from spinedsl.syntax import tree

SCALAR_FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "floor": ("x",),
    "ceil": ("x",),
    "round": ("x", "to"),
    "max": ("a", "b"),
    "min": ("a", "b"),
    "power": ("x", "exponent"),
    "sqrt": ("x",),
    "log2": ("x",),
}
LIST_FUNCTIONS = ("sum", "first", "last", "rest", "len")
# What files written before may have defined themselves: theirs is meant there.
YIELDING = frozenset(
    "power sqrt log2 exp channel_mean channel_max channel_sum global_max_pool global_sum_pool adaptive_average_pool "
    "pixel_shuffle pixel_unshuffle channel_conv".split()
)
PROPERTIES = ("channels", "in_channels", "out_channels", "level", "height", "width")  # of feature maps and blocks

# The parameters that a row fills in by itself, first ones first.
IMPLICIT = {
    "stem_type": ("map",),
    "block_type": ("map",),
    "output_type": ("map",),
    "join_type": ("maps",),
    "head_type": ("maps",),
    "resample_type": ("map", "block", "block"),
    "def": (),
    "fn": (),
}
KIND_IN_WORDS = {
    "stem_type": "a stem type",
    "block_type": "a block type",
    "output_type": "an output type",
    "join_type": "a join type",
    "head_type": "a head type",
    "resample_type": "a resample type",
    "def": "a helper definition",
    "fn": "a function of numbers",
}


class Defined(Record, frozen=False, eq=False):
    """A definition with the unit that gives its names meaning. `sound` is false once a mistake was found in it."""

    definition: tree.Definition
    unit: Unit
    sound: bool = True
    # Found while it is expanded, and kept: every expansion would find the same.
    plan: Any = field(default=None, repr=False)  # see `plan_of`
    locs: dict[int, Loc] = field(default_factory=dict, repr=False)  # by offset in its source
    notations: dict[int, Expr] = field(default_factory=dict, repr=False)  # by identity of the expression
    # By defaults, then arguments: see `expand`.
    expansions: dict[object, dict[object, Any]] = field(default_factory=dict, repr=False)

    def __brief__(self) -> str:
        return f"{self.kind} {cut(self.name, 40)} in {short_path(self.definition.span.source.name, 40)}"

    @property
    def name(self) -> str:
        """Name of the definition."""
        return self.definition.name.text

    @property
    def kind(self) -> str:
        """Keyword of the definition."""
        return self.definition.kind

    @cached_property
    def parameters(self) -> dict[str, tree.Parameter]:
        """Its parameters by name, in their order."""
        return Table({parameter.name.text: parameter for parameter in self.definition.parameters})

    def parameter(self, name: str) -> tree.Parameter | None:
        """The parameter of that name."""
        return self.parameters.get(name)

    @cached_property
    def called(self) -> dict[str, Span]:
        """The parameters that its body calls, each with the first call."""
        found: dict[str, Span] = {}
        for part in tree.walk(self.definition.body):
            if isinstance(part, tree.Call) and part.callee.text in self.parameters:
                found.setdefault(part.callee.text, part.span)
        return found

    @cached_property
    def bound(self) -> frozenset[str]:
        """Every name that it binds, for what it calls by it."""
        found = set(self.parameters)
        pending: list[object] = [self.definition.body]
        while pending:
            part = pending.pop()
            if isinstance(part, tree.Binding | tree.Each):
                found.add(part.name.text if isinstance(part, tree.Binding) else part.item.text)
            elif isinstance(part, tree.Repeat) and part.index is not None:
                found.add(part.index.text)
            if not isinstance(part, tree.Call | tree.Ident):
                pending += tree.parts(part)
        return frozenset(found)

    @cached_property
    def frames(self) -> int:
        """Python's frames, at most, while it is expanded without what it calls."""
        return 3 * tree.depth(self.definition.body) + 8


class Unit(Record, frozen=False, eq=False):
    """A resolved file.

    Nobody complains of names that are `mentioned`: inside statements that could not be read, or of definitions that
    could not be taken.
    """

    file: tree.File
    definitions: dict[str, Defined] = field(default_factory=Table)
    networks: dict[str, tree.Network | tree.Instance] = field(default_factory=Table)
    imports: tuple[Unit, ...] = ()
    mentioned: frozenset[str] = frozenset()
    incomplete: bool = False  # an import failed: unknown names may be its
    suggestions: int = 200  # how many more times the file is searched for a name that may be meant
    homes: dict[Source, Unit] = field(default_factory=dict, repr=False)  # see `home`

    def __brief__(self) -> str:
        held = f"{counted(len(self.definitions), 'definition')}, {counted(len(self.networks), 'network')}"
        return f"{short_path(self.file.source.name)}: {held}"

    def nearest(self, name: str, known: Iterable[str]) -> str | None:
        """The known name most like this one; None if there is none, or so many mistakes that nobody needs it."""
        self.suggestions -= 1
        return nearest(name, known) if self.suggestions >= 0 else None

    def all_imports(self) -> tuple[Unit, ...]:
        """The units that this one imports, and those that they do, nearest first, each once."""
        found = dict.fromkeys(self.imports)
        pending = list(found)
        while pending:
            further = [unit for unit in pending.pop(0).imports if unit not in found]
            found |= dict.fromkeys(further)
            pending += further
        return tuple(found)

    @property
    def unused_names(self) -> Iterator[UnusedName]:
        """Definitions and parameters of this file that nothing in it uses."""
        return unused_names(self, IMPLICIT)

    @property
    def allowed(self) -> set[str]:
        """The warnings that some network of the file accepts."""
        items = [item for network in self.file.networks for item in _items(network)]
        return {item.code.text for item in items if isinstance(item, tree.Allow)}

    def home(self, span: Span) -> Unit:
        """The unit of the file in which a place stands: what is written there means what it means in that file."""
        if span.source is self.file.source:
            return self
        if not self.homes:
            self.homes = {unit.file.source: unit for unit in self.all_imports()}
        return self.homes.get(span.source, self)

    def with_network(self, name: str) -> list[Unit]:
        """The units whose own network an instance here can mean by that name: this file and those that it imports."""
        return [unit for unit in dict.fromkeys((self, *self.imports)) if name in unit.networks]

    def own(self) -> Iterable[Defined]:
        """The definitions that stand in this file."""
        return [defined for defined in self.definitions.values() if defined.unit is self]


def _items(network: tree.Network | tree.Instance) -> Iterable[object]:
    return network.items if isinstance(network, tree.Network) else network.edits or ()


def language_callable(name: str) -> Primitive | str | None:
    """What the language itself offers under a name that can be called: a primitive, a role, or a function."""
    primitive = PRIMITIVES.get(ALIASES.get(name, name))
    if primitive is not None and primitive.callable:
        return primitive
    return name if name in ROLES or name in SCALAR_FUNCTIONS or name in LIST_FUNCTIONS else None


def callables() -> list[str]:
    """Every name that the language itself makes callable."""
    primitives = [primitive.name for primitive in PRIMITIVES.values() if primitive.callable]
    return [*primitives, *ALIASES, *ROLES, *SCALAR_FUNCTIONS, *LIST_FUNCTIONS]


def gather(file: tree.File, imports: Iterable[tuple[tree.Import, Unit | None]]) -> tuple[Unit, list[Diagnostic]]:
    """The table of names of a file. A name that two things claim is reported once, with both places."""
    imported = tuple(imports)
    of_language = {one.name.text for one in file.definitions if _is_of_language(one.name.text)}
    mentioned = frozenset(name for broken in file.broken for name in broken.mentions) | of_language
    unit = Unit(file, imports=tuple(found for _, found in imported if found is not None), mentioned=mentioned)
    broken_import = any(broken.span.text.startswith("import") or "std" in broken.mentions for broken in file.broken)
    unit.incomplete = broken_import or any(found is None for _, found in imported)
    diagnostics: list[Diagnostic] = []
    places: dict[str, Span] = {}
    for import_, found in imported:
        for defined in found.own() if found is not None else ():
            if defined.name in unit.definitions and unit.definitions[defined.name] is not defined:
                diagnostics.append(_twice(defined.name, import_.span, "an import", places[defined.name]))
                continue
            unit.definitions[defined.name] = defined
            places[defined.name] = import_.span
    for definition in file.definitions:
        name = definition.name
        if name.text in of_language:
            diagnostics.append(
                say.DEFINED_TWICE.at(name.span, name=name.text, what="a definition")
                .with_notes(f"`{name.text}` is part of the language")
                .with_fix(f"choose another name, say `{name.text}_2`")
            )
        elif name.text in places:
            diagnostics.append(_twice(name.text, name.span, "a definition", places[name.text]))
        else:
            unit.definitions[name.text] = Defined(definition, unit)
            places[name.text] = name.span
    taken: dict[str, Span] = {}
    for network in file.networks:
        if network.name.text in taken:
            diagnostics.append(_twice(network.name.text, network.name.span, "a network", taken[network.name.text]))
        else:
            unit.networks[network.name.text] = network
            taken[network.name.text] = network.name.span
    for space in file.spaces:
        if space.name.text in taken:
            diagnostics.append(_twice(space.name.text, space.name.span, "a space", taken[space.name.text]))
        taken.setdefault(space.name.text, space.name.span)
    return unit, diagnostics


def _is_of_language(name: str) -> bool:
    """No definition may have that name; whoever means one by it is not told a second time."""
    return name not in YIELDING and language_callable(name) is not None


def _twice(name: str, span: Span, what: str, first: Span) -> Diagnostic:
    found = say.DEFINED_TWICE.at(span, name=name, what=what)
    found = found.with_others(Label(first, f"`{name}` comes from here first"))
    if what == "an import":
        return found.with_fix("rename one of the two, or import only one of the files")
    return found.with_fix(f"choose another name, say `{name}_2`")
