"""The classes of parts: one for each network that is put into others, for all its copies that are wired alike.

In: a program with parts, and the classes of its definitions. Out: the classes, inner ones first, and which copy of a
part is an instance of which. Numbers in which copies differ are arguments of their class. A part whose rows do not
stand together has none: its rows are the network's own, at their places.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, pairwise

from spinedsl.backends.torch.classes import comment_above, docstring, free_name
from spinedsl.backends.torch.layout import STEP, call, lines
from spinedsl.backends.torch.names import class_name, prose, python_name
from spinedsl.backends.torch.plan import Class
from spinedsl.backends.torch.rows import Around, Chain, Copy, Given, Instance, PartClass, Rows, Submodule
from spinedsl.ops.program import Part, Program, Row
from spinedsl.record import replace


def parts_of(program: Program, classes: Sequence[Class], taken: set[str]) -> tuple[list[PartClass], Around]:
    """The classes of a program's parts, and what its rows may refer to. Their names are added to `taken`."""
    copies: dict[str, Copy] = {}
    chains: dict[str, Chain] = {}
    known = {id(module): found for found in classes for module in found.modules}
    found: list[PartClass] = []

    def around() -> Around:
        return Around(program, known, frozenset(taken), copies, chains)

    for level in _levels(program):
        alike: dict[object, list[_Copied]] = {}
        for prefix, rows in level.items():
            one = _Copied(around(), rows, prefix, program.parts[prefix])
            alike.setdefault(one.form, []).append(one)
        for group in alike.values():
            made, instances = _write(group, program, taken)
            found.append(made)
            copies |= {copy.prefix: copy for copy in instances}
        chains |= _chains(program, copies)
    return found, around()


def _levels(program: Program) -> Iterator[dict[str, list[Row]]]:
    """The parts whose rows stand together, with these: first those that have no parts, then those that have such."""
    rows: dict[str, list[tuple[int, Row]]] = {}
    for number, row in enumerate(program.rows):
        names = row.name.split(".")
        for end in range(1, len(names)):
            rows.setdefault(".".join(names[:end]), []).append((number, row))
    whole = {
        prefix: [row for _, row in found]
        for prefix, found in rows.items()
        if prefix in program.parts and found[-1][0] - found[0][0] < len(found) and _gives(program, prefix)
    }
    heights: dict[str, int] = {}
    for prefix in sorted(whole, key=lambda prefix: -prefix.count(".")):
        inner = (height for other, height in heights.items() if other.startswith(f"{prefix}."))
        heights[prefix] = max(inner, default=-1) + 1
    for height in sorted(set(heights.values())):
        yield {prefix: found for prefix, found in whole.items() if heights[prefix] == height}


def _reads(row: Row) -> Iterator[str]:
    yield from (connection.source for connection in row.inputs)
    yield from row.absorbed


def _gives(program: Program, prefix: str) -> list[str]:
    """The rows of a part that others read, in the order of its outputs."""
    inside = f"{prefix}."
    read = {
        name
        for row in program.rows
        if not row.name.startswith(inside)
        for name in _reads(row)
        if name.startswith(inside)
    }
    order = dict.fromkeys([*program.parts[prefix].outputs.values(), *(row.name for row in program.rows)])
    return [name for name in order if name in read]


class _Copied(Rows):
    """The rows of one copy of a part, as a class of their own would have them."""

    def __init__(self, around: Around, rows: Sequence[Row], prefix: str, part: Part) -> None:
        super().__init__(around, rows, f"{prefix}.")
        self.name, self.part = prefix, part
        read = dict.fromkeys(name for row in rows for name in _reads(row) if not name.startswith(self.prefix))
        called: dict[str, str] = {}
        for own, source in part.inputs.items():
            if source in read:
                called.setdefault(source, own)
        self.inputs = tuple(called | {name: "" for name in read if name not in called})
        self.outputs = tuple(_gives(around.program, prefix))
        names = {name: called.get(name) or name.replace(".", "_") for name in self.inputs}
        names |= {row.name: row.name.removeprefix(self.prefix).replace(".", "_") for row in rows}
        self.name_locals(names)
        self.made = list(self.submodules())
        self.computed = [line for item in self.items() for line in self.statement(item)]
        argued = [(one.place, given) for one in self.made for instance in one.made for given in instance.given]
        self.places = [place.replace(".", "_") for place, _ in argued]  # of what takes each argument
        self.given = [given for _, given in argued]

    @property
    def form(self) -> object:
        """What is the same in all copies of a class."""
        names = tuple(self.locals[name] for name in (*self.inputs, *self.outputs))
        made = tuple(
            (one.place, one.holder, tuple((made.name, len(made.given)) for made in one.made)) for one in self.made
        )
        return self.part.network, self.part.loc, len(self.inputs), names, made, tuple(self.computed)


