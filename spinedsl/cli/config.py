"""A configuration: `spine.toml`, or `[tool.spine]` of a `pyproject.toml`.

    deny = ["W0702"]       # also `warn` and `allow`: codes, or beginnings of codes
    [W0702]                # `[tool.spine.W0702]` in a pyproject.toml
    levels = 4             # a setting of one lint

In: a path. Out: the layer of switches that it is, or every mistake in it, each at its place. It switches
lints and nothing else: what a file means does not depend on it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from spinedsl import checks, reading
from spinedsl import checks as say
from spinedsl.checks.switches import LEVELS, Layer
from spinedsl.diagnostics import Default, Diagnostic, Outcome, one_of
from spinedsl.settings import Setting, Table, dotted, read_table, shown
from spinedsl.toml import Document, Path, read_toml

IN_PYPROJECT: Path = ("tool", "spine")


def has_table(path: str) -> bool:
    """A pyproject.toml has something for spine; so may one that is no TOML, which is then reported."""
    found = reading.read(path).then(read_toml)
    if found.value is None:
        return True
    tool = found.value.values.get("tool")
    return isinstance(tool, dict) and "spine" in tool


def read_layer(path: str) -> Outcome[Layer]:
    """What a configuration asks for; None where something is wrong with it."""
    inside = not (beside := os.path.relpath(path)).startswith("..")
    name = beside if inside else path
    found = reading.read(path, name).then(read_toml)
    if found.value is None:
        return Outcome(None, found.diagnostics)
    document, root = found.value, () if path.endswith("spine.toml") else IN_PYPROJECT
    wrong = list(_no_table(document, root))
    if wrong:
        return Outcome(None, tuple(wrong))
    table = _table()
    whole = table if not root else Table((), {"tool": Table((), {"spine": table})})
    values, diagnostics = read_table(document, table, root, (whole, ()))
    levels: dict[str, Default] = {}
    diagnostics += [one for level in LEVELS for one in _levels(document, (*root, level), values[level], levels)]
    settings = {code: _given(document, (*root, code), values[code]) for code in table.tables}
    layer = Layer(f"in {name}", levels, {code: given for code, given in settings.items() if given})
    return Outcome(None if diagnostics else layer, tuple(diagnostics))


def _no_table(document: Document, root: Path) -> Iterator[Diagnostic]:
    held: Any = document.values
    for part in root:
        held = held[part]
    if not isinstance(held, dict):
        found = say.KEY_OF_ANOTHER_KIND.at(
            document.value(root), name=dotted(root), expected="a table of settings", got=shown(held)
        )
        yield found.with_fix('as in `[tool.spine]`, with `deny = ["W0702"]` below it')


def _table() -> Table:
    """What a configuration may say: lists of codes, and the settings of each lint that has some."""
    lists = tuple(Setting(name, "names", [], f"lints to {name}") for name in LEVELS)
    rules = [checks.rule(code) for code in checks.lints()]
    tables = {
        rule.id: Table(tuple(Setting(s.name, "whole", s.default, s.meaning, s.least, s.most) for s in rule.settings))
        for rule in rules
        if rule.settings
    }
    return Table(lists, tables)


def _levels(document: Document, path: Path, items: list[str], levels: dict[str, Default]) -> Iterator[Diagnostic]:
    """The codes of a list get its level; those that cannot be switched, or have another level, are told."""
    asked = str(path[-1])
    for number, item in enumerate(items):
        code = checks.spelt(item)
        reason, place = checks.refused(code), document.value((*path, number))
        if reason is not None:
            found = say.NO_SUCH_CHOICE.at(place, name=dotted(path), got=shown(item), expected=one_of(checks.lints()))
            yield found.with_notes(reason).with_fix("take it away, or name a lint")
        elif levels.setdefault(code, LEVELS[asked]) is not LEVELS[asked]:
            before = next(name for name, level in LEVELS.items() if level is levels[code])
            clash = say.SETTINGS_AT_ODDS.at(place, what=f"`{code}` stands in `{before}` and in `{asked}`")
            yield clash.with_fix("keep one of the two")


def _given(document: Document, path: Path, values: Mapping[str, int]) -> dict[str, int]:
    """The settings that the file has, without defaults."""
    return {name: value for name, value in values.items() if (*path, name) in document.keys}
