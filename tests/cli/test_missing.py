"""Packages that are not installed: all that the work needs is named at once, before it begins, with one command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from spinedsl import extras
from spinedsl.cli import parser
from spinedsl.cli.parsing import leaves
from spinedsl.extras import APART, CONTENTS, EXTRAS, install
from tests.cli.running import NET
from tests.cli.test_given import SPACED
from tests.patience import HANG

ROOT = Path(__file__).parents[2]
HIDE = """
import contextlib, io, json, sys
from importlib.abc import MetaPathFinder

class Hidden(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

{hide}
from spinedsl.cli import main
found = []
for line in {lines!r}:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(line.split())
        except SystemExit as stopped:
            status = stopped.code
    found.append([status, err.getvalue()])
import spinedsl
for call in {calls!r}:
    try:
        eval(call)
        found.append(None)
    except Exception as error:
        found.append([type(error).__name__, isinstance(error, ImportError), str(error)])
print(json.dumps(found))
"""
WAYS = {
    "a finder": "sys.meta_path.insert(0, Hidden())",
    "no module": "sys.modules.update(dict.fromkeys({hidden!r}))",
}
# What is said with nothing but the core installed.
COMMANDS = {
    "compile net.spine --to onnx -o m.onnx": "onnx and numpy: pip install 'spinedsl[onnx]'",
    "compile net.spine --to onnx --weights w.safetensors -o m.onnx": (
        "onnx, numpy and safetensors: pip install 'spinedsl[all]'"
    ),
    "compile net.spine --to onnx --weights w.pt -o m.onnx": "onnx, numpy and torch: pip install 'spinedsl[all]'",
    "compile net.spine --to torch --verify -o m.py": (
        "numpy, torch, onnx and onnxruntime: pip install 'spinedsl[all]'"
    ),
    "verify net.spine": "numpy, torch, onnx and onnxruntime: pip install 'spinedsl[all]'",
    "verify net.spine --weights w.safetensors": (
        "numpy, torch, onnx, onnxruntime and safetensors: pip install 'spinedsl[all]'"
    ),
    "bench net.spine": "numpy, torch, onnx and onnxruntime: pip install 'spinedsl[all]'",
    "bench net.spine --engines openvino": "numpy, onnx and openvino: pip install 'spinedsl[onnx,openvino]'",
    "stats net.spine --roofline": "numpy: pip install 'spinedsl[onnx]'",
    "draw net.spine -o net.png": "resvg_py: pip install 'spinedsl[draw]'",
    "diff net.spine net.spine -o net.png": "resvg_py: pip install 'spinedsl[draw]'",
    "weights show w.safetensors": "numpy and safetensors: pip install 'spinedsl[train]'",
    "weights show w.npz": "numpy: pip install 'spinedsl[onnx]'",
    "weights convert w.onnx net.spine -o w.safetensors": "numpy and onnx: pip install 'spinedsl[onnx]'",
    "weights put m.onnx w.safetensors -o n.onnx": "onnx, numpy and safetensors: pip install 'spinedsl[all]'",
    "weights verify w.pt net.spine": "numpy and torch: pip install 'spinedsl[torch]'",
    "weights verify w.onnx": "numpy and onnx: pip install 'spinedsl[onnx]'",
    "weights show model.safetensors.index.json": "numpy and safetensors: pip install 'spinedsl[train]'",
    "compile net.spine --to onnx --weights w.npz --verify -o m.onnx": (
        "onnx, numpy, torch and onnxruntime: pip install 'spinedsl[all]'"
    ),
    "diff net.spine net.spine --mapping names.json -o net.png": "resvg_py: pip install 'spinedsl[draw]'",
    "data check pictures": "numpy and PIL: pip install 'spinedsl[train]'",
    "fuzz net.spine": "hypothesis, numpy, torch, onnx and onnxruntime: pip install 'spinedsl[all]'",
    "train net.toml": "torch, numpy, PIL, safetensors and rich: pip install 'spinedsl[train]'",
    "export last.safetensors -o m.onnx": (
        "torch, numpy, PIL, safetensors, onnx and onnxruntime: pip install 'spinedsl[all]'"
    ),
    "export last.safetensors -o models --to executorch --to litert": (
        "torch, numpy, PIL, safetensors, executorch, litert_torch and ai_edge_litert: "
        "pip install 'spinedsl[train,executorch,litert]'"
    ),
    "quantize best.safetensors --calibrate photos -o m.onnx": (
        "torch, numpy, PIL, safetensors, onnx and onnxruntime: pip install 'spinedsl[all]'"
    ),
    "quantize best.safetensors --calibrate photos --engine nncf -o m.onnx": (
        "torch, numpy, PIL, safetensors, onnx, onnxruntime and nncf: pip install 'spinedsl[all,nncf]'"
    ),
    "eval best.safetensors": "torch, numpy, PIL and safetensors: pip install 'spinedsl[train]'",
    "predict best.safetensors photo.jpg": "torch, numpy, PIL and safetensors: pip install 'spinedsl[train]'",
    "gallery best.safetensors known -o g.safetensors": (
        "torch, numpy, PIL and safetensors: pip install 'spinedsl[train]'"
    ),
    "search run net.spine --fitness depth": "optuna: pip install 'spinedsl[search]'",
    "search run net.spine --fitness depth --engine controller": "optuna: pip install 'spinedsl[search]'",
    "search run net.spine --train short.toml": (
        "optuna, torch, numpy, PIL, safetensors and rich: pip install 'spinedsl[all]'"
    ),
    "search worker --study s.db": "optuna: pip install 'spinedsl[search]'",
    "search show s.db": "optuna: pip install 'spinedsl[search]'",
    "search front s.db": "optuna: pip install 'spinedsl[search]'",
    "search report s.db -o report.html": "optuna: pip install 'spinedsl[search]'",
    "search rank s.db": "optuna and scipy: pip install 'spinedsl[search]'",
    "completion bash": "shtab: pip install 'spinedsl[completion]'",
}
WITHOUT = (
    "check net.spine", "check net.spine --format sarif", "explain E0303", "compile net.spine --to torch -o m.py",
    "compile net.spine --to mermaid -o m.mmd", "show net.spine", "stats net.spine", "draw net.spine -o n.svg",
    "draw net.spine -o n.html", "diff net.spine net.spine", "breaking net.spine net.spine", "weights show net.spine",
    "fmt net.spine", "new other.spine", "new --example spinenet", "new --list", "docs", "docs weights",
    "space spaces.spine",
)  # fmt: skip
CALLS = {
    "spinedsl.load('net.spine')": "torch: pip install 'spinedsl[torch]'",
    "spinedsl.load('net.spine', weights='w.safetensors')": (
        "torch, numpy and safetensors: pip install 'spinedsl[train]'"
    ),
    "spinedsl.compile('net.spine', to='onnx')": "onnx and numpy: pip install 'spinedsl[onnx]'",
    "spinedsl.verify('net.spine')": "numpy, torch, onnx and onnxruntime: pip install 'spinedsl[all]'",
    "spinedsl.read_weights('w.npz')": "numpy: pip install 'spinedsl[onnx]'",
    "spinedsl.inference": "torch, numpy, PIL and safetensors: pip install 'spinedsl[train]'",
    "__import__('spinedsl.search').search.run('net.spine')": "optuna: pip install 'spinedsl[search]'",
    "__import__('spinedsl.testing')": "hypothesis: pip install 'spinedsl[testing]'",
}


def test_every_command_is_tried() -> None:
    """`watch`, which needs nothing more, would not come to an end."""
    tried = [line.split() for line in (*COMMANDS, *WITHOUT)]
    for command in (leaf.prog.removeprefix("spine ").split() for leaf in leaves(parser())):
        assert command == ["watch"] or any(line[: len(command)] == command for line in tried), command


@pytest.mark.parametrize("way", WAYS)
def test_all_that_is_missing_is_said_at_once(way: str, tmp_path: Path) -> None:
    (tmp_path / "net.spine").write_text(NET)
    (tmp_path / "spaces.spine").write_text(SPACED)
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {"a": "b.safetensors"}}')
    hidden = {*EXTRAS, "openvino"}
    code = HIDE.format(
        hidden=hidden, hide=WAYS[way].format(hidden=hidden), lines=[*COMMANDS, *WITHOUT],
        calls=[*CALLS, "spinedsl.compile('net.spine', to='torch')"],
    )  # fmt: skip
    env = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False, timeout=HANG, env=env
    )
    assert done.returncode == 0, done.stderr
    found = iter(json.loads(done.stdout))
    for line, needs in COMMANDS.items():
        words = " ".join(line.split()[: 2 if line.startswith(("weights", "data", "search")) else 1])
        assert next(found) == [2, f"spine {words}: this needs {needs}\n"], line
    for line in WITHOUT:
        assert next(found)[0] == 0, line
    for call, needs in CALLS.items():
        assert next(found) == ["MissingPackage", True, f"this needs {needs}"], call
    assert next(found) is None, "a PyTorch file is text"
    assert not {"m.onnx", "n.png", "w.safetensors"} & {path.name for path in tmp_path.iterdir()}


def test_one_engine_is_enough_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert extras.to_compare() == ("numpy",)


def test_the_extras_bring_what_they_are_said_to() -> None:
    """As `pyproject.toml` has it, whose `all` names others."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    modules = {
        "resvg-py": "resvg_py", "pillow": "PIL", "pyyaml": "yaml", "litert-torch": "litert_torch",
        "ai-edge-litert": "ai_edge_litert", "faster-coco-eval": "faster_coco_eval", "psycopg[binary]": "psycopg",
    }  # fmt: skip

    def brought(extra: str) -> set[str]:
        found: set[str] = set()
        for line in declared[extra]:
            if own := re.fullmatch(r"spinedsl\[(.*)\]", line):
                found |= {module for name in own[1].split(",") for module in brought(name)}
            else:
                package = re.split(r"[<>=]", line)[0]
                found.add(modules.get(package, package))
        return found

    for extra, contents in CONTENTS.items():
        assert contents == brought(extra) - {"font-source-sans-pro"}, extra
    assert EXTRAS.keys() == set().union(*CONTENTS.values())
    assert all(package in CONTENTS[extra] for package, extra in EXTRAS.items())


def _sets(packages: Sequence[str]) -> Iterator[set[str]]:
    """All of them, the empty one first."""
    for number in range(2 ** len(packages)):
        yield {package for bit, package in enumerate(packages) if number >> bit & 1}


def test_one_command_installs_whatever_is_missing() -> None:
    """Every set of packages that `all` brings, alone and beside all others; every set of those beside each of these."""
    usual, apart = (
        sorted(package for package in EXTRAS if (EXTRAS[package] in APART) == given) for given in (False, True)
    )
    beside = [*_sets(apart)]
    for wanted in [
        *(one | few for one in _sets(usual) for few in (beside[0], beside[-1])),
        *({one} | few for one in usual for few in beside),
    ]:
        if not wanted:
            continue
        named = re.fullmatch(r"pip install 'spinedsl\[([a-z,]+)\]'", install(wanted))
        assert named is not None
        assert wanted <= set().union(*(CONTENTS[extra] for extra in named[1].split(",")))
