"""The classes of parts: one for each network that is put into others, for all its copies that are wired alike.

In: a program with parts, and the classes of its definitions. Out: the classes, inner ones first, and which copy of a
part is an instance of which. Numbers in which copies differ are arguments of their class. A part whose rows do not
stand together has none: its rows are the network's own, at their places. Copies that share their weights are one
instance; where they are not wired alike, they have no class either.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, pairwise, takewhile

from spinedsl.backends.torch.classes import comment_above, docstring, free_name
from spinedsl.backends.torch.layout import STEP, call, lines
from spinedsl.backends.torch.names import class_name, prose, python_name
from spinedsl.backends.torch.plan import Class
from spinedsl.backends.torch.rows import Around, Chain, Copy, Given, Instance, PartClass, Rows, Submodule
from spinedsl.ops.program import Program, Row
from spinedsl.record import replace


def parts_of(program: Program, classes: Sequence[Class], taken: set[str]) -> tuple[list[PartClass], Around]:
    """The classes of a program's parts, and what its rows may refer to. Their names are added to `taken`."""
    copies: dict[str, Copy] = {}
    chains: dict[str, Chain] = {}
    called: dict[str, str] = {}
    known = {id(module): found for found in classes for module in found.modules}
    found: list[PartClass] = []
    within = _Within(program)

    def around() -> Around:
        return Around(program, known, frozenset(taken), copies, chains, called)

    for level in within.levels():
        alike: dict[object, list[_Copied]] = {}
        surroundings = around()
        for prefix in level:
            one = _Copied(surroundings, within, prefix)
            alike.setdefault(one.form, []).append(one)
        new: dict[str, Copy] = {}
        for group in _shared_alike([*alike.values()], within):
            made, instances = _write(group, program, taken)
            found.append(made)
            new |= {copy.prefix: copy for copy in instances}
        copies |= new
        for chain in within.chains(new):
            chains[chain.prefix] = chain
            last = chain.copies[-1]
            called |= {name: chain.prefix + name.removeprefix(last.prefix) for name in last.outputs}
    return found, around()


def _shared_alike(groups: Sequence[list[_Copied]], within: _Within) -> Iterator[list[_Copied]]:
    """The groups of copies that are wired alike, without those of which one that shares their weights is in another."""
    for group in groups:
        counts = Counter(copied.part.weights for copied in group)
        kept = [one for one in group if counts[one.part.weights] == len(within.sharing[one.part.weights])]
        if kept:
            yield kept


class _Within:
    """What stands in what: the rows of each part, in the order of the program, and who reads each row."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.rows: dict[str, list[Row]] = {}  # by what their names begin with
        self.places: dict[str, tuple[int, int]] = {}  # of the first and the last of these
        self.readers: dict[str, list[str]] = {}
        for number, row in enumerate(program.rows):
            for prefix in _prefixes(row.name):
                self.rows.setdefault(prefix, []).append(row)
                self.places[prefix] = self.places.get(prefix, (number, number))[0], number
            for name in row.sources:
                self.readers.setdefault(name, []).append(row.name)
        self.sharing: dict[str, list[str]] = {}  # the parts under each name of weights: several where they share them
        for prefix in self.rows:
            if prefix in program.parts:
                self.sharing.setdefault(program.parts[prefix].weights, []).append(prefix)
        self.read = {weights: set(self.read_outside(found)) for weights, found in self.sharing.items()}

    def levels(self) -> list[list[str]]:
        """The parts whose rows stand together: first those that have no parts, then those that have such."""
        heights: dict[str, int] = {}
        for prefix in sorted(self.rows, key=lambda prefix: -prefix.count(".")):
            first, last = self.places[prefix]
            if prefix in self.program.parts and last - first < len(self.rows[prefix]) and self.gives(prefix):
                heights.setdefault(prefix, 0)
                for outer in _prefixes(prefix):
                    heights[outer] = max(heights.get(outer, 0), heights[prefix] + 1)
            else:
                heights[prefix] = -1
        return [
            [prefix for prefix in self.rows if heights[prefix] == height]
            for height in range(max(heights.values(), default=-1) + 1)
        ]

    def read_outside(self, prefixes: Sequence[str]) -> Iterator[str]:
        """The rows of parts that others read, by their names there."""
        for prefix in prefixes:
            inside = f"{prefix}."
            for row in self.rows[prefix]:
                if any(not reader.startswith(inside) for reader in self.readers.get(row.name, ())):
                    yield row.name.removeprefix(inside)

    def gives(self, prefix: str) -> list[str]:
        """The rows of a part that others read, of it or of one that shares its weights, in the order of its outputs."""
        part = self.program.parts[prefix]
        read = self.read[part.weights]
        order = dict.fromkeys([*part.outputs.values(), *(row.name for row in self.rows[prefix])])
        return [name for name in order if name.removeprefix(f"{prefix}.") in read]

    def chains(self, copies: Mapping[str, Copy]) -> Iterator[Chain]:
        """Copies that stand one after another and do nothing but take what the one before gives."""
        holders = dict.fromkeys(prefix.rpartition(".")[0] for prefix in copies)
        for holder in holders:
            if holder and holder not in self.program.parts:
                names = takewhile(copies.__contains__, (f"{holder}.rep{number}" for number in count()))
                chain = Chain(holder, tuple(copies[name] for name in names))
                if len(chain.copies) > 1 and self.is_chain(chain):
                    yield chain

    def is_chain(self, chain: Chain) -> bool:
        """They are all that stands there, and nothing else reads what one gives to the next."""
        first = chain.copies[0]
        if len(first.inputs) != len(first.outputs):
            return False
        if sum(len(self.rows[copy.prefix]) for copy in chain.copies) < len(self.rows[chain.prefix]):
            return False
        return all(
            after.of is before.of
            and after.inputs == before.outputs
            and all(
                reader.startswith(f"{after.prefix}.")
                for name in before.outputs
                for reader in self.outside(name, before)
            )
            for before, after in pairwise(chain.copies)
        )

    def outside(self, name: str, copy: Copy) -> Iterator[str]:
        """Who reads a row of a copy, the copy apart."""
        return (reader for reader in self.readers[name] if not reader.startswith(f"{copy.prefix}."))


def _prefixes(name: str) -> Iterator[str]:
    """What stands before each dot of a name."""
    words = name.split(".")
    return (".".join(words[:end]) for end in range(1, len(words)))


class _Copied(Rows):
    """The rows of one copy of a part, as a class of their own would have them."""

    def __init__(self, around: Around, within: _Within, prefix: str) -> None:
        rows, part = within.rows[prefix], around.program.parts[prefix]
        super().__init__(around, rows, f"{prefix}.", f"{part.weights}.")
        self.name, self.part = prefix, part
        read = dict.fromkeys(name for row in rows for name in row.sources if not name.startswith(self.prefix))
        called: dict[str, str] = {}
        for own, source in self.part.inputs.items():
            if source in read:
                called.setdefault(source, own)
        self.inputs = tuple(called | {name: "" for name in read if name not in called})
        self.outputs = tuple(within.gives(prefix))
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
            copied.name, copied.part.weights, copied.inputs, copied.outputs, made,
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