def _write(group: Sequence[_Copied], program: Program, taken: set[str]) -> tuple[PartClass, list[Copy]]:
    """The class of copies that are wired alike, and each as an instance of it."""
    first = group[0]
    made = PartClass(free_name(class_name(first.part.network), taken), bool(first.sizes))
    arguments = _arguments(group, {*taken, *first.locals.values()})
    named = {number: name for name, numbers in arguments.items() for number in numbers}
    given = {name: [_text(copied.given[numbers[0]]) for copied in group] for name, numbers in arguments.items()}
    levels = [{copied.made[number].level for copied in group} for number in range(len(first.made))]
    submodules = [
        replace(one, level=one.level if len(found) == 1 else None)
        for one, found in zip(_with(first.made, named), levels, strict=True)
    ]
    parameters = [f"{name}: {_kind(texts)}" for name, texts in given.items()]
    maps = [f"{first.locals[name]}: Tensor" for name in first.inputs]
    maps += [f"{first.sizes}: list[tuple[int, int]]"] if first.sizes else []
    gives = "Tensor" if len(first.outputs) == 1 else f"tuple[{', '.join(['Tensor'] * len(first.outputs))}]"
    about = docstring(comment_above(first.part.loc, program), f"Part `{prose(first.part.network)}`", first.part.loc)
    made.text = [
        f"class {made.name}(nn.Module):",
        *(" " * STEP + line for line in about),
        "",
        *lines(STEP, "", call("def __init__", "self", *parameters), " -> None:"),
        "        super().__init__()",
        *(line for one in submodules for line in one.lines()),
        "",
        *lines(STEP, "", call("def forward", "self", *maps), f" -> {gives}:"),
        *first.computed,
        f"        return {', '.join(first.locals[name] for name in first.outputs)}",
    ]
    copies = [
        Copy(
            copied.name, copied.inputs, copied.outputs, made,
            tuple(Given(name, texts[number], "") for name, texts in given.items()),
        )
        for number, copied in enumerate(group)
    ]  # fmt: skip
    taken.add(made.name)
    return made, copies


def _arguments(group: Sequence[_Copied], taken: set[str]) -> dict[str, list[int]]:
    """Names for the numbers in which copies differ, and which each is: those that agree in every copy are one."""
    vectors: dict[tuple[str, ...], list[int]] = {}
    for number in range(len(group[0].given)):
        texts = tuple(_text(copied.given[number]) for copied in group)
        if len(set(texts)) > 1:
            vectors.setdefault(texts, []).append(number)
    found: dict[str, list[int]] = {}
    for numbers in vectors.values():
        names = [group[0].given[number].name for number in numbers]
        wanted = "channels" if "channels" in names else names[0]
        if wanted in found:
            wanted = f"{group[0].places[numbers[names.index(wanted)]]}_{wanted}"
        found[python_name(wanted, {*taken, *found})] = numbers
    return found


def _text(given: Given) -> str:
    return given.default if given.text is None else given.text


def _kind(texts: Sequence[str]) -> str:
    """The type of an argument that has these values."""
    values = [ast.literal_eval(text) for text in texts]
    kinds = list(dict.fromkeys(type(value).__name__ for value in values if value is not None))
    kind = "float" if set(kinds) == {"int", "float"} else " | ".join(kinds)
    return f"{kind} | None" if None in values else kind


def _with(made: Sequence[Submodule], named: dict[int, str]) -> Iterator[Submodule]:
    """Submodules in which arguments are those of the class."""
    number = count()

    def renamed(given: Given) -> Given:
        name = named.get(next(number))
        return given if name is None else replace(given, text=name)

    for one in made:
        yield replace(one, made=tuple(Instance(made.name, tuple(map(renamed, made.given))) for made in one.made))


def _chains(program: Program, copies: Mapping[str, Copy]) -> dict[str, Chain]:
    """Copies that stand one after another and do nothing but take what the one before gives."""
    found: dict[str, list[Copy]] = {}
    for prefix, copy in copies.items():
        holder, _, last = prefix.rpartition(".")
        if holder and last == f"rep{len(found.get(holder, ()))}":
            found.setdefault(holder, []).append(copy)
    return {
        holder: Chain(holder, tuple(chain))
        for holder, chain in found.items()
        if len(chain) > 1 and holder not in copies and _is_chain(program, holder, chain)
    }


def _is_chain(program: Program, holder: str, chain: Sequence[Copy]) -> bool:
    inside = tuple(f"{copy.prefix}." for copy in chain)
    if any(row.name.startswith(f"{holder}.") and not row.name.startswith(inside) for row in program.rows):
        return False  # a copy that is no instance, or a row that was put there
    follow = all(after.of is before.of and after.inputs == before.outputs for before, after in pairwise(chain))
    inner = {name for copy in chain[:-1] for name in copy.outputs}
    read = {name for row in program.rows if not row.name.startswith(inside) for name in _reads(row)}
    return follow and len(chain[0].inputs) == len(chain[0].outputs) and inner.isdisjoint(read)
