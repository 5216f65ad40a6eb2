"""The classes of YOLO's files, which have their numbers alone: in a text, a line each, or in the YAML of a data set.

In: a folder. Out: the names in the order of their numbers, nothing where no file has any, or what is wrong with the
file that has them. What else such a YAML says are the folders of its sets, which a message proposes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spinedsl import checks as say
from spinedsl.brief import brief, short_path
from spinedsl.data.dataset import line_of, lines_of, nowhere
from spinedsl.data.listing import read_listing
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.extras import require
from spinedsl.source import Source, Span

TEXTS = ("classes.txt", "obj.names")
YAMLS = (".yaml", ".yml")
USUAL = ("data.yaml", "data.yml", "dataset.yaml")  # of several in a folder these come first
SETS = ("train", "val", "test")
Names = Outcome[tuple[str, ...]]


def is_yaml(path: Path) -> bool:
    """A file is called as YAML is."""
    return path.suffix.lower() in YAMLS


def names_of(folder: Path) -> Names:
    """The classes that a folder names: a line each, or the `names` of its YAML, as a list or by number."""
    for name in TEXTS:
        if (folder / name).is_file():
            return _in_text(folder / name)
    for file in _yamls(folder):
        names = names_in(file)
        if names.value or names.value is None:
            return names
    return Outcome(())


def names_in(file: Path) -> Names:
    """The `names` of a YAML; nothing where it has none, or is none."""
    read = _read(file)
    if read.value is None and file.name in USUAL:
        return Outcome(None, read.diagnostics)
    if read.value is None or "names" not in read.value[1]:
        return Outcome(())
    return _in_yaml(*read.value)


def points_of(folder: Path) -> int:
    """How many numbers a row has behind its box, as `kpt_shape` of a folder's YAML says; 0 where none says it."""
    for file in _yamls(folder):
        read = _read(file).value if b"kpt_shape" in file.read_bytes() else None
        given = read[1].get("kpt_shape") if read is not None else None
        if isinstance(given, list) and len(given) == 2 and all(map(_is_count, given)):
            return int(given[0]) * int(given[1])
    return 0


def _is_count(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 6


def _yamls(folder: Path) -> list[Path]:
    """The YAMLs of a folder, those of usual names first."""
    found = [file for file in folder.glob("[!.]*") if is_yaml(file) and file.is_file()] if folder.is_dir() else []
    return sorted(found, key=lambda file: (file.name not in USUAL, file.name))


def folders_of(file: Path) -> list[tuple[str, Path]]:
    """The folders that the YAML of a data set says its sets are in, as far as they are there."""
    read = _read(file).value
    if read is None:
        return []
    root = read[1].get("path")
    around = [file.parent / root, file.parent] if isinstance(root, str) else [file.parent]
    found = []
    for name in SETS:
        given = read[1].get(name)
        # What Roboflow writes begins above the file, and means beside it.
        ways = (given, given.removeprefix("../")) if isinstance(given, str) and given else ()
        there = (place / way for way in ways for place in around)
        found += [(name, path) for path in [next((path for path in there if path.is_dir()), None)] if path is not None]
    return found


def _read(file: Path) -> Outcome[tuple[Source, dict[str, Any]]]:
    """The text of a YAML and what it holds, all of it as texts."""
    require("yaml")
    import yaml  # noqa: PLC0415 - who reads other kinds needs none

    read = read_listing(file, settable=False)
    source, reason = read.value, "it holds no names with values"
    if source is None or read.diagnostics:
        return Outcome(None, read.diagnostics)
    try:
        # Nothing grows: what stands once is not used again, and all that is made are texts, lists and tables of them.
        grows = any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(source.text, yaml.BaseLoader))
        held = None if grows else yaml.load(source.text, yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        grows, held, reason = False, None, " ".join(str(error).split())
    if isinstance(held, dict):
        return Outcome((source, held))
    reason = "it has aliases" if grows else reason
    what = f"{short_path(source.name)} is no YAML that can be read: {reason}"
    wrong = say.ANNOTATION_FORM.at(nowhere(source.name), what=what)
    return Outcome(None, (wrong,))


def _in_yaml(source: Source, held: dict[str, Any]) -> Names:
    """The `names`: a list, or a table by number from 0."""
    given, place = held["names"], _line_with(source, "names")
    if isinstance(given, dict):
        numbers = {int(key): value for key, value in given.items() if key.isascii() and key.isdigit() and len(key) < 9}
        lacking = next((number for number in range(len(given)) if number not in numbers), None)
        if lacking is not None or len(numbers) < len(given):
            lacking = lacking if lacking is not None else len(given)
            return _wrong(place, f"the `names` of {short_path(source.name)} lack the number {lacking}",
                          "every number from 0 on has a name")  # fmt: skip
        given = [numbers[number] for number in range(len(numbers))]
    if not isinstance(given, list) or not given or not all(isinstance(one, str) and one.strip() for one in given):
        return _wrong(place, f"the `names` of {short_path(source.name)} are no list of names: {brief(given)}")
    names = tuple(one.strip() for one in given)
    count = held.get("nc")
    if count is not None and count != str(len(names)):
        shown = count if isinstance(count, str) and len(count) < 20 else brief(count)
        return _wrong(_line_with(source, "nc"), f"`nc` is {shown}, and there are {len(names)} `names`")
    return _each_once(names, [place] * len(names))


def _in_text(file: Path) -> Names:
    """A name in each line."""
    read = read_listing(file, settable=False)
    if read.value is None or read.diagnostics:
        return Outcome(None, read.diagnostics)
    lines = [(number, line.strip()) for number, line in lines_of(read.value)]
    while lines and not lines[-1][1]:
        lines.pop()
    empty = next((number for number, line in lines if not line), None)
    if empty is not None:
        what = f"line {empty} of {short_path(read.value.name)} is empty, and each line is the name of a class"
        return _wrong(line_of(read.value, empty), what, "take it out, if no class has its number")
    return _each_once(tuple(line for _, line in lines), [line_of(read.value, number) for number, _ in lines])


def _each_once(names: tuple[str, ...], places: list[Span]) -> Names:
    first: dict[str, int] = {}
    for number, (name, place) in enumerate(zip(names, places, strict=True)):
        if (other := first.setdefault(name, number)) != number:
            return _wrong(place, f"classes {other} and {number} are both called {brief(name)}", "call one otherwise")
    return Outcome(names)


def _line_with(source: Source, key: str) -> Span:
    """The line that a key of the YAML begins, or all that is known of its place."""
    quotes = str.maketrans("", "", "'\" ")
    for number, line in lines_of(source):
        if line.partition(":")[0].translate(quotes) == key and not line.startswith((" ", "\t")):
            return line_of(source, number)
    return nowhere(source.name)


def _wrong(place: Span, what: str, fix: str = "") -> Names:
    found: Diagnostic = say.ANNOTATION_FORM.at(place, what=what)
    return Outcome(None, (found.with_fix(fix) if fix else found,))
