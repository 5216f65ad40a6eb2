"""The classes and functions of a program: one for each definition in use, those that are called before those that call.

In: a program. Out: `Class`es with their text. All uses of a definition share one class; only uses that are wired
otherwise get a second one.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import count

from spinedsl.backends.torch.body import OpAt, parts_in
from spinedsl.backends.torch.construct import Construct
from spinedsl.backends.torch.expressions import literal
from spinedsl.backends.torch.forward import Forward
from spinedsl.backends.torch.groups import groups
from spinedsl.backends.torch.initial import Rules
from spinedsl.backends.torch.layout import STEP, WIDTH, Doc, block, call, lines
from spinedsl.backends.torch.names import class_name, place, prose, python_name
from spinedsl.backends.torch.operators import OPERATORS
from spinedsl.backends.torch.plan import Class, Plan, Surroundings
from spinedsl.backends.torch.scope import Argument
from spinedsl.backends.torch.written import written
from spinedsl.ops.primitives import PRIMITIVES, SYMBOLS
from spinedsl.ops.program import Applied, Definition, Module, Program, calls_of, forms
from spinedsl.ops.types import Loc

MOST_NAMED = 2  # definitions in the name of a class


def classes_of(program: Program, rules: Rules, taken: set[str]) -> list[Class]:
    """The classes in the order of the file. `taken` are names of the module; those of the classes are added."""
    made: dict[int, Class] = {}
    found: list[Class] = []
    definitions = list(_by_definition(program))
    computed = _computed(module for modules in definitions for module in modules)

    def class_of(module: Module) -> Class:
        return made[id(module)]

    for modules in definitions:
        sized = any(_is_sized(module, made) for module in modules)
        for group in groups(modules, class_of):
            here = frozenset(computed.get(modules[0].written, ()))
            around = Surroundings(frozenset(taken), class_of, rules, sized, here)
            found.append(_write(Plan(group, written(group, class_of), around), program, taken))
            taken.add(found[-1].name)
            made.update((id(module), found[-1]) for module in group)
    return found


def _by_definition(program: Program) -> Iterator[list[Module]]:
    """Every module of the program, those of one definition together, after the definitions that it calls.

    A definition that comes to call itself, which it can where it is given others, is cut in parts: those of its uses
    that call none, then those that call these, and so on.
    """
    roots = [call.module for row in program.rows for call in calls_of(row)]
    nested = _nested(roots)
    modules: dict[object, dict[int, Module]] = {}
    calls: dict[object, list[object]] = {}
    part_of: dict[int, tuple[object, int]] = {}

    def visit(module: Module) -> tuple[object, int]:
        """The part of its definition that a module belongs to, and how deep those that call themselves stand in it."""
        if id(module) not in part_of:
            inner = [visit(one) for one in _called(module)]
            turns = max((turn for _, turn in inner), default=0) + (module.written in nested)
            part = (module.written, turns) if module.written in nested else module.written
            part_of[id(module)] = part, turns
            modules.setdefault(part, {})[id(module)] = module
            calls.setdefault(part, []).extend(one for one, _ in inner)
        return part_of[id(module)]

    parts = [visit(module)[0] for module in roots]
    done: set[object] = set()

    def in_order(part: object) -> Iterator[list[Module]]:
        if part not in done:
            done.add(part)
            for inner in calls[part]:
                yield from in_order(inner)
            yield list(modules[part].values())

    for part in parts:
        yield from in_order(part)


def _nested(roots: Sequence[Module]) -> set[Definition]:
    """The definitions of which a use comes to call another use."""
    calls: dict[Definition, set[Definition]] = {}
    seen: set[int] = set()
    pending = list(roots)
    while pending:
        module = pending.pop()
        if id(module) not in seen:
            seen.add(id(module))
            inner = list(_called(module))
            calls.setdefault(module.written, set()).update(one.written for one in inner)
            pending += inner
    try:
        TopologicalSorter(calls).prepare()
    except CycleError:
        return {definition for definition in calls if definition in _below(definition, calls)}
    return set()


def _below(definition: Definition, calls: Mapping[Definition, set[Definition]]) -> set[Definition]:
    """All that a definition comes to call."""
    found: set[Definition] = set()
    pending = [*calls[definition]]
    while pending:
        one = pending.pop()
        if one not in found:
            found.add(one)
            pending += calls[one]
    return found


def _called(module: Module) -> Iterator[Module]:
    return (event.module for event in module.events if event.module is not None)


def _computed(modules: Iterable[Module]) -> dict[Definition, set[str]]:
    """By definition, the feature maps that some call of it is given as an operation, not by name."""
    found: dict[Definition, set[str]] = {}
    for event in (event for module in modules for event in module.events):
        if event.module is not None:
            inputs = zip(event.module.maps, event.at.inputs, strict=True)
            names = (name for name, form in inputs if any(isinstance(part, Applied) for part in forms(form)))
            found.setdefault(event.module.written, set()).update(names)
    return found


def _is_sized(module: Module, made: Mapping[int, Class]) -> bool:
    """An expansion needs the sizes of the levels, for an operation of its own or for a class that it calls."""
    return any(
        PRIMITIVES[event.at.called].sized if event.module is None else bool(made[id(event.module)].sizes)
        for event in module.events
    )


# ---- text ----


def _write(plan: Plan, program: Program, taken: set[str]) -> Class:
    """The definition as a function if nothing has to be constructed, else as a class."""
    first = plan.modules[0]
    body = Forward(plan).whole()
    gives = " -> list[Tensor]:" if first.yields else " -> Tensor:"
    trains = any(isinstance(part, OpAt) and OPERATORS[part.primitive].trains(part) for part, _ in parts_in(plan.body))
    is_function = not (plan.scope.arguments or plan.children or trains)
    named = [first.definition, *_given(plan.modules)]
    wanted = "_".join(named) if is_function else "".join(map(class_name, named))
    if first.kind == "resample_type" and not is_function and "resample" not in wanted.lower():
        wanted += "Resample"
    made = Class(free_name(wanted, taken), plan.modules, plan.inputs, is_function, plan.sizes)
    if is_function:
        head = lines(0, "", call(f"def {made.name}", *_maps(plan)), gives)
        made.text = [*head, *_indented(_docstring(plan, program), STEP), *block(body, STEP)]
        return made
    constructor = Construct(plan).write()
    made.arguments = plan.scope.signature()
    stored = [f"self.{argument.name} = {argument.name}" for argument in made.arguments if argument.stored]
    base = "Looped" if (None, False) in plan.looped else "nn.Module"
    made.text = [f"class {made.name}({base}):", *_indented(_docstring(plan, program), STEP), ""]
    if made.arguments or constructor:
        signature = call("def __init__", "self", *map(_parameter, made.arguments))
        made.text += lines(STEP, "", signature, " -> None:")
        made.text += [*_indented(["super().__init__()", *stored], 2 * STEP), *block(constructor, 2 * STEP), ""]
    made.text += [*lines(STEP, "", call("def forward", "self", *_maps(plan)), gives), *block(body, 2 * STEP)]
    return made


def _given(modules: Sequence[Module]) -> list[str]:
    """The definitions that all uses of a class are given, beside defaults: one or two are a part of its name."""
    found: list[str] = []
    for formal in modules[0].formals:
        known = {module.scalars[formal.name].value for module in modules if formal.name in module.scalars}
        default = formal.default.value if formal.default is not None else None
        named = [value for value in known if isinstance(value, str) and value not in SYMBOLS]
        if len(known) == 1 and named and named[0] != default:
            found += named
    return found if len(found) <= MOST_NAMED else []


def free_name(wanted: str, taken: set[str]) -> str:
    """A name for the module that is not taken, numbered if need be."""
    names = (python_name(wanted if number == 1 else f"{wanted}{number}") for number in count(1))
    return next(name for name in names if name not in taken)


def _indented(text: Sequence[str], indent: int) -> list[str]:
    return [" " * indent + line if line else line for line in text]


def _maps(plan: Plan) -> list[Doc]:
    """The feature maps that come in, and the sizes of the levels where they are needed."""
    sizes: list[Doc] = [f"{plan.sizes}: list[tuple[int, int]]"] if plan.sizes else []
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
    comment = _without(comment_above(module.loc, program), missing)
    kind = {"def": "Helper"}.get(module.kind, module.kind.replace("_", " ").capitalize())
    return docstring(comment, f"{kind} `{prose(module.definition)}`", module.loc)


def docstring(comment: list[str], otherwise: str, loc: Loc) -> list[str]:
    """What stands below the head of a class: a comment, or `otherwise` if there is none, and where it is written."""
    where = f"({place(loc)})."
    for candidate in ([" ".join(comment)] if comment else [otherwise], comment[:1]):
        line = f'"""{candidate[0].removesuffix(".")} {where}"""'
        if len(line) <= WIDTH - STEP and (len(comment) < 2 or candidate != comment[:1] or candidate[0].endswith(".")):
            return [line]
    text = f'"""{" ".join(comment).removesuffix(".")} {where}'
    width = WIDTH - STEP - (3 if len(text) <= WIDTH - STEP else 0)  # on one line, the closing quotes have to fit too
    return [*textwrap.wrap(text, width), '"""']


def _without(comment: list[str], names: set[str]) -> list[str]:
    """A comment less its sentences that speak of one of these names, as `name` or as `name = value`."""
    sentences = re.split(r"(?<=\.)\s+(?=[A-Z`])", " ".join(comment))
    kept = [part for part in sentences if not names.intersection(re.findall(r"`([a-z_]\w*)\b[^`]*`", part))]
    return comment if len(kept) == len(sentences) else [" ".join(kept)] if kept else []


def comment_above(loc: Loc, program: Program) -> list[str]:
    """The comment lines right above a line of a source."""
    text = next((source.text for source in program.sources if source.name == loc.file), "")
    found: list[str] = []
    for line in reversed(text.split("\n")[: loc.line - 1]):
        if not line.startswith("#"):
            break
        found.append(prose(line.lstrip("# "), WIDTH))
    return found[::-1]
