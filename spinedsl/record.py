"""Records: classes that consist of their fields, as dataclasses do, and ten times as fast to define.

A command that answers in a tenth of a second cannot spend half of it on defining a hundred dataclasses and on importing
`inspect`. So a record is compiled when the first one is made, and most runs make a few kinds only.

    class Point(Record):                      # compared by value, with slots; mypy lets nobody assign to it
        x: int
        y: int = 0

    class Pen(Record, frozen=False): ...      # what it holds may be assigned, and need not be a field
    class Node(Record, eq=False): ...         # two are the same only if they are the same object

What a record prints is one line, whatever it holds: its class and fields in brief, or what its `__brief__` says. Long
tuples and sets in its fields, and dicts of a frozen one, are kept as ones that print a few lines (`brief.Items`).
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from collections.abc import Callable
from functools import cache, cached_property
from operator import attrgetter
from types import CodeType, FunctionType, UnionType
from typing import Any, TypeVar, dataclass_transform

from spinedsl.brief import FEW, LINE, cut, fields, short

R = TypeVar("R", bound="Record")

_MISSING: Any = object()
_PLAIN = {"str", "int", "bool", "float", "object", "None"}
_NO_TUPLES = ("list[", "set[")


class _Field:
    """What `field` says of a field beyond its name."""

    __slots__ = ("annotation", "default", "factory", "frozen", "home", "shown")

    annotation: object  # these three come with the class: its type there, the class's module, whether that is frozen
    home: str
    frozen: bool

    def __init__(self, default: object, factory: Callable[[], object] | None, shown: bool) -> None:
        self.default, self.factory, self.shown = default, factory, shown

    def collects(self) -> type | None:
        """The kind of collection that it may hold, which is then one that prints as a few lines.

        A dict of what is not frozen may be written to from elsewhere.
        """
        annotation = getattr(self.annotation, "__name__", None) or str(self.annotation)
        if "frozenset[" in annotation:
            return frozenset
        if annotation.startswith(("dict[", "Mapping[")):
            return dict if self.frozen else None
        kinds = (kind for kind in annotation.split(" | ") if kind not in _PLAIN and not kind.startswith(_NO_TUPLES))
        return None if all(_is_class(_looked_up(kind, sys.modules.get(self.home))) for kind in kinds) else tuple


def field(
    *,
    default: Any = _MISSING,
    default_factory: Callable[[], Any] | None = None,
    repr: bool = True,  # noqa: A002
) -> Any:
    """A field with a default, with one made anew for each record, or left out of `repr`."""
    return _Field(default, default_factory, repr)


def _looked_up(name: str, scope: object) -> object:
    """What `name`, or `tree.Name`, is in a module; None if that does not have it."""
    for part in name.split("."):
        scope = getattr(scope, part, None)
    return scope


def _is_class(kind: object) -> bool:
    """Whether no tuple is one of these: a class, if not an abstract one, or several of them."""
    if isinstance(kind, UnionType):
        return all(map(_is_class, kind.__args__))
    return isinstance(kind, type) and not isinstance(kind, ABCMeta)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class RecordType(type):
    """Makes the class of a record: slots for its fields, and the methods that follow from them."""

    __match_args__: tuple[str, ...]
    __fields__: dict[str, _Field]
    __held__: Callable[[Record], object]  # what the fields hold, for comparing

    def __new__(
        meta,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        frozen: bool = True,
        eq: bool = True,
    ) -> RecordType:
        own: dict[str, _Field] = {}
        for attribute, annotation in namespace.get("__annotations__", {}).items():
            given = namespace.pop(attribute, _MISSING)
            own[attribute] = made = given if isinstance(given, _Field) else _Field(given, None, True)
            made.annotation, made.home, made.frozen = annotation, namespace["__module__"], frozen
        if (frozen or not bases) and cached_property not in map(type, namespace.values()):
            namespace["__slots__"] = tuple(own)
        inherited = {k: v for base in reversed(bases) for k, v in getattr(base, "__fields__", {}).items()}
        fields = namespace["__fields__"] = inherited | own
        namespace["__match_args__"] = tuple(fields)
        namespace["__held__"] = attrgetter(*fields) if fields else type
        if own:
            namespace.setdefault("__init__", _init_on_first_use)
        if bases and eq:
            namespace.setdefault("__eq__", _same_values)
            namespace.setdefault("__hash__", _hash_of_values if frozen else None)
        return super().__new__(meta, name, bases, namespace)


class Record(metaclass=RecordType, frozen=False, eq=False):
    """The base of every record."""

    __slots__ = ()

    def __repr__(self) -> str:
        text, kind = self.__brief__(), type(self)
        if text:
            return cut(f"<{kind.__name__}{'' if text.startswith(':') else ' '}{text}", LINE - 1) + ">"
        return fields(kind.__name__, ((n, getattr(self, n, ...)) for n, one in kind.__fields__.items() if one.shown))

    def __brief__(self) -> str:
        """What tells it from others of its class, in a few words; if nothing, `repr` has the fields."""
        return ""

    def __reduce__(self) -> tuple[type[Record], tuple[object, ...]]:
        return type(self), values(self)


def values(record: Record) -> tuple[object, ...]:
    """What the fields of a record hold, in their order."""
    return tuple([getattr(record, name) for name in type(record).__fields__])


def names(kind: RecordType) -> tuple[str, ...]:
    """The names of a record's fields, in their order."""
    return tuple(kind.__fields__)


