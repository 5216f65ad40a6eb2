"""What type checkers make of the public interface: mypy in strict mode and pyright, as a user runs them.

They read every Python block of the documents with the modules that the commands above it write, the example of tests of
one's own, and two files of here: one that must be right as it is, and one in which every line is a mistake.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import pytest

from spinedsl import backends
from tests.documents import FILE_NAME, HOST, ROOT, STEPS, perform
from tests.shipping import HERE

# The hosts' own types are incomplete (functions without annotations), and compiled files that need them are not ours.
MYPY = """[mypy]
strict = true
[mypy-timm.*,torchvision.*,transformers.*,onnxruntime.*]
ignore_missing_imports = true
follow_imports = skip
[mypy-spinenet_timm,spinenet_torchvision,spinenet_transformers]
follow_imports = silent
"""

RIGHT = """
from collections import OrderedDict
from pathlib import Path
from typing import assert_type

import torch

import spinedsl
from spinedsl import edit, testing

model = spinedsl.load(Path("net.spine"), network="A", size=(64, 64), outputs=["P3"])
assert_type(model, spinedsl.Backbone)
assert_type(model.size_divisor, int)
assert_type(model.out_channels, int | list[int])
assert_type(model.feature_info, list[spinedsl.FeatureInfo])
assert_type(model.feature_info[0]["num_chs"], int)
assert_type(model.feature_info[0]["module"], str)
assert_type(model(torch.zeros(1, 3, 64, 64)), OrderedDict[str, torch.Tensor])
assert_type(model.eval(), spinedsl.Backbone)
model.reset(3)
model.to("cpu").load_state_dict(model.state_dict())
if isinstance(object(), spinedsl.Backbone):
    pass

outcome = spinedsl.check(spinedsl.Source.from_text("network A { }"))
assert_type(outcome, spinedsl.Outcome[spinedsl.Analysis])
assert_type(outcome.diagnostics, tuple[spinedsl.Diagnostic, ...])
assert_type(spinedsl.program("net.spine"), spinedsl.Program)
assert_type(spinedsl.compile("net.spine", to="onnx", dynamic=["batch", "height"]), dict[str, bytes])
assert_type(spinedsl.compile("net.spine", to="torch", adapter="timm"), dict[str, bytes])
assert_type(spinedsl.verify("net.spine", sizes=[(64, 64)]), spinedsl.Report)
assert_type(spinedsl.read_weights("a.npz"), spinedsl.Weights)
try:
    spinedsl.load("net.spine", weights=spinedsl.read_weights("a.npz"))
except (spinedsl.Mistakes, spinedsl.NetworkChoice, spinedsl.OutputChoice, spinedsl.OptionChoice) as error:
    print(repr(error))
except (spinedsl.MissingPackage, spinedsl.Disagreement, spinedsl.TooFewWitnesses) as error:
    print(error)
edits = [edit.Drop("b1"), edit.Move("b2", after="b3"), edit.widths({3: 96})]
print(edit.Edits(edits).to_text(), testing.Space.of("net.spine"))
"""

WRONG = """
import spinedsl

spinedsl.compile("net.spine", to="pytorch")
spinedsl.compile("net.spine", to="onnx", dynamic=["depth"])
spinedsl.compile("net.spine", to="torch", adapter="tim")
spinedsl.compile("net.spine", to="onnx", external_data="sometimes")
spinedsl.compile("net.spine", to="onnx", seed="1")
spinedsl.load("net.spine", size=640)
spinedsl.load(None)
spinedsl.chekc("net.spine")
spinedsl.load("net.spine").size_divisor.upper()
spinedsl.load("net.spine").feature_info[0]["channels"]
spinedsl.check("net.spine").value.networks
"""


def test_the_words_of_the_types_are_those_of_the_tables() -> None:
    assert get_args(backends.Target) == tuple(backends.BACKENDS)
    assert get_args(backends.Axis) == backends.AXES
    assert get_args(backends.Adapter) == backends.ADAPTERS
    assert get_args(backends.External) == backends.EXTERNAL


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that is read, with what a reader of the documents has by then."""
    folder = tmp_path_factory.mktemp("typed")
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / "mypy.ini").write_text(MYPY, encoding="utf-8")
    (folder / "right.py").write_text(RIGHT, encoding="utf-8")
    (folder / "wrong.py").write_text(WRONG, encoding="utf-8")
    blocks = 0
    for name, step in ((name, step) for name, steps in STEPS.items() for step in steps):
        if "--adapter" in step.text and step.kind == "spine":
            assert not perform(step, folder, HERE)[0]
        elif step.kind == "python" and all(find_spec(host) for host in HOST.findall(step.text)):
            script = f"document_{Path(name).stem.replace('-', '_')}_{step.line}.py"
            (folder / script).write_text(step.text, encoding="utf-8")
            blocks += 1
        elif step.kind.endswith(".py"):
            assert FILE_NAME.match(step.text.partition("\n")[0])
            (folder / step.kind).write_text(step.text, encoding="utf-8")
    assert blocks >= 8
    return folder


def read(folder: Path, names: list[str]) -> list[str]:
    """The Python files that a checker shall read: nothing is right because it was not there."""
    if names:
        return names
    own = sorted(path.name for path in folder.glob("document_*.py"))
    return ["right.py", *own, "examples/testing/test_own_space.py"]


def mypy(folder: Path, *names: str) -> list[tuple[str, int, str]]:
    """What mypy has against them, by file and line."""
    cache = ROOT / ".mypy_cache" / "as-users"
    run = checked(
        folder, "-m", "mypy", "--config-file", "mypy.ini", "--cache-dir", str(cache), "--output", "json",
        *read(folder, list(names)),
    )  # fmt: skip
    found = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert run.returncode == bool(found), run.stdout + run.stderr
    return [(one["file"], one["line"], one["message"]) for one in found if one["severity"] == "error"]


def pyright(folder: Path, *names: str) -> list[tuple[str, int, str]]:
    """What pyright has against them, by file and line. Its package brings a Node of its own, and asks no network."""
    if find_spec("pyright") is None:
        assert not os.environ.get("CI"), "pyright is not installed: the set-up says why"
        pytest.skip("pyright is not installed")
    run = checked(folder, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", *read(folder, list(names)))
    try:
        said = json.loads(run.stdout)
    except json.JSONDecodeError:
        raise AssertionError(run.stdout + run.stderr) from None
    assert said["summary"]["filesAnalyzed"] >= len(read(folder, list(names)))
    return [
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1, one["message"])
        for one in said["generalDiagnostics"]
        if one["severity"] == "error"
    ]


def checked(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MYPYPATH": "", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_the_documents_and_the_examples_have_no_errors(checker: type, folder: Path) -> None:
    assert checker(folder) == []


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_every_mistake_is_noticed(checker: type, folder: Path) -> None:
    lines = [number for number, line in enumerate(WRONG.split("\n"), 1) if line.startswith("spinedsl.")]
    assert sorted({line for _, line, _ in checker(folder, "wrong.py")}) == lines
