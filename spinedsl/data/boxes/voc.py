"""VOC's XML: a file for each picture, its objects with the first and the last pixel of their boxes, counted from 1.

In: a folder, or a list of some of its pictures. Out: a `BoxSet`, and every mistake, with its line. So left is `xmin`
less 1 and right is `xmax`. What is `difficult` counts as a crowd does: neither as right nor as wrong. A picture that
`filename` does not find is the one that is called as its XML, and where `size` is missing or 0, that is the picture's.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.parsers import expat

from spinedsl import checks as say
from spinedsl.brief import brief, short_path
from spinedsl.data.boxes.kept import Box, BoxSet, Picture, kept, notes
from spinedsl.data.boxes.listed import ANNOTATIONS, JPEGS, listed_files, root_of, xml_files
from spinedsl.data.boxes.named import beside, is_hidden, is_there, no_picture, no_size, path_of, size_of
from spinedsl.data.dataset import line_of, nowhere, unknown_class
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.reading import legible
from spinedsl.record import Record, field
from spinedsl.source import Source

SIDES = ("xmin", "ymin", "xmax", "ymax")
DIFFICULT = {"": False, "0": False, "false": False, "unspecified": False, "1": True, "true": True}

ENTITIES = "it defines entities"
ENCODING = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z][\w.-]*)["']""")


class Element(Record, frozen=False):
    """An element of XML, its line, and the text and elements in it."""

    tag: str
    line: int
    text: str = ""
    inner: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> list[Element]:
        """Its own elements of that name."""
        return [one for one in self.inner if one.tag == tag]

    def of(self, *tags: str) -> str:
        """The text of the first element at a path, or nothing."""
        found = self
        for tag in tags:
            inner = found.all(tag)
            if not inner:
                return ""
            found = inner[0]
        return found.text.strip()


def parse_xml(data: bytes) -> Element:
    """The elements of a file.

    Raises:
        ExpatError: it is no XML.
        ValueError: it defines entities, which could grow without end.
    """
    parser = expat.ParserCreate()
    top = Element("", 0)
    around = [top]

    def begin(tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag, parser.CurrentLineNumber)
        around[-1].inner.append(element)
        around.append(element)

    def end(tag: str) -> None:
        around.pop()

    def text(more: str) -> None:
        around[-1].text += more

    def entity(*what: object) -> None:
        raise ValueError(ENTITIES)

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler, parser.EntityDeclHandler = text, entity
    parser.Parse(data, True)
    return top


def read_voc(path: Path, images: Path | None, classes: tuple[str, ...]) -> Outcome[BoxSet]:
    """The pictures and boxes of a folder, or those of it that a list names."""
    name = legible(str(path))
    root = root_of(path) if path.is_file() else path
    if root is None:
        wrong = say.NO_DATASET.at(nowhere(name), path=name, reason="no folder above it has `Annotations`")
        return Outcome(
            None, (wrong.with_fix("name the folder that holds `Annotations`, or a list in its `ImageSets`"),)
        )
    folder = root / ANNOTATIONS if (root / ANNOTATIONS).is_dir() else root
    around = (root, root.parent) if root.name == ANNOTATIONS else (root,)
    pictures = images or next((place / JPEGS for place in around if (place / JPEGS).is_dir()), folder)
    if path.is_file():
        listed = listed_files(path, folder)
        if listed.value is None:
            return Outcome(None, listed.diagnostics)
        files, reported = [file for file, _ in listed.value], [*listed.diagnostics]
    else:
        files, reported = xml_files(folder), []
    if not files and not reported:
        where = "" if folder == path else f" in `{ANNOTATIONS}`"
        deeper = (file for file in folder.glob("*/*") if not is_hidden(file, folder))
        below = next((file for file in deeper if file.suffix.lower() == ".xml"), None)
        wrong = say.NO_DATASET.at(nowhere(name), path=name, reason=f"it has no XML files{where}")
        fix = "name the folder of the XML files, or the one that holds `Annotations`"
        if below is not None:
            fix = f"name the folder that has some: `{legible(str(below.parent))}`"
        return Outcome(None, (wrong.with_fix(fix),))
    read: list[tuple[Path, Source, Element]] = []
    for file in files:
        data = file.read_bytes()
        source = Source.from_text(data.decode("utf-8", "replace"), legible(str(file)))
        try:
            tops = parse_xml(data).all("annotation")
        except (expat.ExpatError, ValueError, LookupError) as error:
            reported.append(_unread(source, data, error))
            continue
        if tops:
            read.append((file, source, tops[0]))
        else:
            reported.append(_form(source, 1, f"{short_path(source.name)} has no `annotation`"))
    there = {one.of("name") for _, _, top in read for one in top.all("object")} - {""}
    known = classes or tuple(sorted(there))
    made = tuple(_picture(file, source, top, pictures, known, reported) for file, source, top in read)
    first: dict[str, Path] = {}
    for one, (file, source, top) in zip(made, read, strict=True):
        if one is not None and (other := first.setdefault(one.path, file)) is not file:
            what = f"{short_path(source.name)} names the picture that {legible(other.name)} has: {legible(one.path)}"
            reported.append(_form(source, top.line, what))
    found = BoxSet("voc", name, known, tuple(one for one in made if one is not None), not reported)
    return Outcome(found, (*reported, *notes(found)))


