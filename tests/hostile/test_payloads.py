"""Payloads in every place that takes a name or a text: refused in words, or carried as what they are, no more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from spinedsl import api, driver, reading
from spinedsl.analysis import costs
from spinedsl.cli import main
from spinedsl.ops.graph import flatten
from spinedsl.ops.text import to_text
from spinedsl.source import Source
from spinedsl.syntax.format import format_source
from tests.hostile.outputs import diagnostics_are_plain, everything_of, keeps_to_its_form, plain
from tests.hostile.payloads import PAYLOADS

ROOT = Path(__file__).resolve().parents[2]
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
FILE = """spine 1
import std.stems
import std.resample
# {comment}
block_type {definition}(x, channels, {parameter} = 1) -> channels {{
    # {comment}
    let {let} = norm(conv(x, channels, kernel = 1))
    var total = {let}
    repeat {index} in 1 {{ total = total + relu({let}) }}
    return total * {parameter}
}}
# {comment}
network {network}({setting} = 8) {{  # {comment}
    input {input}: 3 x 32 x 32
    defaults {{ act relu, norm batch_norm }}
    widths {{ level 2..4: 4 }}
    resample spinenet
    join activated_sum
    allow W0701 "{reason}"
    stem s: resnet_stem channels {setting}
    block {block}: {definition} level 2 after s  # {comment}
    block b: {definition} level 4 from {block}
    output {output}: {block}
    output P4: b
}}
"""
PLACES = ("definition", "parameter", "let", "index", "network", "setting", "input", "block", "output")
BENIGN = {**{place: f"a_{place}" for place in PLACES}, "comment": "", "reason": "because"}


def text_with(**places: str) -> str:
    return FILE.format(**{**BENIGN, **places})


@pytest.fixture(scope="module")
def benign() -> Mapping[str, str | bytes]:
    return everything_of(api.program(Source.from_text(text_with(), "benign.spine")))


def test_there_are_enough() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 150


def answered(text: str, name: str, benign: Mapping[str, str | bytes]) -> bool:
    """Everything that is made of a text keeps to its form. False if the text is refused."""
    source = Source.from_text(text, name)
    outcome = driver.analyse(source)
    diagnostics_are_plain(outcome.diagnostics)
    formatted = format_source(source)
    diagnostics_are_plain(formatted.diagnostics)
    if formatted.value is not None:
        plain(formatted.value.replace("\t", ""))
        again = format_source(Source.from_text(formatted.value, name))
        assert again.value == formatted.value
    if not outcome.ok:
        return False
    program = api.program(source)
    keeps_to_its_form(program, benign)
    plain(to_text(program))
    costs(flatten(program))
    return True


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_as_a_name(payload: str, benign: Mapping[str, str | bytes]) -> None:
    """In every place where a name stands, alone; what is no identifier is refused, and so is what breaks a backend."""
    accepted = 0
    for place in PLACES if IDENTIFIER.fullmatch(payload) else ("definition", "network", "block"):
        accepted += answered(text_with(**{place: payload}), "net.spine", benign)
    assert not accepted or IDENTIFIER.fullmatch(payload.strip())


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_as_a_text(payload: str, benign: Mapping[str, str | bytes]) -> None:
    """As a comment, the reason of an `allow`, and the name of the file, as far as each can be written."""
    answered(text_with(comment=payload, reason=payload), "net.spine", benign)
    line = " ".join(payload.replace('"', "'").split())
    answered(text_with(comment=line, reason=line), reading.legible(payload), benign)


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_as_a_path(payload: str, tmp_path: Path) -> None:
    """As what a file imports: what leads out of the folder is refused, and a folder or device is no file."""
    file = tmp_path / "net.spine"
    file.write_bytes(f'spine 1\nimport "{payload}"\n'.encode("utf-8", "surrogatepass"))
    outcome = driver.read(file).then(driver.analyse)
    assert outcome.diagnostics
    diagnostics_are_plain(outcome.diagnostics)


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_as_a_file_name(payload: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """As the name of a file on the disk, where it can be one, through the commands that print names."""
    file = tmp_path / f"{payload}.spine"
    try:
        file.write_text(text_with(), encoding="utf-8")
    except (OSError, ValueError):
        pytest.skip("no file can have this name")
    for arguments in (
        ["check", str(file)],
        ["check", "--format", "github", str(tmp_path)],
        ["check", "--format", "json", str(file)],
        ["check", "--format", "sarif", str(file)],
        ["fmt", "--check", str(tmp_path)],
        ["fmt", "--diff", str(file)],
        ["show", str(file)],
        ["stats", str(file)],
        ["weights", "show", str(file)],
        ["show", str(file), "--network", "x"],
        ["compile", str(file), "--to", "torch", "-o", str(file.with_suffix(".py"))],
        ["compile", str(file), "--to", "onnx", "-o", str(file.with_suffix(".onnx"))],
        ["draw", str(file), "-o", str(file.with_suffix(".svg"))],
        ["weights", "verify", str(file.with_suffix(".onnx")), str(file)],
        ["weights", "show", str(file.with_suffix(".onnx"))],
        ["new", str(file)],
        ["new", str(file.with_suffix(".txt"))],
        ["compile", str(file), "--to", "torch", "-o", str(tmp_path)],
    ):
        assert main(arguments) in {0, 1, 2}
        said = capfd.readouterr()
        plain(said.out)
        plain(said.err)
    file.write_text(text_with(definition="class"), encoding="utf-8")
    for form in ("human", "github", "json", "sarif"):
        assert main(["check", "--format", form, str(file)]) == 1
        plain(capfd.readouterr().out)


@pytest.mark.parametrize("payload", [p for p in PAYLOADS if not {"\0", "\ud800"} & {*p}], ids=ascii)
def test_as_an_argument(
    payload: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Names and paths on the command line, as a shell's `*` puts them there."""
    monkeypatch.chdir(tmp_path)  # `new` writes there what it may write
    file = str(ROOT / "examples/tutorial/1_first_network.spine")
    for arguments in (
        [payload],
        ["check", payload],
        ["show", file, "--network", payload],
        ["show", file, "--outputs", payload],
        ["show", file, payload],
        ["weights", "show", payload],
        ["explain", payload],
        ["draw", file, "--against", payload, "-o", "/dev/null"],
        ["check", f"--{payload}", file],
        ["new", payload],
    ):
        try:
            status = main(arguments)
        except SystemExit as stopped:
            status = int(str(stopped.code))
        assert status in {0, 1, 2}, arguments
        said = capfd.readouterr()
        if said.err:
            plain(said.err)
        plain(said.out)
    assert not (tmp_path / "pwned").exists()