def asdict(record: Record) -> dict[str, Any]:
    """What a record holds by name, records in it too: for writing it as JSON."""
    return {name: _plain(getattr(record, name)) for name in type(record).__fields__}


def _plain(value: object) -> object:
    if isinstance(value, Record):
        return asdict(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def replace(record: R, **changes: Any) -> R:
    """The same record with other values in some fields."""
    held: dict[str, Any] = {name: getattr(record, name) for name in type(record).__fields__}
    return type(record)(**(held | changes))


def _init_on_first_use(self: Record, *arguments: object, **named: object) -> None:
    """Write the `__init__` of the class, put it in this one's place, and call it."""
    kind = next(c for c in type(self).__mro__ if c.__dict__.get("__init__") is _init_on_first_use)
    kind.__init__ = _init(kind)  # type: ignore[misc]
    self.__init__(*arguments, **named)  # type: ignore[misc]


def _init(kind: type[Record]) -> FunctionType:
    """The `__init__` of a record: one assignment for each field.

    Compiling one takes longer than a class with few records is worth, so those of one form share their code. Nothing
    is refused at run time: an assignment that has to be allowed once takes three times as long.
    """
    declared = kind.__fields__
    form = tuple((field.factory is not None, field.collects()) for field in declared.values())
    code = _code_of_init(form, hasattr(kind, "__post_init__"))
    named = dict(zip((f"field{index}" for index in range(len(declared))), declared, strict=True))
    code = code.replace(
        co_varnames=("self", *declared), co_names=tuple(named.get(name, name) for name in code.co_names)
    )
    scope: dict[str, Any] = {f"make{index}": field.factory for index, field in enumerate(declared.values())}
    defaults = [field.default for field in declared.values() if field.factory or field.default is not _MISSING]
    return FunctionType(code, scope | _IN_INIT, "__init__", tuple(defaults))


_IN_INIT = {
    "missing": _MISSING, "short": short, "few": FEW, "type": type, "len": len, "tuple": tuple, "dict": dict,
    "frozenset": frozenset,
}  # fmt: skip


@cache
def _code_of_init(form: tuple[tuple[bool, type | None], ...], then_more: bool) -> CodeType:
    """What an `__init__` of so many fields does, whatever their names: which are made anew, and which collect what."""
    lines = [f"if a{index} is missing: a{index} = make{index}()" for index, (anew, _) in enumerate(form) if anew]
    for index, (_, holds) in enumerate(form):
        a = f"a{index}"
        short_if = f"short({a}) if type({a}) is {holds.__name__} and len({a}) > few else " if holds is not None else ""
        lines.append(f"self.field{index} = {short_if}{a}")
    lines += ["self.__post_init__()"] if then_more else []
    heads = "".join(f", a{index}" for index in range(len(form)))
    scope: dict[str, Any] = {}
    exec(f"def __init__(self{heads}):\n    " + "\n    ".join(lines or ["pass"]), scope)  # noqa: S102 - numbers are all it has
    code: CodeType = scope["__init__"].__code__
    return code


def _same_values(self: Record, other: Any) -> object:
    if type(other) is not type(self):
        return NotImplemented
    held = type(self).__held__
    return self is other or held(self) == held(other)


def _hash_of_values(self: Record) -> int:
    return hash(type(self).__held__(self))
