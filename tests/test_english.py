"""Plain English: phrases that a stranger would stumble over, and what to write instead.

Read are the documents, the comments and docstrings of the package, its messages, explanations and helps, and the `make`
targets. A string without a blank is a key or a name, no prose; a name in an f-string is code.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents import DOCUMENTS, ROOT

# What to write instead, by what is not written.
BANNED = {
    r"\b(?:fault|bug|mistake|error)s? of ours\b": "internal compiler error",
    r"\bsaid\b": "reported, given or written",
    r"\bthere is an? \S+ too many\b": "unmatched `}`",
    r"\bfrom an? tier up\b": "by at least a tier",
    r"\breads? other than\b": "reorders the displayed text",
    r"\bwhom (?:it|this) breaks\b": "what it breaks",
    r"\beverything that is wrong\b": "every mistake",
    r"\bslips? of the\b": "typing error",
    r"\bon a good day\b": "only for errors",
}
PATTERN = re.compile("|".join(f"(?:{pattern})" for pattern in BANNED), re.IGNORECASE)
# Names that do not say what they hold.
NAMES = {"said": "reported, given, text, or what else it holds", "give_back": "the statement that is run"}
SOURCES = [
    path
    for folder in ("spinedsl", "benchmarks", "examples")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.name != "saved.py"
]
TEXTS = [
    *DOCUMENTS.values(),
    ROOT / "Makefile",
    ROOT / "grammar/spine.lark",
    *sorted((ROOT / "examples").rglob("*.spine")),
]


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Comments and strings of a Python file, with their lines."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def found_in(line: int, text: str) -> Iterator[tuple[int, str]]:
    """Banned phrases of a text that begins at a line, each with its line."""
    for phrase in PATTERN.finditer(" ".join(text.split(" "))):
        yield line + text.count("\n", 0, phrase.start()), phrase[0]


def instead_of(phrase: str) -> str:
    return next(instead for pattern, instead in BANNED.items() if re.fullmatch(pattern, phrase, re.IGNORECASE))


def reported(path: Path, found: Iterator[tuple[int, str]]) -> list[str]:
    name = path.relative_to(ROOT).as_posix()
    return [f"{name}:{line}: `{phrase}`: write {instead_of(phrase)}" for line, phrase in found]


def test_the_package_is_in_plain_english() -> None:
    problems: list[str] = []
    for path in SOURCES:
        texts = prose(path.read_text(encoding="utf-8"))
        problems += reported(path, (one for line, text in texts for one in found_in(line, text)))
    assert problems == []


def test_the_documents_are_in_plain_english() -> None:
    assert [
        problem for path in TEXTS for problem in reported(path, found_in(1, path.read_text(encoding="utf-8")))
    ] == []


def test_names_say_what_they_hold() -> None:
    problems: list[str] = []
    for path in SOURCES:
        name = path.relative_to(ROOT).as_posix()
        if name.startswith("spinedsl/"):
            problems += [f"{name}:{line}: {problem}" for line, problem in names(path.read_text("utf-8"))]
    assert problems == []


def names(source: str) -> Iterator[tuple[int, str]]:
    """Names of a Python file that are not to be used."""
    for node in ast.walk(ast.parse(source)):
        for field in ("id", "attr", "arg", "name"):
            word = getattr(node, field, None)
            if isinstance(word, str) and word.strip("_") in NAMES:
                yield getattr(node, "lineno", 1), f"`{word}`: {NAMES[word.strip('_')]}"


def test_a_name_is_found() -> None:
    source = "said = 1\ndef give_back(said): pass\nx._said += f'{said}'\nfor other in 'said': pass\n"
    found = sorted((line, problem.split("`")[1]) for line, problem in names(source))
    assert found == [(1, "said"), (2, "give_back"), (2, "said"), (3, "_said"), (3, "said")]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ('"""A fault of ours."""\n', 1),
        ("x = 1\n# as it was said\n", 2),
        ("x = f'{y} is said by {said}'\n", 1),
        ('x = """one\nthere is a `}` too many\n"""\n', 2),
        ('help("exit 1 from a tier up")\n', 1),
    ],
)
def test_a_banned_phrase_is_found(source: str, line: int) -> None:
    assert [found for at, text in prose(source) for found, _ in found_in(at, text)] == [line]


@pytest.mark.parametrize("source", ["said = 1\n", "x = {'said': 1}\n", "x = f'{said} is there'\n", "# aforesaid\n"])
def test_names_are_no_prose(source: str) -> None:
    assert not [found for at, text in prose(source) for found in found_in(at, text)]
