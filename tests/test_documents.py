"""The documents are run: every `spine` command, every Python snippet and every file in them, each document from its
beginning in an empty folder.

`spine` is that of a new environment with the wheel, as somebody has it who did nothing but `pip install`.
`tests/documents.py` says how a block is read.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spinedsl.cli import parser
from spinedsl.cli.parsing import Parser
from tests.documents import DOCUMENTS, README, ROOT, STEPS, Step, problems_of, steps_in
from tests.shipping import Installed, build, install

CODE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)")
SPAN = re.compile(r"`(spine [^`]+)`")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A new environment with the wheel."""
    return install(build(tmp_path_factory.mktemp("dist")).wheel, tmp_path_factory.mktemp("environment"))


@pytest.mark.parametrize("name", STEPS)
def test_a_document_works_as_written(name: str, tmp_path: Path, installed: Installed) -> None:
    problems = list(problems_of(name, STEPS[name], tmp_path, installed))
    assert not problems, "\n".join(problems)


def test_what_readers_come_for_is_run() -> None:
    """Nothing is left out because a block was written otherwise."""
    documents = {f"docs/{name}.md" for name in (
        "command-line", "edits", "hosts", "language", "onnx", "performance", "python", "search", "spaces", "testing",
        "training", "tutorial", "weights",
    )}  # fmt: skip
    assert STEPS.keys() == documents | {"README.md"}
    kinds = [step.kind for steps in STEPS.values() for step in steps]
    assert kinds.count("spine") >= 60
    assert kinds.count("python") >= 8
    assert kinds.count("output") == 2


def test_the_readme_is_a_front_door() -> None:
    """It fits on a few screens, has one picture, and leads to every other document."""
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert len(re.findall(r"!\[", text)) == 1
    led_to = {target for target, _ in LINK.findall(text)}
    assert {name for name in DOCUMENTS if name.count("/") == name.count("docs/")} - {"README.md"} <= led_to


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files_and_headings(name: str) -> None:
    path = DOCUMENTS[name]
    for target, heading in LINK.findall(CODE.sub("", path.read_text(encoding="utf-8"))):
        to = (path.parent / target).resolve() if target else path
        assert to.exists(), f"{name}: {target}"
        assert to.is_relative_to(ROOT)
        if heading:
            assert heading[1:] in headings(to), f"{name}: {target}{heading}"


def headings(path: Path) -> set[str]:
    """The anchors of a document, as GitHub makes them."""
    lines = re.findall(r"^#+ (.*)$", CODE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_in_a_line_of_text_exist(name: str) -> None:
    """`spine COMMAND --option` in the middle of a sentence names a command, and options of that command."""
    text = CODE.sub("", DOCUMENTS[name].read_text(encoding="utf-8"))
    for span in SPAN.findall(text):
        words = span.replace("\n", " ").split()[1:]
        one = command_of(words)
        assert one is not None, f"{name}: `{span}`"
        known = {option for action in one._actions for option in action.option_strings}
        given = {word.partition("=")[0] for word in words if re.fullmatch(r"--?[a-z][\w-]*(=.*)?", word)}
        assert given <= known, f"{name}: `{span}`"


def command_of(words: list[str]) -> Parser | None:
    """The parser of the command that words begin with."""
    one = parser()
    while words and (one.commands or words[0] == "help"):
        word, *words = words
        if word in ("help", "1", "COMMAND", "COMMAND:") or word.startswith(
            "-"
        ):  # `spine help X`; `spine 1` begins a file
            continue
        if word not in one.commands:
            return None
        one = one.commands[word]
    return one


def test_steps_are_found() -> None:
    markdown = """
```spine
# nets/mine.spine
spine 1
```
```sh
make demo
spine check nets/mine.spine   # exits 1
$ spine compile nets/mine.spine \\
    --to torch
# exit status 2
spine nonsense
spine --version
```

prints

```text
spine 0.1.0
```
```text
spine check not-run.spine
```
- in a list:
  ```python
  import spinedsl
  ```
```spine
network A = B with { drop b1 }
```
"""
    assert steps_in(markdown) == [
        Step("nets/mine.spine", "# nets/mine.spine\nspine 1\n", 3),
        Step("spine", "spine check nets/mine.spine   # exits 1", 8, 1),
        Step("spine", "spine compile nets/mine.spine --to torch", 9),
        Step("spine", "spine nonsense", 12, 2),
        Step("spine", "spine --version", 13),
        Step("output", "spine 0.1.0\n", 19),
        Step("python", "import spinedsl\n", 26),
        Step("excerpt", "network A = B with { drop b1 }\n", 29),
    ]


@pytest.mark.parametrize(
    ("markdown", "problem"),
    [
        ("```sh\nspine check nothing.spine\n```", "exit status 1, expected 0"),
        ("```sh\nspine --version # exit status 1\n```", "exit status 0, expected 1"),
        ("```sh\nspine --version\n```\nprints\n```text\nspine 7\n```", "not what the commands above print"),
        ("```python\nimport spinedsl.nothing\n```", "exit status 1, expected 0"),
        ("```spine\nnetwork A = SpineNet49 with { drop b99 }\n```", "exit status 1, expected 0"),
        ("```spine\nnetwork SpineNet(...) {\n    block b0: residual level 2 after s\n}\n```", "not in examples"),
    ],
)
def test_what_is_wrong_is_noticed(markdown: str, problem: str, tmp_path: Path, installed: Installed) -> None:
    (found,) = problems_of("a.md", steps_in(markdown), tmp_path, installed)
    assert problem in found
