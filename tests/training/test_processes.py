"""Several processes: two by torchrun are one that accumulates two halves. `make processes` makes fifty steps."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.processes import TASKS, largest
from spinedsl.settings import to_toml
from tests.texts import ROOT
from tests.training.running import settings


@pytest.mark.parametrize("task", TASKS)
def test_two_processes_are_one_that_accumulates_two_halves(task: str) -> None:
    assert largest(4, TASKS[task]) <= 1e-5


def test_of_two_processes_one_prints(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    code = "from tests.training.running import Squares, settings\nfrom spinedsl.training import loop\n"
    code += "from functools import partial\nfrom spinedsl.cli import main\nimport sys\n"
    code += "loop.train = partial(loop.train, data=Squares())\nsys.exit(main(sys.argv[1:]))\n"
    script.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{code}", encoding="utf-8")
    (tmp_path / "c.toml").write_text(to_toml(settings(tmp_path, run={"steps": 2})), encoding="utf-8")
    several = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = [sys.executable, *several, str(script), "train", str(tmp_path / "c.toml"), "--format", "json"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["step"] == 2
    done = subprocess.run([*words[:-2], "--change", "run.batch=7"], capture_output=True, text=True, check=False)
    assert done.returncode
    assert done.stderr.count("error[E1007]") == 1, done.stderr
