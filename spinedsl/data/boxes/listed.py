"""VOC's lists of pictures, as `ImageSets/Main/train.txt`: a name in each line, without an ending.

In: the path of a list. Out: the folder of VOC that it is of, and the XML file of each name, with the line; and each
line that names none.
"""

from __future__ import annotations

from pathlib import Path

from spinedsl import checks as say
from spinedsl.data.boxes.named import is_hidden, is_there
from spinedsl.data.dataset import line_of, lines_of, nowhere
from spinedsl.data.listing import read_listing
from spinedsl.diagnostics import Diagnostic, Nearest, Outcome
from spinedsl.diagnostics.plain import one_line
from spinedsl.reading import legible
from spinedsl.source import Span

ANNOTATIONS, JPEGS = "Annotations", "JPEGImages"
SHOWS = ("1", "0", "-1")  # after a name, in a list of one class: the picture shows it, barely, or not
ABOVE = 3  # folders above a list in which that of the XML files is looked for: it is in `ImageSets/Main`

Listed = tuple[Path, Span]  # an XML file, and the line that names it


def root_of(path: Path) -> Path | None:
    """The folder that has `Annotations`, of a list in it or below it."""
    around = [*path.parents, *path.absolute().parents[len(path.parents) :]]
    return next((folder for folder in around[:ABOVE] if (folder / ANNOTATIONS).is_dir()), None)


def xml_files(folder: Path) -> list[Path]:
    """The XML files in a folder, in the order of their names; what begins with a dot is left out."""
    files = (file for file in folder.glob("*") if not is_hidden(file, folder))
    return sorted(file for file in files if file.suffix.lower() == ".xml" and is_there(file))


def is_list(path: Path) -> bool:
    """A text file is one of VOC's lists beyond doubt, by where it stands."""
    inside = "ImageSets" in path.absolute().parts[-ABOVE - 1 : -1]
    return path.suffix.lower() == ".txt" and inside and root_of(path) is not None


def listed_files(path: Path, folder: Path) -> Outcome[tuple[Listed, ...]]:
    """The XML files in a folder that a list names."""
    name = legible(str(path))
    read = read_listing(path, settable=False)
    if read.value is None:
        return Outcome(None, read.diagnostics)
    source, found = read.value, [*read.diagnostics]
    there = {file.stem: file for file in xml_files(folder)}
    like = Nearest(list(there))
    first: dict[str, int] = {}
    files: list[Listed] = []
    for number, line in lines_of(source):
        words, place = line.split(), line_of(source, number)
        if line.strip() in there:  # with blanks in it, perhaps
            words = [line.strip()]
        if len(words) == 2 and words[1] in SHOWS:
            what = "this list says which pictures show one class, and is none of pictures"
            wrong = say.ANNOTATION_FORM.at(place, what=what)
            return Outcome(None, (*found, wrong.with_fix("name `train.txt`, or another list of names alone")))
        if len(words) > 1:
            wrong = say.ANNOTATION_FORM.at(place, what="a line of the list is the name of one picture")
            found.append(wrong.with_fix(f"there is no `{one_line(line.strip())}.xml` either"))
        elif words and (before := first.setdefault(words[0], number)) != number:
            found.append(say.LISTED_TWICE.at(place, path=one_line(words[0]), line=before))
        elif words and words[0] not in there:
            found.append(_missing(place, folder, words[0], like))
        elif words:
            files.append((there[words[0]], place))
    if not first and not found:
        wrong = say.NO_DATASET.at(nowhere(name), path=name, reason="it names no pictures")
        return Outcome(None, (wrong.with_fix("write the name of a picture into each line, without its ending"),))
    return Outcome(tuple(files), tuple(found))


def _missing(place: Span, folder: Path, name: str, like: Nearest) -> Diagnostic:
    what = f"there is no `{one_line(name)}.xml` in {legible(str(folder))}"
    found: Diagnostic = say.ANNOTATION_FORM.at(place, what=what)
    near = like(name)
    return found.with_fix(f"did you mean `{near}`?") if near else found
