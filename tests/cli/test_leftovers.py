"""What a killed writer leaves is removed by the next write in the folder, and nothing else is."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spinedsl.cli import main
from spinedsl.cli.output import write_whole
from spinedsl.writing import ENDING, remove_leftovers, temporary_beside
from tests.patience import HANG

ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from spinedsl.cli.output import write_whole
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
write_whole(Path(sys.argv[1]), b"new")
"""


@pytest.fixture(autouse=True)
def _another_process() -> Iterator[None]:
    """Folders are looked through once for each process: each test is one."""
    remove_leftovers.cache_clear()
    yield
    remove_leftovers.cache_clear()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_writer_left_goes_with_the_next_write_of_any_file(tmp_path: Path) -> None:
    path = tmp_path / "a model.onnx"
    path.write_bytes(b"old")
    command = [sys.executable, "-c", KILLED, str(path)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, timeout=HANG)
    assert done.returncode == -signal.SIGKILL
    (left,) = set(names(tmp_path)) - {path.name}
    assert left.startswith(".a model.onnx.")
    assert left.endswith(ENDING)
    assert write_whole(tmp_path / "other.py", b"1") is None
    assert names(tmp_path) == ["a model.onnx", "other.py"]
    assert path.read_bytes() == b"old"


def test_what_a_living_writer_holds_stays(tmp_path: Path) -> None:
    with temporary_beside(tmp_path / "model") as (file, temporary):
        remove_leftovers.cache_clear()
        assert write_whole(tmp_path / "other", b"1") is None
        assert names(tmp_path) == sorted([temporary.name, "other"])
        file.write(b"whole")
        file.close()  # as before it is renamed: it is still held
        remove_leftovers.cache_clear()
        assert write_whole(tmp_path / "third", b"1") is None
        temporary.replace(tmp_path / "model")
    assert names(tmp_path) == ["model", "other", "third"]


def test_what_another_process_locked_stays(tmp_path: Path) -> None:
    held = tmp_path / f".x.abc{ENDING}"
    with held.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert write_whole(tmp_path / "other", b"1") is None
        assert held.exists()


@pytest.mark.parametrize("name", [".net.spine.swp", ".net.spine.original", f"model{ENDING}", f".model{ENDING}.txt"])
def test_files_of_others_stay(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"theirs")
    assert write_whole(tmp_path / "model", b"1") is None
    assert (tmp_path / name).read_bytes() == b"theirs"


def test_links_folders_and_pipes_stay(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"kept")
    (tmp_path / f".link.1{ENDING}").symlink_to(tmp_path / "kept")
    (tmp_path / f".folder.1{ENDING}").mkdir()
    os.mkfifo(tmp_path / f".pipe.1{ENDING}")
    before = names(tmp_path)
    assert write_whole(tmp_path / "model", b"1") is None
    assert names(tmp_path) == sorted([*before, "model"])
    assert (tmp_path / "kept").read_bytes() == b"kept"


def test_a_file_that_was_taken_for_a_leftover_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may remove it in the moment before it is locked."""
    make: Any = tempfile.mkstemp
    made: list[str] = []

    def taken_once(**where: Any) -> tuple[int, str]:
        descriptor, name = make(**where)
        made.append(name)
        if len(made) == 1:
            Path(name).unlink()
        return descriptor, name

    monkeypatch.setattr(tempfile, "mkstemp", taken_once)
    assert write_whole(tmp_path / "model", b"whole") is None
    assert len(made) == 2
    assert (tmp_path / "model").read_bytes() == b"whole"
    assert names(tmp_path) == ["model"]


def test_tensors_that_a_model_does_not_need_any_more_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compile", str(ROOT / "examples/tutorial/1_first_network.spine"), "--to", "onnx"]
    command += ["--external-data", "always", "-o", str(tmp_path / "m.onnx")]
    (tmp_path / "Other.0123456789ab.data").touch()
    (tmp_path / "First.data").touch()
    assert main(command) == 0
    assert "is not needed by" not in capsys.readouterr().err
    (old,) = tmp_path.glob("First.*.data")
    assert main([*command, "--seed", "1"]) == 0
    said = capsys.readouterr().err
    assert said.count("is not needed by") == 1
    assert f"spine: {old.name} is not needed by {tmp_path}/m.onnx: delete it, unless another model needs it\n" in said
    assert old.exists()
