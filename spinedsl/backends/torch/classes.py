"""The classes and functions of a program: one for each definition in use, those that are called before those that call.

In: a program. Out: `Class`es with their text. All uses of a definition share one class; only uses that do not align, as
`merge` puts it, get a second one.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import TypeAlias

from spinedsl.backends.torch.construct import Construct
from spinedsl.backends.torch.expressions import literal
from spinedsl.backends.torch.forward import Forward
from spinedsl.backends.torch.initial import Rules
from spinedsl.backends.torch.layout import STEP, WIDTH, Doc, block, call, lines
from spinedsl.backends.torch.merge import BodyAt, Misaligned, merge
from spinedsl.backends.torch.names import class_name, place, prose, python_name
from spinedsl.backends.torch.plan import Class, Plan, Surroundings
from spinedsl.backends.torch.scope import Argument
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.program import (
    Bind,
    Body,
    Call,
    Each,
    If,
    Module,
    Op,
    Program,
    Repeat,
    Return,
    Yield,
    calls_of,
    operands,
)
from spinedsl.ops.types import Loc

Key: TypeAlias = tuple[str, Loc]


def classes_of(program: Program, rules: Rules, taken: set[str]) -> list[Class]:
    """The classes in the order of the file. `taken` are names of the module; those of the classes are added."""
    made: dict[int, Class] = {}
    written: list[Class] = []
    definitions = list(_by_definition(program))
    computed = _computed(module for modules in definitions for module in modules)
    for modules in definitions:
        sized = any(_is_sized(module, made) for module in modules)
        for group, body in _aligned(modules, made):
            here = frozenset(computed.get(_key(modules[0]), ()))
            around = Surroundings(frozenset(taken), lambda module: made[id(module)], rules, sized, here)
            found = _write(Plan(group, body, around), program, taken)
            taken.add(found.name)
            written.append(found)
            made.update((id(module), found) for module in group)
    return written


def _by_definition(program: Program) -> Iterator[list[Module]]:
    """Every module of the program, those of one definition together, after the definitions that it calls."""
    modules: dict[Key, dict[int, Module]] = {}
    calls: dict[Key, list[Key]] = {}

    def visit(module: Module) -> Key:
        key = _key(module)
        known = modules.setdefault(key, {})
        if id(module) not in known:
            known[id(module)] = module
            calls.setdefault(key, []).extend(visit(inner) for inner in _called(module.body))
        return key

    roots = [visit(call.module) for row in program.rows for call in calls_of(row)]
    done: set[Key] = set()

    def in_order(key: Key) -> Iterator[list[Module]]:
        if key not in done:
            done.add(key)
            for inner in calls[key]:
                yield from in_order(inner)
            yield list(modules[key].values())

    for root in roots:
        yield from in_order(root)


def _key(module: Module) -> Key:
    return module.definition, module.loc


def _computed(modules: Iterable[Module]) -> dict[Key, set[str]]:
    """By definition, the feature maps that some call of it is given as an operation, not by name."""
    found: dict[Key, set[str]] = {}
    for module in modules:
        for used in (part for part in _parts(module.body) if isinstance(part, Call)):
            names = (name for name, value in used.maps.items() if next(operands(value), None) is not None)
            found.setdefault(_key(used.module), set()).update(names)
    return found


def _called(body: Body) -> Iterator[Module]:
    return (part.module for part in _parts(body) if isinstance(part, Call))


def _parts(body: Body) -> Iterator[Op | Call]:
    for statement in body:
        if isinstance(statement, Bind | Return | Yield):
            yield from operands(statement.value)
        elif isinstance(statement, If):
            yield from _parts(statement.then + statement.other)
        elif isinstance(statement, Repeat | Each):
            yield from operands(statement.items) if isinstance(statement, Each) else ()
            for iteration in statement.iterations:
                yield from _parts(iteration)


def _is_sized(module: Module, made: Mapping[int, Class]) -> bool:
    """An expansion needs the sizes of the levels, for an operation of its own or for a class that it calls."""
    return any(
        bool(made[id(part.module)].sizes) if isinstance(part, Call) else PRIMITIVES[part.primitive].sized
        for part in _parts(module.body)
    )


def _aligned(modules: list[Module], made: dict[int, Class]) -> list[tuple[list[Module], BodyAt]]:
    """All modules as one group, else as few as come out of adding them one by one."""
    try:
        return [(modules, merge(modules, lambda module: made[id(module)]))]
    except Misaligned:
        groups: list[tuple[list[Module], BodyAt]] = []
    for module in modules:
        for position, (group, _) in enumerate(groups):
            try:
                body = merge([*group, module], lambda module: made[id(module)])
            except Misaligned:
                continue
            groups[position] = [*group, module], body
            break
        else:
            groups.append(([module], merge([module], lambda module: made[id(module)])))
    return groups


# ---- text ----


def _write(plan: Plan, program: Program, taken: set[str]) -> Class:
    """The definition as a function if nothing has to be constructed, else as a class."""
    first = plan.modules[0]
    body = Forward(plan).whole()
    gives = " -> list[Tensor]:" if first.yields else " -> Tensor:"
    trains = any("self.training" in line for line in block(body, 0))
    is_function = not (plan.scope.arguments or plan.children or trains)
    wanted = first.definition if is_function else class_name(first.definition)
    if first.kind == "resample_type" and not is_function and "resample" not in wanted.lower():
        wanted += "Resample"
    made = Class(_free(wanted, taken), plan.modules, plan.inputs, plan.starred, is_function, plan.sizes)
    if is_function:
        head = lines(0, "", call(f"def {made.name}", *_maps(plan)), gives)
        made.text = [*head, *_indented(_docstring(plan, program), STEP), *block(body, STEP)]
        return made
    constructor = Construct(plan).write()
    made.arguments = plan.scope.signature()
    stored = [f"self.{argument.name} = {argument.name}" for argument in made.arguments if argument.stored]
    made.text = [f"class {made.name}(nn.Module):", *_indented(_docstring(plan, program), STEP), ""]
    if made.arguments or constructor:
        signature = call("def __init__", "self", *map(_parameter, made.arguments))
        made.text += lines(STEP, "", signature, " -> None:")
        made.text += [*_indented(["super().__init__()", *stored], 2 * STEP), *block(constructor, 2 * STEP), ""]
    made.text += [*lines(STEP, "", call("def forward", "self", *_maps(plan)), gives), *block(body, 2 * STEP)]
    return made


def _free(wanted: str, taken: set[str]) -> str:
    """A name for the module that is not taken, numbered if need be."""
    names = (python_name(wanted if number == 1 else f"{wanted}{number}") for number in count(1))
    return next(name for name in names if name not in taken)


def _indented(text: Sequence[str], indent: int) -> list[str]:
    return [" " * indent + line if line else line for line in text]


def _maps(plan: Plan) -> list[Doc]:
    """The feature maps that come in, and the sizes of the levels where they are needed."""
    sizes: list[Doc] = [f"{plan.sizes}: list[tuple[int, int]]"] if plan.sizes else []
    if plan.starred:
        return [f"*{plan.local(plan.inputs[0])}: Tensor", *sizes]
    kinds = {
        name: "list[Tensor]" if isinstance(plan.modules[0].maps[name], tuple) else "Tensor" for name in plan.inputs
    }
    return [*(f"{plan.local(name)}: {kind}" for name, kind in kinds.items()), *sizes]


def _parameter(argument: Argument) -> str:
    default = f" = {literal(argument.default)}" if argument.default is not None else ""
    return f"{argument.name}: {argument.annotation}{default}"


def _docstring(plan: Plan, program: Program) -> list[str]:
    """What the comment above the definition says, and where it stands. Of arguments, only those that the class has."""
    module = plan.modules[0]
    missing = {formal.name for formal in module.formals if formal.kind == "scalar"}
    missing -= {argument.key.partition(".")[0] for argument in plan.scope.arguments.values()}
    comment = _without(_comment(module.loc, program), missing)
    where = f"({place(module.loc)})."
    kind = {"def": "Helper"}.get(module.kind, module.kind.replace("_", " ").capitalize())
    for said in ([" ".join(comment)] if comment else [f"{kind} `{prose(module.definition)}`"], comment[:1]):
        line = f'"""{said[0].removesuffix(".")} {where}"""'
        if len(line) <= WIDTH - STEP and (len(comment) < 2 or said != comment[:1] or said[0].endswith(".")):
            return [line]
    return [*textwrap.wrap(f'"""{" ".join(comment).removesuffix(".")} {where}', WIDTH - STEP), '"""']


def _without(comment: list[str], names: set[str]) -> list[str]:
    """A comment less its sentences that speak of one of these names, as `name` or as `name = value`."""
    sentences = re.split(r"(?<=\.)\s+(?=[A-Z`])", " ".join(comment))
    kept = [part for part in sentences if not names.intersection(re.findall(r"`([a-z_]\w*)\b[^`]*`", part))]
    return comment if len(kept) == len(sentences) else [" ".join(kept)] if kept else []


def _comment(loc: Loc, program: Program) -> list[str]:
    """The comment lines right above a line of a source."""
    text = next((source.text for source in program.sources if source.name == loc.file), "")
    found: list[str] = []
    for line in reversed(text.split("\n")[: loc.line - 1]):
        if not line.startswith("#"):
            break
        found.append(prose(line.lstrip("# "), WIDTH))
    return found[::-1]
