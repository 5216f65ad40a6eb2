"""Options of backends: what a backend may be asked for, declared in its own table.

In: a value, from Python or the command line. Out: whether an option has such a value, or why not. The command line
takes names, values and help from the same tables (`cli/compile.py`), and `choose.py` the refusals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, SupportsFloat

from spinedsl.brief import brief
from spinedsl.diagnostics import nearest, one_of
from spinedsl.ops.detection import MOST, OVERLAP, SCORE, TOP
from spinedsl.record import Record


class Option(Record):
    """A thing to ask for: its name in Python, the kind of its value, and its help on the command line.

    `choices` are the values of a `choice`, and the names that `names` may have; `metavar` stands for a value. `usual`
    is what a backend takes where nothing is given, if that is not what `Options` has.
    """

    name: str
    kind: str  # of `KINDS`
    help: str = ""
    metavar: str = ""
    choices: tuple[Any, ...] = ()
    what: str = ""  # a choice, in a word
    usual: Any = None

    def refusal(self, value: Any) -> str | None:
        """Why the option cannot have a value; None where it can."""
        return KINDS[self.kind](self, value)


class Declared(Record):
    """What a backend says of itself: its title, the packages that it needs, and the options that it takes.

    `instead` says of every option of others what to do; `{value}` is what was given.
    """

    title: str
    packages: tuple[str, ...]
    options: tuple[Option, ...]
    instead: Mapping[str, str]

    @property
    def takes(self) -> tuple[str, ...]:
        """The names of its options."""
        return tuple(option.name for option in self.options)


def known(name: object, names: Iterable[object]) -> str:
    """What may be meant by a name that there is not."""
    there = [str(one) for one in names]
    near = nearest(name, there) if isinstance(name, str) else None
    return f"did you mean `{near}`?" if near else f"there is {one_of(there, conjunction='and', limit=20)}"


def is_whole(value: Any) -> bool:
    """A whole number, also one of NumPy's."""
    return not isinstance(value, bool) and hasattr(type(value), "__index__")


def _choice(option: Option, value: Any) -> str | None:
    return None if value in option.choices else f"has no {option.what} `{value}`: {known(value, option.choices)}"


def _names(option: Option, names: Any) -> str | None:
    if isinstance(names, str):
        return f"is a collection of {option.metavar.lower()}, as in `({names!r},)`"
    names = tuple(names)
    unknown = next((name for name in names if name not in option.choices), None)
    if unknown is not None:
        return f"has no {option.what} `{unknown}`: {known(unknown, option.choices)}"
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    return None if twice is None else f"names `{twice}` twice: once is enough"


def _whole(option: Option, value: Any) -> str | None:
    return None if is_whole(value) else f"is a whole number, got {brief(value)}"


def _count(option: Option, value: Any) -> str | None:
    right = is_whole(value) and value >= 1
    return None if right else f"is a number of {option.what}, 1 or more, got {brief(value)}"


def _share(option: Option, value: Any) -> str | None:
    right = isinstance(value, SupportsFloat) and not isinstance(value, bool | str) and 0 <= float(value) <= 1
    return None if right else f"is a number from 0 to 1, got {brief(value)}"


def _text(option: Option, value: Any) -> str | None:
    return None if isinstance(value, str) else f"is the name of a {option.what}, got {brief(value)}"


def _flag(option: Option, value: Any) -> str | None:
    return None if value is True else f"is True or False, got {brief(value)}"


def _anything(option: Option, value: Any) -> str | None:
    return None


KINDS: Mapping[str, Callable[[Option, Any], str | None]] = {
    "choice": _choice,
    "names": _names,
    "whole": _whole,
    "count": _count,
    "share": _share,
    "text": _text,
    "flag": _flag,
    "weights": _anything,
}

# What several backends take.
VERIFY = Option("verify", "flag", "compare as `spine verify` does; write only if all agree, and say so in the file")
FINDING = (
    Option("detect", "flag", "find boxes by the network's detection task: a method `detect`, or a model's outputs"),
    Option("task", "text", "the detection task, where there are several", metavar="NAME", what="task"),
    Option("score", "share", f"with --detect, keep what scores above this (default {SCORE:g})", metavar="S"),
    Option(
        "overlap", "share",
        f"with --detect, drop a box that a better one of its class overlaps by an IoU above this (default {OVERLAP:g})",
        metavar="S",
    ),
    Option(
        "max_detections", "count", f"with --detect, boxes of an image at most (default {MOST})", metavar="N",
        what="boxes",
    ),
    Option("top", "count", f"with --detect, candidates of each level (default {TOP})", metavar="N", what="candidates"),
)  # fmt: skip
