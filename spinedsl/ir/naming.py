"""The names of parameters inside a definition: a property of its text alone, whatever it is expanded for.

A `let` names what stands on its right: in `let squeeze = act(norm(conv(x, …)))` the convolution's weight is
`squeeze.conv.weight`. Elsewhere an operation goes by the name it is called by. A second call of one name in one scope
is `conv_2`. Iterations of a `repeat` are `rep0`, `rep1`, …; those of `each p in …` are `p0`, `p1`, ….

What is `shared` has one set of weights for all maps of the `each` around it, or, without one, for all iterations: it
stands where that `each`, or the outermost `repeat`, stands, and is named after everything else there, so that it never
takes another's name. A `repeat` inside the `each` keeps its iterations apart: `rep0`, `rep1`, … there as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.ir.library import LIST_FUNCTIONS, SCALAR_FUNCTIONS, YIELDING, Unit
from spinedsl.record import Record, field
from spinedsl.syntax import tree

Paths = dict[int, tuple[str, ...]]


def name_parts(definition: tree.Definition, unit: Unit) -> tuple[Paths, frozenset[int]]:
    """For each call in the body, by identity of its node, the path below the definition; for a loop, its prefix.

    A `repeat` that keeps what is shared in it apart has a second prefix, for that. Then the calls that are all of their
    `let`, by the name of a value: if that holds a definition, the last name of the path is left out.
    """
    bound = {parameter.name.text for parameter in definition.parameters} | _bound(definition.body)
    namer = _Namer(unit, YIELDING & unit.definitions.keys(), frozenset(bound))
    taken = namer.own_names(definition.body)
    shared = _Shared()
    namer.body(definition.body, taken, shared, outermost=True)
    namer.name_shared(shared, taken)
    return namer.paths, frozenset(namer.alone)


class _Shared(Record, frozen=False):
    """What is shared from one place: calls, each with the `let` that it stands in, and the `repeat`s to keep apart."""

    calls: list[tuple[int, int]] = field(default_factory=list)
    repeats: list[tuple[int, _Shared]] = field(default_factory=list)
    in_each: bool = False

    def __bool__(self) -> bool:
        return bool(self.calls) or any(inner for _, inner in self.repeats)


class _Namer(Record, frozen=False):
    unit: Unit
    own: frozenset[str]  # names of functions that mean something else here
    bound: frozenset[str]  # names that the definition gives
    paths: Paths = field(default_factory=dict)
    alone: set[int] = field(default_factory=set)
    let: int = 0
    home: _Shared | None = None  # what is shared goes here; None outside of loops

    def body(self, body: tree.Body, taken: set[str], home: _Shared, *, outermost: bool = False) -> None:
        """Name the calls of one scope, where `taken` are the names that it has given so far."""
        opened: list[_Shared] = []
        for statement in _same_scope(body):
            self.home = None if outermost else home
            if isinstance(statement, tree.Binding):
                self.binding(statement, taken)
            elif isinstance(statement, tree.Return | tree.Yield):
                self.calls(statement.value, (), taken)
            elif isinstance(statement, tree.Repeat | tree.Each):
                name = "rep" if isinstance(statement, tree.Repeat) else statement.item.text
                if isinstance(statement, tree.Each):
                    self.calls(statement.items, (), taken)
                self.paths[id(statement)] = (_prefix(name, taken | _callees(body)),)
                taken.add(self.paths[id(statement)][0])
                inner = home
                if isinstance(statement, tree.Each):
                    inner = _Shared(in_each=True)
                    opened.append(inner)
                elif home.in_each:
                    inner = _Shared(in_each=True)
                    home.repeats.append((id(statement), inner))
                self.body(statement.body, self.own_names(statement.body), inner)
        for shared in opened:
            self.name_shared(shared, taken)

    def binding(self, binding: tree.Binding, taken: set[str]) -> None:
        """A `let` is a scope of its own, in which nothing else has names."""
        value = binding.value
        self.let = id(binding) if binding.keyword == "let" else 0
        if binding.keyword != "let":
            self.calls(value, (), taken)
        elif isinstance(value, tree.Call) and value.callee.text in self.unit.definitions and not self.has_calls(value):
            # The definition's own parameters stand right below the let's name.
            self.give(value, (binding.name.text,))
        else:
            self.calls(value, (binding.name.text,), set())
            if isinstance(value, tree.Call) and value.callee.text in self.bound and not self.has_calls(value):
                self.alone.add(id(value))
        self.let = 0

    def own_names(self, body: tree.Body) -> set[str]:
        """Names of the `let`s of one scope, which no operation there may take, but for those that hold a definition."""
        return {
            statement.name.text
            for statement in _same_scope(body)
            if isinstance(statement, tree.Binding) and statement.keyword == "let" and not self.is_held(statement.value)
        }

    def is_held(self, value: tree.Expr) -> bool:
        """A `let` names a definition, or one of several."""
        if isinstance(value, tree.Conditional):
            return self.is_held(value.value) or self.is_held(value.other)
        return isinstance(value, tree.Ident) and value.name not in self.bound and value.name in self.unit.definitions

    def calls(self, expr: tree.Expr, scope: tuple[str, ...], taken: set[str]) -> None:
        """Innermost calls first: that is the order in which they run."""
        for part in tree.parts(expr):
            if isinstance(part, tree.Argument):
                self.calls(part.value, scope, taken)
            elif isinstance(part, tuple):
                for item in part:
                    self.calls(item.value if isinstance(item, tree.Argument) else item, scope, taken)
            elif type(part) in tree.EXPRESSIONS:
                self.calls(part, scope, taken)  # type: ignore[arg-type]
        if isinstance(expr, tree.Call) and self.is_named(expr):
            self.give(expr, (*scope, _fresh(expr.callee.text, taken)))

    def is_named(self, call: tree.Call) -> bool:
        """It is an operation or a definition, whose parameters need a name."""
        name = call.callee.text
        if name in self.bound:  # whatever it holds
            return True
        if name in self.unit.definitions and self.unit.definitions[name].kind == "fn":
            return False
        return name in self.own or (name not in SCALAR_FUNCTIONS and name not in LIST_FUNCTIONS)

    def has_calls(self, call: tree.Call) -> bool:
        """An argument of the call is, or holds, an operation with a name of its own."""
        return any(isinstance(part, tree.Call) and self.is_named(part) for part in tree.walk(*call.arguments))

    def give(self, call: tree.Call, path: tuple[str, ...]) -> None:
        """Name a call, a shared one in a loop later."""
        self.paths[id(call)] = path
        if call.shared and self.home is not None:
            self.home.calls.append((id(call), self.let or id(call)))

    def name_shared(self, shared: _Shared, taken: set[str]) -> None:
        """Name what is shared where `taken` are the names in use: each call's first name is one that nothing has."""
        first: dict[int, str] = {}
        for call, let in shared.calls:
            path = self.paths[call]
            if let not in first:
                first[let] = _fresh(path[0], taken)
            self.paths[call] = (first[let], *path[1:])
        for repeat, inner in shared.repeats:
            if inner:
                prefix = _prefix("rep", taken)
                taken.add(prefix)
                self.paths[repeat] = (*self.paths[repeat], prefix)
                self.name_shared(inner, set())