def test_nothing_was_touched() -> None:
    """No payload found a shell or an interpreter: each would have made a file."""
    assert not (ROOT / "pwned").exists()
    assert not Path("pwned").exists()


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_in_weights(payload: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Names of tensors and metadata, of safetensors, NumPy and ONNX, through `weights show`, `verify` and `convert`."""
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    value = np.zeros(1, np.float32)
    files = []
    try:
        save_file({payload: value}, tmp_path / "w.safetensors", {payload: payload, "b": payload})
        files.append("w.safetensors")
    except (SafetensorError, UnicodeEncodeError):
        pass
    try:
        tensor = numpy_helper.from_array(value, payload)
        model = helper.make_model(helper.make_graph([], payload, [], [], [tensor]))
        model.metadata_props.add(key=payload, value=payload)
        onnx.save_model(model, tmp_path / "w.onnx")
        files.append("w.onnx")
    except (UnicodeEncodeError, ValueError, TypeError):
        pass
    network = str(ROOT / "examples/tutorial/1_first_network.spine")
    for file in files:
        path = str(tmp_path / file)
        for arguments in (
            ["weights", "show", path],
            ["weights", "verify", path],
            ["weights", "verify", path, network],
            ["weights", "show", path, "--json"],
            ["weights", "convert", path, network, "-o", str(tmp_path / "o.safetensors")],
            ["compile", network, "--to", "onnx", "--weights", path, "-o", str(tmp_path / "o.onnx")],
        ):
            assert main(arguments) in {0, 1}
            said = capfd.readouterr()
            plain(said.out)
            plain(said.err)
