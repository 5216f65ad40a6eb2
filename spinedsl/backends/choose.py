"""From what somebody gives for a backend to its `Options`; what nothing would read is refused, with what to do instead.

In: the name of a backend, and options by name. Out: `Options`, but for the tensors, or what is wrong. Which option a
backend reads, and what values it has, its file in `tables/` says; Python and the command line ask here before they read
a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import index
from typing import Any, TypeAlias

from spinedsl.backends import BACKENDS, IN_VERIFYING, Options, declared
from spinedsl.backends.option import FINDING, Option, known
from spinedsl.diagnostics import one_of

WHOLE = ("seed", "opset", "batch", "optimise", "top", "max_detections")
Wrong: TypeAlias = tuple[str, str]  # the name of an option, and why it is refused with what to do instead


# Every option that some backend takes, by its name.
OPTIONS: Mapping[str, Option] = {option.name: option for to in BACKENDS for option in declared(to).options}


def takers(name: str) -> list[str]:
    """The backends that take an option."""
    return [to for to in BACKENDS if name in declared(to).takes]


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
        return "to", f"has no `{to}`: {known(to, BACKENDS)}"
    asked = given_among(given)
    read = {*declared(to).takes}
    if "verify" in asked and "verify" in read:
        read |= {*IN_VERIFYING}
    for name, value in asked.items():
        if name not in read:
            return name, f"is for {one_of(takers(name))}, not for `{to}`: {_instead(to, name, value)}"
        if (reason := OPTIONS[name].refusal(value)) is not None:
            return name, reason
    return _together(asked)


def options_of(to: str, given: Mapping[str, object]) -> Options:
    """The options of a backend, but for the tensors, of what nothing is wrong with."""
    values = {option.name: option.usual for option in declared(to).options if option.usual is not None}
    values |= {name: value for name, value in given_among(given).items() if name not in ("weights", "verify")}
    values |= {name: float(values[name]) for name in ("score", "overlap") if name in values}
    values |= {name: index(values[name]) for name in WHOLE if name in values}
    return Options(**values | ({"dynamic": frozenset(values["dynamic"])} if "dynamic" in values else {}))


def _is_nothing(value: object) -> bool:
    return value is None or value is False or (isinstance(value, str | tuple | list | set | frozenset) and not value)


def _instead(to: str, name: str, value: object) -> str:
    return declared(to).instead[name].format(value=value if isinstance(value, int) else "…")


def _together(asked: Mapping[str, Any]) -> Wrong | None:
    """What one option says, another may leave without a meaning."""
    if {"seed", "weights"} <= asked.keys() and "verify" not in asked:
        return "seed", "makes no difference beside weights, which are the values: give one of the two"
    if "batch" in asked and "batch" in asked.get("dynamic", ()):
        return "batch", "makes no difference where the axis `batch` stays open: give one of the two"
    without = next((option.name for option in FINDING if option.name in asked and "detect" not in asked), None)
    if without is not None:
        return without, "makes no difference without `detect`: it says how boxes are found"
    if "runtime" in asked and asked.get("optimise") != 2:
        return "runtime", "makes no difference without level 2 of `optimise`, whose passes are for one"
    if asked.get("optimise") == 2 and "runtime" not in asked:
        return "optimise", "of level 2 is for a runtime: say which, `onnxruntime` or `openvino`"
    if {"adapter", "inference"} <= asked.keys():
        return "inference", "is for a file that only runs, and hosts train what they take: give one of the two"
    if {"half", "verify"} <= asked.keys():
        return "verify", "compares float32, which is not what `half` writes: compare without it first"
    return None