def _same_scope(body: tree.Body) -> Iterator[tree.Statement]:
    """The statements of one scope: branches share theirs."""
    for statement in body:
        yield statement
        if isinstance(statement, tree.If):
            yield from _same_scope(statement.then)
            yield from _same_scope(statement.other)


def _callees(body: tree.Body) -> set[str]:
    """What the calls of one scope are called by; of an `each`, only its list stands in that."""
    statements = [part for part in _same_scope(body) if not isinstance(part, tree.Repeat)]
    walked = tree.walk(*(part.items if isinstance(part, tree.Each) else part for part in statements))
    return {part.callee.text for part in walked if isinstance(part, tree.Call)}


def _bound(body: tree.Body) -> set[str]:
    """Every name that a statement gives."""
    found: set[str] = set()
    for statement in body:
        if isinstance(statement, tree.Binding):
            found.add(statement.name.text)
        elif isinstance(statement, tree.If):
            found |= _bound(statement.then + statement.other)
        elif isinstance(statement, tree.Repeat | tree.Each):
            found |= _bound(statement.body)
    return found


def _fresh(name: str, taken: set[str]) -> str:
    candidate, count = name, 1
    while candidate in taken:
        count += 1
        candidate = f"{name}_{count}"
    taken.add(candidate)
    return candidate


def _is_numbered(name: str, prefix: str) -> bool:
    return name.startswith(prefix) and name[len(prefix) :].isdecimal()


def _prefix(name: str, taken: set[str]) -> str:
    """What precedes the number of an iteration, so that no number makes a name that is taken."""
    candidate, count = name, 1
    while candidate in taken or any(_is_numbered(other, candidate) for other in taken):
        count += 1
        candidate = f"{name}_{count}_"
    return candidate