def _unread(source: Source, data: bytes, error: Exception) -> Diagnostic:
    """A file is no XML that can be read, perhaps because of the encoding that it names."""
    what = f"{short_path(source.name)} is no XML that can be read: {error}"
    wrong = _form(source, getattr(error, "lineno", 1), what)
    named = ENCODING.match(data)
    if named is None or isinstance(error, expat.ExpatError) or str(error) == ENTITIES:
        return wrong
    encoding = named[1].decode("ascii")
    how = (
        "write it in UTF-8"
        if isinstance(error, LookupError)
        else f"convert it to UTF-8: `iconv -f {encoding} -t utf-8`"
    )
    return wrong.with_fix(f'{how}, and take `encoding="{encoding}"` out')


def _form(source: Source, line: int, what: str) -> Diagnostic:
    found: Diagnostic = say.ANNOTATION_FORM.at(line_of(source, min(line, len(source.line_starts))), what=what)
    return found


def _picture(
    file: Path, source: Source, top: Element, folder: Path, known: tuple[str, ...], reported: list[Diagnostic]
) -> Picture | None:
    """The picture of one file, with its boxes."""
    place, named = line_of(source, top.line), top.of("filename") or f"{file.stem}.jpg"
    path = path_of(folder, named)
    like = None if is_there(path) else beside(folder, file.stem)
    path, there = (str(folder / like), True) if like else (path, is_there(path))
    if not there:
        reported.append(no_picture(path, place, folder, named))
    given = [top.of("size", side) for side in ("height", "width")]
    size = _size(given)
    if size is None and there and set(given) <= {"", "0"}:
        size = size_of(path)
        if size is None:
            reported.append(no_size(path, place))
    elif size is None and there:
        what = f"the `size` in {short_path(source.name)} is no height and width: {' and '.join(map(brief, given))}"
        reported.append(_form(source, top.line, what))
    if size is None:
        return None
    height, width = size
    boxes: list[Box] = []
    for one in top.all("object"):
        made = _box(source, one, (height, width), known)
        if isinstance(made, Diagnostic):
            reported.append(made)
        else:
            boxes.append(made)
    return Picture(str(path), height, width, tuple(boxes))


def _size(given: list[str]) -> tuple[int, int] | None:
    """Height and width in pixels."""
    try:
        height, width = map(float, given)
    except ValueError:
        return None
    whole = height.is_integer() and width.is_integer() and min(height, width) >= 1 and max(height, width) < 2**31
    return (int(height), int(width)) if whole else None


def _box(source: Source, one: Element, size: tuple[int, int], known: tuple[str, ...]) -> Box | Diagnostic:
    """The box of one object."""
    place, name = line_of(source, one.line), one.of("name")
    if not name:
        return _form(source, one.line, "this object has no `name`")
    if name not in known:
        return unknown_class(place, name, known)
    given = [one.of("bndbox", side) for side in SIDES]
    try:
        left, top, right, bottom = map(float, given)
    except ValueError:
        got = ", ".join(f"{side} {brief(value)}" for side, value in zip(SIDES, given, strict=True))
        return _form(source, one.line, f"the box of this `{name}` is not four numbers: {got}")
    difficult = DIFFICULT.get(one.of("difficult").lower())
    if difficult is None:
        return _form(source, one.line, f"`difficult` of this `{name}` is {brief(one.of('difficult'))}, expected 0 or 1")
    return kept(
        (left - 1, top - 1, right, bottom), size, known.index(name), f"the box of this {name}", place, crowd=difficult
    )
