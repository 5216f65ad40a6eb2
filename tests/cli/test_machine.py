"""What the machine does to a command: no memory, Ctrl-C, streams that are closed, files that are no files or change."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from spinedsl import driver
from spinedsl.cli import main
from spinedsl.weights import read
from tests.patience import HANG, until

ROOT = Path(__file__).parents[2]
FIRST = str(ROOT / "examples/tutorial/1_first_network.spine")
COMMAND = [sys.executable, "-m", "spinedsl"]


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=env, timeout=HANG
    )  # fmt: skip


# ---- memory ----

LITTLE = """
import resource, sys
from spinedsl.cli import main
import onnx, numpy
pages = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (pages + {megabytes} * 2**20, -1))
sys.exit(main({arguments!r}))
"""


def test_too_little_memory_is_said(tmp_path: Path) -> None:
    """The model has 84 MB; nothing is written."""
    arguments = ["compile", str(ROOT / "examples/spinenet.spine"), "--network", "SpineNet49", "--to", "onnx"]
    arguments += ["-o", str(tmp_path / "m.onnx")]
    done = run(LITTLE.format(megabytes=60, arguments=arguments))
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1, "spine: not enough memory for this: a smaller network or file would do",
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


# ---- Ctrl-C ----


def test_interrupted_is_status_130(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.spine"
    os.mkfifo(pipe)
    with subprocess.Popen([*COMMAND, "check", str(pipe)], stderr=subprocess.PIPE, text=True, cwd=ROOT) as command:
        descriptor = os.open(pipe, os.O_WRONLY)  # which takes until the command reads
        command.send_signal(signal.SIGINT)
        _, said = command.communicate(timeout=HANG)
        os.close(descriptor)
    assert (command.returncode, said) == (130, "spine: interrupted\n")


# ---- streams ----


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    "command", [f"check {FIRST}", "check -", "show -", "fmt -", f"compile {FIRST} --to torch -o -"]
)
def test_closed_streams(closed: str, command: str) -> None:
    """What is said goes nowhere, and nothing else goes wrong."""
    line = f"{' '.join(COMMAND)} {command} {closed}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=ROOT, check=False, timeout=HANG)
    assert done.returncode in {0, 1}
    assert "Traceback" not in done.stdout + done.stderr
    assert "internal error" not in done.stderr


@pytest.mark.parametrize("command", ["check -", "fmt -", "draw - -o -", "compile - --to onnx -o -"])
def test_a_reader_that_leaves(command: str) -> None:
    line = f"{' '.join(COMMAND)} {command} < {FIRST} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=ROOT, check=False, timeout=HANG)
    assert (done.returncode, done.stderr.replace("spine: no --weights: values made from seed 0\n", "")) == (0, "")


def test_an_encoding_that_cannot_say_it() -> None:
    """On a terminal of ASCII alone, other characters are escaped."""
    text = "spine 1\nnetwork N { }  # \u00e9\nnetwork N { }  # \u00e9\n"
    done = subprocess.run(
        [*COMMAND, "check", "-"], input=text.encode(), capture_output=True, cwd=ROOT, check=False, timeout=HANG,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.isascii()


# ---- files ----


def test_folders_and_pipes_in_place_of_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.spine").mkdir()
    assert main(["show", str(tmp_path / "net.spine")]) == 1
    assert "error[E0801]: cannot read" in capsys.readouterr().err
    assert main(["fmt", str(tmp_path / "net.spine")]) == 0
    assert "no .spine file in" in capsys.readouterr().err
    (tmp_path / "w.onnx").mkdir()
    assert main(["weights", "show", str(tmp_path / "w.onnx")]) == 1
    assert "it is a folder without weights" in capsys.readouterr().err
    for ending in ("onnx", "safetensors", "npz", "pt"):
        os.mkfifo(tmp_path / f"pipe.{ending}")
        assert main(["weights", "show", str(tmp_path / f"pipe.{ending}")]) == 1
        assert "it is no file" in capsys.readouterr().err


def test_an_import_that_would_never_end(tmp_path: Path) -> None:
    """A pipe that nobody writes to is not opened, and a link to a device leads out of the folder."""
    os.mkfifo(tmp_path / "pipe.spine")
    (tmp_path / "zero.spine").symlink_to("/dev/zero")
    file = tmp_path / "net.spine"
    file.write_text('spine 1\nimport "pipe.spine"\nimport "zero.spine"\n')
    said = [diagnostic.code.id for diagnostic in driver.read(file).then(driver.analyse).diagnostics]
    assert said == ["E0205", "E0207"]


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "secret.spine").write_text("spine 1\ndef secret(x) { return x }\n")
    (tmp_path / "project/link.spine").symlink_to("../secret.spine")
    file = tmp_path / "project/net.spine"
    file.write_text('spine 1\nimport "link.spine"\ndef f(x) { return secret(x) }\n')
    assert [d.code.id for d in driver.read(file).then(driver.analyse).diagnostics] == ["E0207"]


def test_an_endless_device_is_read_to_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "/dev/zero"]) == 1
    assert "more than 10000000 bytes" in capsys.readouterr().out


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "net.spine"
    file.write_text("spine 1\n")
    file.chmod(0)
    assert main(["check", str(file)]) == 1
    assert "permission denied" in capsys.readouterr().out


def test_a_file_that_is_replaced_while_it_is_read(tmp_path: Path) -> None:
    """Each read is of one version: files are replaced whole, and read once."""
    file = tmp_path / "net.spine"
    versions = ["spine 1\n# " + letter * 200_000 + "\n" for letter in "ab"]
    file.write_text(versions[0])
    code = (
        "import sys\nfrom pathlib import Path\nfrom spinedsl.cli.output import write_whole\n"
        "versions = [('spine 1\\n# ' + letter * 200_000 + '\\n').encode() for letter in 'ab']\n"
        "print('ready', flush=True)\n"
        f"while True:\n    for version in versions:\n        write_whole(Path({str(file)!r}), version)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=env) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        seen: Counter[str] = Counter()

        def both() -> bool:
            """Read it again; until each version was seen often, or something else."""
            source = driver.read(file).value
            seen[source.text if source else ""] += 1
            return min(seen[version] for version in versions) >= 50 or len(seen) > len(versions)

        until(both, pause=0)
        writer.kill()
    assert set(seen) == set(versions)


# ---- ONNX models that keep numbers elsewhere ----


@pytest.mark.parametrize("where", ["inside", "above", "absolute", "symlink", "hard link", "device", "nowhere"])
def test_numbers_of_a_model_are_read_beside_it_and_nowhere_else(where: str, tmp_path: Path) -> None:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.full(4, 42, np.float32).tobytes())
    folder = tmp_path / "models"
    folder.mkdir()
    if where == "symlink":
        (folder / "data.bin").symlink_to(secret)
    elif where == "hard link":
        (folder / "data.bin").hardlink_to(secret)
    elif where == "inside":
        (folder / "data.bin").write_bytes(secret.read_bytes())
    location = {"above": "../secret.bin", "absolute": str(secret), "device": "/dev/zero"}.get(where, "data.bin")
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        tensor.external_data.add(key=key, value=value)
    path = folder / "m.onnx"
    path.write_bytes(helper.make_model(helper.make_graph([], "g", [], [], [tensor])).SerializeToString())
    outcome = read(path)
    if where == "inside":  # an ordinary file beside the model is part of it
        assert outcome.value is not None
        assert outcome.value.tensors["w"].tolist() == [42] * 4
        return
    assert outcome.value is None
    said = {"symlink": "is a link", "hard link": "is a link", "nowhere": "is not beside it"}
    assert said.get(where, "in a file that is not beside it") in outcome.diagnostics[0].message
    assert onnx.load_model(path, load_external_data=False).graph.initializer[0].name == "w"
