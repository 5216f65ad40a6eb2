"""From what somebody gives for a backend to its `Options`; what nothing would read is refused, with what to do instead.

In: the name of a backend, and options by name. Out: `Options`, but for the tensors, or what is wrong. Which option a
backend reads, its line in `BACKENDS` says; Python and the command line ask here before they read a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import index
from typing import Any, TypeAlias

from spinedsl.backends import ADAPTERS, AXES, BACKENDS, EXTERNAL, IN_VERIFYING, OPSETS, OPTIONS, Options
from spinedsl.brief import brief
from spinedsl.diagnostics import nearest, one_of

Wrong: TypeAlias = tuple[str, str]  # the name of an option, and why it is refused with what to do instead


def given_among(given: Mapping[str, object]) -> dict[str, Any]:
    """The options that are given: None, False and what is empty are not.

    Raises:
        TypeError: there is no option of that name.
    """
    asked: dict[str, Any] = {name: value for name, value in given.items() if not _is_nothing(value)}
    if unknown := asked.keys() - {*OPTIONS}:
        raise TypeError(f"there is no option {one_of(sorted(unknown))}")
    return asked


def wrong(to: str, given: Mapping[str, object]) -> Wrong | None:
    """The first option that this backend does not take, that says nothing beside another, or that has no such value.

    Of `weights` only counts whether there are any.
    """
    if to not in BACKENDS:
        return "to", f"has no `{to}`: {_known(to, BACKENDS)}"
    asked = given_among(given)
    read = {*BACKENDS[to].takes}
    if "verify" in asked and "verify" in read:
        read |= {*IN_VERIFYING}
    for name, value in asked.items():
        if name not in read:
            takers = one_of([other for other, declared in BACKENDS.items() if name in declared.takes])
            return name, f"is for {takers}, not for `{to}`: {_instead(to, name, value)}"
        if (reason := VALUES[name](value)) is not None:
            return name, reason
    return _together(asked)


def options_of(given: Mapping[str, object]) -> Options:
    """The options of a backend, but for the tensors, of what nothing is wrong with."""
    values = {name: value for name, value in given_among(given).items() if name not in ("weights", "verify")}
    values |= {name: index(values[name]) for name in ("seed", "opset", "batch") if name in values}
    return Options(**values | ({"dynamic": frozenset(values["dynamic"])} if "dynamic" in values else {}))


def _is_nothing(value: object) -> bool:
    return value is None or value is False or (isinstance(value, str | tuple | list | set | frozenset) and not value)


def _instead(to: str, name: str, value: object) -> str:
    return BACKENDS[to].instead[name].format(value=value if isinstance(value, int) else "…")


def _together(asked: Mapping[str, Any]) -> Wrong | None:
    """What one option says, another may leave without a meaning."""
    if {"seed", "weights"} <= asked.keys() and "verify" not in asked:
        return "seed", "makes no difference beside weights, which are the values: give one of the two"
    if "batch" in asked and "batch" in asked.get("dynamic", ()):
        return "batch", "makes no difference where the axis `batch` stays open: give one of the two"
    if {"half", "verify"} <= asked.keys():
        return "verify", "compares float32, which is not what `half` writes: compare without it first"
    return None


# ---- values ----


def _known(name: object, known: Iterable[object]) -> str:
    """What may be meant by a name that there is not."""
    names = [str(one) for one in known]
    near = nearest(name, names) if isinstance(name, str) else None
    return f"did you mean `{near}`?" if near else f"there is {one_of(names, conjunction='and', limit=20)}"


def _one_among(what: str, known: Iterable[object]) -> Callable[[Any], str | None]:
    """A value is one of those that there are."""
    names = list(known)
    return lambda value: None if value in names else f"has no {what} `{value}`: {_known(value, names)}"


def _dynamic(axes: Any) -> str | None:
    if isinstance(axes, str):
        return f"is a collection of axes, as in `({axes!r},)`"
    axes = tuple(axes)
    unknown = next((axis for axis in axes if axis not in AXES), None)
    if unknown is not None:
        return f"has no axis `{unknown}`: {_known(unknown, AXES)}"
    twice = next((axis for at, axis in enumerate(axes) if axis in axes[:at]), None)
    return None if twice is None else f"names `{twice}` twice: once is enough"


def _whole(value: Any) -> str | None:
    return None if _is_whole(value) else f"is a whole number, got {brief(value)}"


def _batch(images: Any) -> str | None:
    is_one = _is_whole(images) and images >= 1
    return None if is_one else f"is a number of images, 1 or more, got {brief(images)}"


def _is_whole(value: Any) -> bool:
    """Also one of NumPy's."""
    return not isinstance(value, bool) and hasattr(type(value), "__index__")


def _flag(value: Any) -> str | None:
    return None if value is True else f"is True or False, got {brief(value)}"


def _anything(value: Any) -> str | None:
    return None


VALUES: Mapping[str, Callable[[Any], str | None]] = {
    **dict.fromkeys(OPTIONS, _anything),
    "dynamic": _dynamic,
    "opset": _one_among("version", OPSETS),
    "batch": _batch,
    "seed": _whole,
    "half": _flag,
    "verify": _flag,
    "external_data": _one_among("choice", EXTERNAL),
    "adapter": _one_among("host", ADAPTERS),
}
