"""The README is run: every `spine` command and every Python snippet in it, in order, in an empty folder.

`spine` is that of a new environment with the wheel, as somebody has it who did nothing but `pip install`.

A fenced block may say how it is to be read:

* a block of any language whose first line is `# NAME.EXT` is that file (a `.spine` file for the commands below it);
* ```` ```sh ```` blocks: lines that begin with `spine` are run, others (`make test`) are not; `# exit status 1`, on the
  line of the command or above it, announces another status than 0;
* ```` ```python ```` blocks are run as scripts, unless they name a file, or import a host that is not installed.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.patience import HANG
from tests.shipping import Installed, build, install

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>[\w-]*)[^\n`]*\n(?P<body>.*?)^(?P=indent)```\s*$", re.MULTILINE | re.DOTALL
)
FILE_NAME = re.compile(r"^# (?P<name>[\w./-]+\.\w+)\s*$")
STATUS = re.compile(r"#.*\bexit(?:s| status| code)?(?: with)?:? (?P<status>\d+)\b")
HOST = re.compile(r"^(?:from|import) (?:\w+_)?(timm|torchvision|transformers)\b", re.MULTILINE)
SHELLS = {"sh", "shell", "bash", "console"}


@dataclass(frozen=True)
class Step:
    """One thing that the README asks its reader to do: a command, a script, or a file to write."""

    kind: str
    text: str
    line: int
    status: int = 0


def steps_in(markdown: str) -> list[Step]:
    """All steps of a document in order."""
    steps: list[Step] = []
    for block in FENCE.finditer(markdown):
        line = markdown.count("\n", 0, block.start()) + 2
        language, body = block["language"], block["body"]
        if block["indent"]:
            body = re.sub(rf"^{block['indent']}", "", body, flags=re.MULTILINE)
        if named := FILE_NAME.match(body.partition("\n")[0]):
            steps.append(Step(named["name"], body, line))
        elif language in SHELLS:
            steps += commands_in(body, line)
        elif language == "python":
            steps.append(Step("python", body, line))
    return steps


def commands_in(body: str, line: int) -> list[Step]:
    """The commands of a shell block that begin with `spine`, a trailing backslash joining lines."""
    steps: list[Step] = []
    announced = 0
    rows = body.split("\n")
    for number, row in enumerate(rows):
        text = row.strip().removeprefix("$ ")
        if text.startswith("#"):
            found = STATUS.search(text)
            announced = int(found["status"]) if found else 0
            continue
        if text.startswith("spine "):
            following = iter(rows[number + 1 :])
            while text.endswith("\\"):
                text = text[:-1] + next(following).strip()
            found = STATUS.search(text)
            steps.append(Step("spine", text, line + number, int(found["status"]) if found else announced))
        announced = 0
    return steps


def perform(step: Step, folder: Path, installed: Installed) -> str:
    """Do a step; what went wrong, or nothing."""
    if step.kind not in ("spine", "python"):
        path = folder / step.kind
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.text, encoding="utf-8")
        return ""
    script, found_in = step.text, str(folder)
    if HOST.search(script) and step.kind == "python":
        if missing := [host for host in HOST.findall(script) if find_spec(host) is None]:
            assert not os.environ.get("CI"), f"{missing} not installed: the set-up says why"
            return ""
        script, found_in = f"import tests.hosts.operators\n{script}", f"{folder}{os.pathsep}{ROOT}"
    command = ["/bin/sh", "-c", script] if step.kind == "spine" else [str(installed.python), "-c", script]
    run = subprocess.run(
        command,
        cwd=folder,
        env={**installed.environment, "PYTHONPATH": found_in},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    if run.returncode == step.status:
        return ""
    return (
        f"README.md:{step.line}: exit status {run.returncode}, expected {step.status}\n{step.text}\n"
        f"{run.stdout}{run.stderr}"
    )


def test_readme_works_as_written(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    installed = install(build(tmp_path_factory.mktemp("dist")).wheel, tmp_path_factory.mktemp("environment"))
    steps = steps_in(README.read_text(encoding="utf-8"))
    assert sum(step.kind == "spine" for step in steps) >= 30, "expected at least 30 `spine` commands in README.md"
    problems = [problem for step in steps if (problem := perform(step, tmp_path, installed))]
    assert not problems, "\n".join(problems)
    assert (tmp_path / "examples/spinenet.spine").read_bytes() == (ROOT / "examples/spinenet.spine").read_bytes()


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
```text
spine check not-run.spine
```
- in a list:
  ```python
  import spinedsl
  ```
"""
    assert steps_in(markdown) == [
        Step("nets/mine.spine", "# nets/mine.spine\nspine 1\n", 3),
        Step("spine", "spine check nets/mine.spine   # exits 1", 8, 1),
        Step("spine", "spine compile nets/mine.spine --to torch", 9),
        Step("spine", "spine nonsense", 12, 2),
        Step("spine", "spine --version", 13),
        Step("python", "import spinedsl\n", 20),
    ]
