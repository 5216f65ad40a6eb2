"""Lists of pictures as text: their encoding, and the rows of a CSV, each with its line.

In: the path of a file. Out: a `Source` whatever its encoding, and rows; and each line that cannot be read.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.data.dataset import line_of, lines_of, nowhere
from spinedsl.diagnostics import Diagnostic, Outcome, nearest, one_of
from spinedsl.diagnostics.plain import one_line
from spinedsl.reading import legible, reason_of
from spinedsl.record import Record
from spinedsl.source import Source

GUESS = "cp1252"  # what most texts are in that are no UTF-8: that of Windows, and nearly Latin-1
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
DELIMITERS = ",;\t"


def read_listing(path: Path, encoding: str = "", *, settable: bool = True) -> Outcome[Source]:
    """The text of a list. What is in another encoding is reported, and read in the one that it probably has.

    `settable` says that a setting may name the encoding.
    """
    name = legible(str(path))
    try:
        data = path.read_bytes()
    except OSError as error:
        return Outcome(None, (say.CANNOT_READ.at(nowhere(name), path=name, reason=reason_of(error)),))
    except ValueError:  # a null character, or half of one
        return Outcome(None, (say.CANNOT_READ.at(nowhere(name), path=name, reason="no file can have this name"),))
    marked = next((known for mark, known in MARKS if data.startswith(mark)), "")
    expected = encoding or ("utf-8-sig" if marked == "utf-8-sig" else "utf-8")
    try:
        return Outcome(Source.from_text(data.decode(expected), name, str(path)))
    except UnicodeDecodeError as error:
        return _guessed(data, name, str(path), expected, marked, error, settable=settable)
    except (LookupError, UnicodeError):
        known = say.LABEL_ENCODING.at(nowhere(name), path=name, encoding=expected, what="Python knows no such encoding")
        return Outcome(None, (known.with_fix('the usual ones are "utf-8", "cp1252", "latin-1" and "utf-16"'),))


def _guessed(
    data: bytes, name: str, origin: str, expected: str, marked: str, error: UnicodeDecodeError, *, settable: bool
) -> Outcome[Source]:
    """The text in the encoding that it probably has, and that it is not the one that it should have."""
    guess = marked or (GUESS if expected == "utf-8" else "utf-8")
    source = Source.from_text(data.decode(guess, "replace"), name, origin)
    line = data.count(b"\n", 0, error.start) + 1 if not marked else 1
    what = f"byte 0x{data[error.start]:02x} in line {line}"
    found = say.LABEL_ENCODING.at(line_of(source, line), path=name, encoding=expected, what=what)
    setting = f'write `encoding = "{guess}"`, or ' if settable else ""
    text = f"it seems to be {guess}: {setting}convert it: `iconv -f {guess} -t utf-8`"
    return Outcome(source, (found.with_fix(text),))


class Row(Record):
    """The line of a row, and its fields."""

    line: int
    fields: tuple[str, ...]


def read_rows(source: Source, delimiter: str = "") -> Outcome[tuple[Row, ...]]:
    """The rows of a CSV, without empty ones; the first tells what stands between fields, unless that is given."""
    between = delimiter or guessed_delimiter(source.text)
    rows: list[Row] = []
    reader = csv.reader([f"{line}\n" for _, line in lines_of(source)], delimiter=between, strict=True)
    first = 1
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                rows.append(Row(first, tuple(field.strip() for field in fields)))
            first = reader.line_num + 1
    except csv.Error as error:
        place = line_of(source, min(first, len(source.line_starts)))
        wrong = say.LABEL_FORM.at(place, what=f"this is no CSV from here on: {error}", label="")
        return Outcome(tuple(rows), (wrong,))
    return Outcome(tuple(rows))


def guessed_delimiter(text: str) -> str:
    """What stands between the fields of the first line that is not empty: a comma unless there is more of another."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    return max(DELIMITERS, key=first.count)


def column(header: Row, source: Source, wanted: str, known: Sequence[str]) -> int | Diagnostic:
    """Where the column stands that is called `wanted`, or one of `known` where nothing is wanted."""
    names = [field.lower() for field in header.fields]
    if wanted:
        if wanted.lower() in names:
            return names.index(wanted.lower())
    else:
        there = [name for name in known if name in names]
        if there:
            return names.index(there[0])
    asked = wanted or known[0]
    has = one_of(header.fields, conjunction="and", limit=20)
    what, label = f"there is no column `{one_line(asked)}`", f"the first line names {has}"
    found: Diagnostic = say.LABEL_FORM.at(line_of(source, header.line), what=what, label=label)
    near = nearest(asked, header.fields)
    if near:
        return found.with_fix(f"did you mean `{near}`?")
    return found.with_fix(f"the first line names the columns, as in `{DELIMITERS[0].join(('path', 'label'))}`")


def cut_short(source: Source, rows: Sequence[Row], width: int) -> Iterator[Diagnostic]:
    """Rows that have other fields than the first line says."""
    for row in rows:
        if len(row.fields) != width:
            what = f"this row has {counted(len(row.fields), 'field')}, and the first line {width}"
            label = "text that holds what stands between fields needs quotes" if len(row.fields) > width else ""
            yield say.LABEL_FORM.at(line_of(source, row.line), what=what, label=label)
