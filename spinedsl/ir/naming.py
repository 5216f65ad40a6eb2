"""The names of parameters inside a definition: a property of its text alone, whatever it is expanded for.

A `let` names what stands on its right: in `let squeeze = act(norm(conv(x, …)))` the convolution's weight is
`squeeze.conv.weight`. Elsewhere an operation goes by the name it is called by. A second call of one name in one scope is
`conv_2`. Iterations of a `repeat` are `rep0`, `rep1`, …; those of `each p in …` are `p0`, `p1`, ….
"""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.ir.library import LIST_FUNCTIONS, SCALAR_FUNCTIONS, Unit
from spinedsl.syntax import tree

Paths = dict[int, tuple[str, ...]]


def name_parts(definition: tree.Definition, unit: Unit) -> Paths:
    """For each call in the body, by identity of its node, the path below the definition; for a loop, its prefix."""
    paths: Paths = {}
    _name_body(definition.body, unit, paths, _lets(definition.body))
    return paths


def _lets(body: tree.Body) -> set[str]:
    """Names of the `let`s of one scope, which no operation of that scope may take: branches share their scope."""
    names: set[str] = set()
    for statement in _same_scope(body):
        if isinstance(statement, tree.Binding) and statement.keyword == "let":
            names.add(statement.name.text)
    return names


def _same_scope(body: tree.Body) -> Iterator[tree.Statement]:
    for statement in body:
        yield statement
        if isinstance(statement, tree.If):
            yield from _same_scope(statement.then)
            yield from _same_scope(statement.other)


def _name_body(body: tree.Body, unit: Unit, paths: Paths, taken: set[str]) -> None:
    for statement in _same_scope(body):
        if isinstance(statement, tree.Binding):
            _name_binding(statement, unit, paths, taken)
        elif isinstance(statement, tree.Return):
            _name_calls(statement.value, (), paths, taken)
        elif isinstance(statement, tree.Repeat):
            paths[id(statement)] = (_fresh("rep", taken, "_"),)
            _name_body(statement.body, unit, paths, _lets(statement.body))
        elif isinstance(statement, tree.Each):
            paths[id(statement)] = (_fresh(statement.item.text, taken, "_"),)
            _name_body(statement.body, unit, paths, _lets(statement.body))


def _name_binding(binding: tree.Binding, unit: Unit, paths: Paths, taken: set[str]) -> None:
    if binding.keyword != "let":
        _name_calls(binding.value, (), paths, taken)
        return
    scope = (binding.name.text,)
    value = binding.value
    if isinstance(value, tree.Call) and value.callee.text in unit.definitions:
        # The definition's own parameters stand right below the let's name.
        paths[id(value)] = scope
        inner = _fresh_scope()
        for argument in value.arguments:
            _name_calls(argument.value, scope, paths, inner)
    else:
        _name_calls(value, scope, paths, _fresh_scope())


def _fresh_scope() -> set[str]:
    return set()


def _name_calls(expr: tree.Expr, scope: tuple[str, ...], paths: Paths, taken: set[str]) -> None:
    """Innermost calls first: that is the order in which they run."""
    if isinstance(expr, tree.Call):
        for argument in expr.arguments:
            _name_calls(argument.value, scope, paths, taken)
        if expr.callee.text not in SCALAR_FUNCTIONS and expr.callee.text not in LIST_FUNCTIONS:
            paths[id(expr)] = (*scope, _fresh(expr.callee.text, taken))
    elif isinstance(expr, tree.Binary):
        _name_calls(expr.left, scope, paths, taken)
        _name_calls(expr.right, scope, paths, taken)
    elif isinstance(expr, tree.Unary):
        _name_calls(expr.operand, scope, paths, taken)
    elif isinstance(expr, tree.Conditional):
        for part in (expr.condition, expr.value, expr.other):
            _name_calls(part, scope, paths, taken)
    elif isinstance(expr, tree.ListOf):
        for part in expr.items:
            _name_calls(part, scope, paths, taken)
    elif isinstance(expr, tree.Property):
        _name_calls(expr.base, scope, paths, taken)


def _fresh(name: str, taken: set[str], suffix: str = "") -> str:
    candidate, count = name, 1
    while candidate in taken:
        count += 1
        candidate = f"{name}_{count}{suffix}"
    taken.add(candidate)
    return candidate
