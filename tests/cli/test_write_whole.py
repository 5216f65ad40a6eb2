"""Files are written whole or not at all, whatever happens while they are.

`python benchmarks/torn.py` kills a thousand writers; here it is thirty.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.torn import torn
from spinedsl.cli import main
from spinedsl.cli.output import write_whole

ROOT = Path(__file__).parents[2]
FIRST = str(ROOT / "examples/tutorial/1_first_network.spine")


def test_a_writer_that_is_killed_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    found = torn(tmp_path, kills=30, size=2**20)
    assert found.torn == 0
    assert found.old > 0
    assert found.new > 0


def test_a_careless_writer_would_be_noticed(tmp_path: Path) -> None:
    assert torn(tmp_path, kills=10, size=2**22, careless=True).torn > 0


def limited(folder: Path, limit: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command under a limit of the system."""
    code = f"import resource, sys\nfrom spinedsl.cli import main\n{limit}\nsys.exit(main({list(arguments)!r}))"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=False, env=env, timeout=120
    )


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """A limit on the size of files fails a write in its middle, as a full disk does."""
    target = tmp_path / "model.py"
    target.write_text("old")
    full = "resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))"
    done = limited(tmp_path, full, "compile", FIRST, "--to", "torch", "-o", "model.py")
    assert done.returncode == 1
    assert "error[E0802]: cannot write" in done.stderr
    assert "file too large" in done.stderr
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["model.py"]


def test_a_full_disk_behind_standard_output() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "spinedsl", "show", FIRST],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            check=False,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (1, "spine: standard output: no space left on device\n")


def test_a_folder_that_takes_no_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`/proc` refuses new files even to the administrator, and a file is no folder."""
    for target, reason in (
        ("/proc/model.py", "no such file or directory"),
        (f"{tmp_path}/f/model.py", "not a directory"),
    ):
        (tmp_path / "f").touch()
        assert main(["compile", FIRST, "--to", "torch", "-o", target]) == 1
        said = capsys.readouterr().err
        assert "error[E0802]: cannot write" in said
        assert reason in said


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may write everywhere")
def test_a_folder_without_permission(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.chmod(0o500)
    assert main(["compile", FIRST, "--to", "torch", "-o", str(tmp_path / "model.py")]) == 1
    assert "permission denied" in capsys.readouterr().err


def test_what_is_no_file_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    """A device, and a pipe whose reader gets everything."""
    assert main(["compile", FIRST, "--to", "torch", "-o", "/dev/null"]) == 0
    assert Path("/dev/null").is_char_device()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        assert main(["compile", FIRST, "--to", "torch", "-o", str(pipe)]) == 0
        assert reader.stdout is not None
        assert b"class First(nn.Module)" in reader.stdout.read()
    assert pipe.is_fifo()


def test_the_longest_name_that_a_file_can_have(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 252 + ".py")
    assert write_whole(target, b"1") is None
    assert target.read_bytes() == b"1"


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a", b"1")
    assert list(tmp_path.iterdir()) == []


def test_limits_are_those_of_before() -> None:
    """No test here limits the process that runs it."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
