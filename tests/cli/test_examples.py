"""The examples in every help: each is read by the parser, and run as it stands, in a folder that has what they name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import spinedsl
from spinedsl.cli import parser
from spinedsl.cli.parsing import Parser, leaves
from spinedsl.ops.graph import flatten
from tests.building import weights_for
from tests.data.making import data_sets
from tests.patience import HANG

ROOT = Path(__file__).parents[2]
NET = """\
spine 1
import std.blocks
import std.outputs
import std.stems

network SpineNet49 {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 4, level 3..5: 8 }
    stem s: resnet_stem channels 4
    block b: residual level 2 after s
    block c: residual level 3 after b
    block d: residual level 4 after c
    block e: residual level 5 after d
    output P3: endpoint from c channels 4
    output P4: endpoint from d channels 4
    output P5: endpoint from e channels 4
}
"""
GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]

# What is only read here, and why.
NOT_RUN = {
    "spine watch ": "it never ends: tests/watch",
    "spine weights convert dump.npz": "a dump of the official code: tests/cli/test_weights.py",
    "spine weights convert backbone.npz": "the same",
    "spine weights convert official.npz": "the same",
    "spine weights verify spinenet49.safetensors": "what comes of the dump",
    "spine weights put model.onnx": "a compiled model: tests/passes/test_refill.py",
    "spine fuzz ": "minutes: tests/laws and docs/testing.md",
    "spine compile detector.spine": "a file of one's own: tests/backends/test_detect.py",
    "spine data check annotations/boxes.json": "pictures with boxes: tests/data",
    "spine train cells.toml": "minutes, and pictures: tests/cli/test_train.py",
    "spine eval ": "needs a trained network: docs/training.md, tests/inference",
    "spine predict ": "the same",
    "spine gallery ": "the same",
    "spine quantize ": "the same, and pictures: docs/performance.md, tests/cli/test_quantize.py",
    "spine export ": "the same: docs/training.md, tests/cli/test_export.py",
    "spine search worker ": "works on a search that was begun: tests/search, docs/search.md",
    "spine search show ": "the same",
    "spine search front ": "the same",
    "spine search report ": "the same",
    "spine search rank ": "the same: tests/search/test_ranking.py",
    "spine search run examples/spaces.spine --space Adjusted --train": "pictures: tests/search/test_trained.py",
    "spine search run examples/spaces.spine --space Adjusted --fitness-command": "commands of one's own: the same",
    "spine bench examples/spinenet.spine": "half a minute; docs/performance.md runs one",
    "spine bench runs/cells": "needs a trained network: tests/performance",
    "spine bench net.spine --weights": "an int8 model: tests/cli/test_quantize.py",
    "spine verify examples/spinenet.spine": "minutes; docs/command-line.md runs it",
}
STATUS = {"spine breaking ": {0, 1}, "spine fmt --diff": {0, 1}}  # whether something changed, or would


def examples(one: Parser) -> list[str]:
    """The command lines of a help, without what is said of them."""
    lines = str(one.epilog).partition("examples:\n")[2].split("\n\n")[0].split("\n")
    return [line.strip().partition("   ")[0] for line in lines if line.strip()]


def parsers(one: Parser) -> list[Parser]:
    """A parser and those of its commands."""
    return [one, *(below for command in one.commands.values() for below in parsers(command))]


EVERY = dict.fromkeys(line for one in parsers(parser()) for line in examples(one))
RUN = [line for line in EVERY if not line.startswith(tuple(NOT_RUN))]


def words(line: str) -> list[str]:
    """The words of the `spine` command of a line, without pipes and files for streams."""
    command = next(part for part in line.split(" | ") if part.startswith("spine "))
    return command.partition(" > ")[0].partition(" < ")[0].split()[1:]


def test_every_help_has_examples() -> None:
    for one in parsers(parser()):
        assert examples(one), one.prog
    assert all(any(line.startswith(start) for line in EVERY) for start in NOT_RUN)
    assert {tuple(words(line)[: len(one.prog.split()) - 1]) for one in leaves(parser()) for line in examples(one)} == {
        tuple(one.prog.split()[1:]) for one in leaves(parser())
    }


@pytest.mark.parametrize("line", EVERY)
def test_each_is_read(line: str) -> None:
    assert line.startswith("spine ") or " | spine " in line
    assert vars(parser(words(line)).parse_args(words(line)))["run"] is not None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two commits, and weights."""
    import torch
    from safetensors.numpy import save_file

    top = tmp_path_factory.mktemp("examples")
    shutil.copytree(ROOT / "examples", top / "examples")
    (top / "nets").mkdir()

    def write(text: str, *names: str) -> None:
        for name in names:
            (top / name).write_text(text)

    def git(*arguments: str) -> None:
        subprocess.run([*GIT, *arguments], cwd=top, check=True, capture_output=True)

    git("init", "-b", "main")
    write(NET, "net.spine", "nets/net.spine", "old.spine")
    git("add", "*.spine")
    git("commit", "-m", "one")
    git("tag", "v1.0")
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    write(NET.replace("level 5 after d", "level 5 after d repeat 2"), "net.spine", "nets/net.spine", "new.spine")
    git("commit", "-am", "two")
    tensors = weights_for(flatten(spinedsl.program(top / "net.spine")))
    save_file(tensors, top / "model.safetensors")
    save_file({name: tensors[name] for name in list(tensors)[:9]}, top / "start.safetensors")
    state = {name: torch.from_numpy(value) for name, value in tensors.items()}
    for name in ("model.pt", "trained.pt"):
        torch.save(state, top / name)
    tools = top / "tools"
    tools.mkdir()
    for name, code in {"spine": f'exec "{sys.executable}" -m spinedsl "$@"', "jq": "exec cat"}.items():
        (tools / name).write_text(f"#!/bin/sh\n{code}\n")
        (tools / name).chmod(0o755)
    data_sets(top)
    (top / ".local/share/bash-completion/completions").mkdir(parents=True)
    (top / ".config/fish/completions").mkdir(parents=True)
    (top / ".zfunc").mkdir()
    return top


@pytest.mark.parametrize("line", RUN)
def test_each_runs(line: str, folder: Path) -> None:
    env = {
        **os.environ, "PATH": f"{folder / 'tools'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
        "HOME": str(folder), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=folder, env=env, capture_output=True, text=True, check=False,
        timeout=HANG,
    )  # fmt: skip
    allowed = next((codes for start, codes in STATUS.items() if line.startswith(start)), {0})
    assert done.returncode in allowed, done.stdout + done.stderr
