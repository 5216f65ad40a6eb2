"""Every rule of the compiler, one a file: its code, title, message, default, explanation and repair.

`networks/` has the rules that look at a whole network: each has a `check` beside its `RULE`, which is run on every
network. `stages/` has those that a stage asks for when it meets the mistake, as in `say.UNEXPECTED.at(…)`. A file is
named for the code and the name of its rule, and read when that rule is asked for: a clean file needs only `networks/`.

To add a rule: a file here, and an input with its expected output under `tests/mistakes`. Nothing else names it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Diagnostic, Rule, Severity

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

GROUPS = {
    "E01": "the form of the text",
    "E02": "names",
    "E03": "structure",
    "E04": "scale",
    "E05": "shapes and values",
    "E06": "limits",
    "W07": "lints",
    "E08": "files",
    "E09": "weights, and what else a backend is asked for",
    "W09": "weights that mean something else",
    "E10": "training: its settings, checkpoints and steps",
    "W10": "training that may not do what is hoped for",
}
OF_FILES = "W07"  # the group of warnings that a file, a configuration or the command line can switch
FOLDERS = ("networks", "stages")


def __getattr__(name: str) -> Rule:
    """The rule of that name, as in `checks.UNUSED_BLOCK`."""
    for code, (_, known) in _files().items():
        if known == name:
            found = globals()[name] = rule(code)
            return found
    raise AttributeError(f"there is no rule {name}")


def codes() -> tuple[str, ...]:
    """Every code, in order. No rule is read for it."""
    return tuple(_files())


def rule(code: str) -> Rule:
    """The rule of a code, which there is."""
    found = import_module(_files()[code][0]).RULE
    assert isinstance(found, Rule)
    return found


def check(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """What every rule of `networks` says of one. Warnings that the network allows are left out.

    A rule leaves alone what is unknown (`None`): that was reported before.
    """
    allowed = {allow.code.text for allow in typed.network.allowed}
    for found in (found for code in _of_networks() for found in import_module(_files()[code][0]).check(typed)):
        if not (found.severity is Severity.WARNING and found.code.id in allowed):
            yield typed.network.seen(found)


def first(diagnostics: list[Diagnostic], most: int) -> list[Diagnostic]:
    """The diagnostics; of more than `most`, the first ones and that there are more. Nobody reads on."""
    if len(diagnostics) <= most:
        return diagnostics
    shown = sorted(diagnostics, key=lambda diagnostic: diagnostic.span.start)[:most]
    more = rule("E0604").at(shown[-1].span, what="mistakes", limit=most, got=len(diagnostics))
    return [*shown, more.with_fix("begin with the first ones")]


@cache
def _files() -> Mapping[str, tuple[str, str]]:
    """The module and the name of each rule by its code."""
    here = os.path.dirname(__file__)
    found: dict[str, tuple[str, str]] = {}
    for folder in FOLDERS:
        for file in os.listdir(os.path.join(here, folder)):
            code, _, name = file.removesuffix(".py").partition("_")
            if file.endswith(".py") and code and name and file[0] != "_":
                found[code.upper()] = f"{__name__}.{folder}.{code}_{name}", name.upper()
    return dict(sorted(found.items()))


def _of_networks() -> list[str]:
    return [code for code, (module, _) in _files().items() if f".{FOLDERS[0]}." in module]
