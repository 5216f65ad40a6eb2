"""`spine completion`: scripts that shells take, and what bash then offers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from spinedsl.cli import COMMANDS, main
from spinedsl.cli.completion import SHELLS


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


def offered(words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What bash offers for the last word."""
    array = " ".join(f"'{word}'" for word in words)
    probe = (
        f"COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}\n"
        f"COMP_LINE='{' '.join(words)}'; COMP_POINT=${{#COMP_LINE}}\n"
        '_shtab_spine; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    bash = shutil.which("bash")
    assert bash is not None
    run = subprocess.run(
        [bash, "-c", script("bash", capsys) + probe], cwd=folder, capture_output=True, text=True, check=True
    )
    return run.stdout.split()


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_has_a_script_that_names_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = script(shell, capsys)
    assert [command for command in COMMANDS if command not in text] == []


def test_bash_offers_commands_options_choices_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.spine").touch()
    assert offered(["spine", "che"], tmp_path, capsys) == ["check"]
    assert offered(["spine", "check", "n"], tmp_path, capsys) == ["net.spine"]
    assert offered(["spine", "compile", "net.spine", "--to", "o"], tmp_path, capsys) == ["onnx"]
    assert "--network" in offered(["spine", "stats", "--"], tmp_path, capsys)
    assert offered(["spine", "explain", "E0303"], tmp_path, capsys) == ["E0303"]


def test_an_unknown_shell_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["completion", "cmd"])
    assert stopped.value.code == 2
    assert "there is no `cmd`" in capsys.readouterr().err
