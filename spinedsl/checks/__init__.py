"""Every rule of the compiler, one a file: its code, title, message, default, explanation and repair.

`networks/` has the rules that look at a whole network, `files/` those that look at a whole file: each has a `check`
beside its `RULE`, which is run on every network, or file. `stages/` has those that a stage asks for when it meets the
mistake, as in `say.UNEXPECTED.at(…)`. A file is named for the code and the name of its rule, and read when that rule is
asked for: a clean file needs only the first two.

To add a rule: a file here, and an input with its expected output under `tests/mistakes`. Nothing else names it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from spinedsl.checks.switches import LINTS, Switches
from spinedsl.diagnostics import Default, Diagnostic, Rule, nearest, one_of

if TYPE_CHECKING:
    from spinedsl.ir.library import Unit
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
    "E10": "settings; training, its checkpoints and steps",
    "W10": "training that may not do what is hoped for",
    "E11": "pictures and labels",
    "W11": "pictures and labels that may not be what is meant",
    "E12": "search spaces",
}
FOLDERS = ("networks", "files", "stages")


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


def check(typed: TypedNetwork, switches: Switches) -> Iterator[Diagnostic]:
    """What every rule of `networks` says of one. Lints that are off, or that the network allows, are left out.

    A rule leaves alone what is unknown (`None`): that was reported before.
    """
    allowed = {allow.code.text for allow in typed.network.allowed}
    for found in _found("networks", typed, allowed, switches):
        yield typed.network.seen(found)


def check_file(unit: Unit, switches: Switches) -> Iterator[Diagnostic]:
    """What every rule of `files` says of one, whose form and names are right."""
    return _found("files", unit, unit.allowed, switches)


def _found(folder: str, checked: object, allowed: set[str], switches: Switches) -> Iterator[Diagnostic]:
    for code, (name, _) in _files().items():
        if f".{folder}." in name and code not in allowed:
            module = import_module(name)
            if switches.level(module.RULE) is not Default.OFF:
                yield from module.check(checked, **switches.settings(module.RULE))


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


def lints() -> list[str]:
    """The codes of the warnings about files, which can be switched."""
    return [code for code in _files() if code.startswith(LINTS)]


def spelt(selector: str) -> str:
    """A code, or the beginning of one, as codes are written; any other text as it is."""
    found = selector.strip()
    return found.upper() if found[:1] in ("e", "w") and not found[1:].strip("0123456789") else found


def refused(selector: str) -> str | None:
    """Why no lint can be switched by a code, or the beginning of one; None where some can."""
    known, whole = lints(), codes()
    if selector and any(code.startswith(selector) for code in known):
        return None
    if selector and any(code.startswith(selector) for code in whole):
        what = "an error, which has to be mended" if selector[0] == "E" else "about weights"
        return f"`{selector}` is {what}: only lints can be switched, {one_of(known, conjunction='and')}"
    if selector.casefold() in ("all", "warnings", "lints"):
        return f"there is no code `{selector}`: `{LINTS}` is all lints"
    near = nearest(selector.upper(), known)
    hint = f"; did you mean `{near}`?" if near else f": there is {one_of(known, conjunction='and')}"
    return f"there is no lint `{selector}`{hint}"


def refused_setting(code: str, name: str) -> str | None:
    """Why a lint has no setting of that name; None where it has."""
    having = {one: [setting.name for setting in rule(one).settings] for one in lints()}
    if code not in having:
        return refused(code) or f"`{code}` is the beginning of several codes, and a setting is of one lint"
    if name in having[code]:
        return None
    if not having[code]:
        others = one_of([f"{one}.{other}" for one, names in having.items() for other in names], conjunction="and")
        return f"{code} has no settings: there is {others}"
    near = nearest(name, having[code])
    hint = f"; did you mean `{near}`?" if near else f": it has {one_of(having[code], conjunction='and')}"
    return f"{code} has no setting `{name}`{hint}"
