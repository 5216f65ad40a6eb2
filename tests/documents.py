"""The documents, and what they ask their reader to do: commands to run, scripts, files to write, outputs to expect.

In: Markdown. Out: steps, in order. A fenced block may say how it is to be read:

* a block of any language whose first line is `# NAME.EXT` is that file (a `.spine` file for the commands below it);
* ```` ```sh ```` blocks: lines that begin with `spine` are run, others (`make test`) are not; `# exit status 1`, on the
  line of the command or above it, announces another status than 0;
* ```` ```python ```` blocks are run as scripts, unless they name a file, or import a host that is not installed;
* ```` ```text ```` blocks that follow commands, with words alone between, are a part of what these commands print;
* ```` ```spine ```` blocks without a name are an excerpt: of `examples/spinenet.spine` if they leave something out
  (`...`), else what may stand below an import of it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.patience import HANG
from tests.shipping import Installed

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
FOLDERS = (".", "docs", "benchmarks", "examples/demo", ".ci")
DOCUMENTS = {
    path.relative_to(ROOT).as_posix(): path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.md"))
}

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>[\w-]*)[^\n`]*\n(?P<body>.*?)^(?P=indent)```\s*$", re.MULTILINE | re.DOTALL
)
FILE_NAME = re.compile(r"^# (?P<name>[\w./-]+\.\w+)\s*$")
STATUS = re.compile(r"#.*\bexit(?:s| status| code)?(?: with)?:? (?P<status>\d+)\b")
HOST = re.compile(r"^(?:from|import) (?:\w+_)?(timm|torchvision|transformers)\b", re.MULTILINE)
HEADING = re.compile(r"^#+ ", re.MULTILINE)
SHELLS = {"sh", "shell", "bash", "console"}
STD = "".join(f"import std.{name}\n" for name in ("blocks", "heads", "mobile", "outputs", "resample", "stems"))


@dataclass(frozen=True)
class Step:
    """One thing that a document asks its reader to do: a command, a script, a file to write, an output to expect."""

    kind: str
    text: str
    line: int
    status: int = 0


def steps_in(markdown: str) -> list[Step]:
    """All steps of a document in order."""
    steps: list[Step] = []
    shell_ends = -1  # where the last block of commands ends, if only words have come since
    for block in FENCE.finditer(markdown):
        line = markdown.count("\n", 0, block.start()) + 2
        language, body = block["language"], block["body"]
        if block["indent"]:
            body = re.sub(rf"^{block['indent']}", "", body, flags=re.MULTILINE)
        after_shell = shell_ends >= 0 and not HEADING.search(markdown, shell_ends, block.start())
        shell_ends = -1
        if named := FILE_NAME.match(body.partition("\n")[0]):
            steps.append(Step(named["name"], body, line))
        elif language in SHELLS:
            steps += commands_in(body, line)
            shell_ends = block.end()
        elif language == "text" and after_shell:
            steps.append(Step("output", body, line))
        elif language in ("python", "spine"):
            steps.append(Step("excerpt" if language == "spine" else language, body, line))
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


def problems_of(name: str, steps: list[Step], folder: Path, installed: Installed) -> Iterator[str]:
    """Do the steps of a document in order; what goes wrong."""
    printed = ""
    for step in steps:
        if step.kind == "output":
            if step.text not in printed:
                yield f"{name}:{step.line}: not what the commands above print\n{step.text}\n{printed}"
            continue
        problem, output = perform(step, folder, installed)
        printed = printed + output if step.kind == "spine" else ""
        if problem:
            yield f"{name}:{step.line}: {problem}"


def perform(step: Step, folder: Path, installed: Installed) -> tuple[str, str]:
    """Do a step; what went wrong, or nothing, and what it printed."""
    if step.kind == "excerpt":
        return excerpt(step.text, folder, installed), ""
    if step.kind not in ("spine", "python"):
        path = folder / step.kind
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.text, encoding="utf-8")
        return "", ""
    script, found_in = step.text, str(folder)
    if HOST.search(script) and step.kind == "python":
        if missing := [host for host in HOST.findall(script) if find_spec(host) is None]:
            assert not os.environ.get("CI"), f"{missing} not installed: the set-up says why"
            return "", ""
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
    output = run.stdout + run.stderr
    if run.returncode == step.status:
        return "", output
    return f"exit status {run.returncode}, expected {step.status}\n{step.text}\n{output}", output


def excerpt(text: str, folder: Path, installed: Installed) -> str:
    """What is wrong with a part of a file."""
    example = (ROOT / "examples/spinenet.spine").read_text(encoding="utf-8")
    if "..." in text:
        known = {" ".join(line.split()) for line in example.splitlines()}
        lines = [" ".join(line.split()) for line in text.splitlines()]
        shown = [line for line in lines if line and not line.endswith(("...", "...) {"))]
        return "\n".join(f"not in examples/spinenet.spine: {line}" for line in shown if line not in known)
    whole = f'spine 1\n{STD}import "spinenet.spine"\n\n{text}'
    (folder / "excerpt").mkdir(exist_ok=True)
    (folder / "excerpt/spinenet.spine").write_text(example, encoding="utf-8")
    (folder / "excerpt/excerpt.spine").write_text(whole, encoding="utf-8")
    problem, _ = perform(Step("spine", "spine check excerpt/excerpt.spine", 0), folder, installed)
    return problem


STEPS = {name: steps for name, path in DOCUMENTS.items() if (steps := steps_in(path.read_text(encoding="utf-8")))}
