"""`spine fuzz`: what it says of a network that is right, and that faults planted in the compiler are found, small."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spinedsl
from spinedsl import driver
from spinedsl.analysis import costs as real_costs
from spinedsl.backends.torch import operators as torch_operators
from spinedsl.cli import main
from spinedsl.ops import interpret
from spinedsl.source import Source
from spinedsl.syntax.format import format_source
from spinedsl.testing import laws
from tests.texts import ROOT

FILE = str(ROOT / "examples/tutorial/2_scales.spine")
NETWORK = """spine 1
import std.blocks
import std.stems
import std.resample
import std.outputs

network Mine {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..4: 8 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 8
    block b0: residual level 2 after s
    block b1: residual level 4 from s, b0
    block b2: residual level 3 from b0, b1
    output P3: endpoint from b2 channels 4
    output P4: endpoint from b1 channels 4
}
"""

WARNED = """spine 1
import std.blocks
import std.stems

def unused(x) {
    return relu(x)
}

block_type lost(x, channels) -> channels {
    let nothing = conv(x, channels, kernel = 3)
    return norm(conv(x, channels, kernel = 1))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b2: lost level 2 after s channels 8
    block b4: residual level 4 after b2 channels 8
    output P2: b2
    output P4: b4
}
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.spine"
    path.write_text(NETWORK)
    return path


def test_what_is_covered_is_said(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", str(mine), "--examples", "3", "--seed", "3"]) == 0
    said = capsys.readouterr()
    assert "spine: random networks of its types: 3" in said.err
    assert "     1 the network as it stands" in said.out
    assert "mistakes planted in them, of " in said.out
    assert "residual" in said.out
    assert said.out.endswith("every law holds\n")


def a_slope(values: list[Any], attributes: Any, parameters: Any, gives: Any) -> Any:
    """A ReLU that lets something through."""
    return np.maximum(values[0], 0.01 * values[0])


def break_the_interpreter(patch: pytest.MonkeyPatch) -> None:
    """It shifts what goes up by two levels at once, which the network as it stands does not."""
    real = interpret.RULES["upsample"]

    def upsample(values: Any, attributes: Any, parameters: Any, gives: Any) -> Any:
        return real(values, attributes, parameters, gives) + 0.5 * (attributes["levels"] == 2)

    patch.setitem(interpret.RULES, "upsample", upsample)


def break_the_costs(patch: pytest.MonkeyPatch) -> None:
    def costs(graph: Any) -> Any:
        found = real_costs(graph)
        return found + found if any(node.attributes.get("levels") == 2 for node in graph.nodes) else found

    patch.setattr(laws, "costs", costs)


def break_the_formatter(patch: pytest.MonkeyPatch) -> None:
    def formatted(source: Any) -> Any:
        outcome = format_source(source)
        text = outcome.value.replace("repeat 2", "repeat 3") if outcome.value is not None else None
        return type(outcome)(text, outcome.diagnostics)

    patch.setattr(laws, "format_source", formatted)


def break_the_checks(patch: pytest.MonkeyPatch) -> None:
    """An exception for a network with a level 5, as a fault of the compiler would raise it."""
    real = driver.analyse

    def analyse(file: Any, *arguments: Any, **named: Any) -> Any:
        text = driver.load(file).source.text
        if "level 5 from" in text and "output" in text and "carrier__" not in text:
            raise RuntimeError("a fault\nof two lines")
        return real(file, *arguments, **named)

    patch.setattr(driver, "analyse", analyse)


@pytest.mark.parametrize(
    ("fault", "law", "message", "most"),
    [
        (break_the_interpreter, "agreed", "differs in", 3),
        (break_the_costs, "counted", "in closed form", 3),
        (break_the_formatter, "formatted", "formatting changes the tree", 2),
        (break_the_checks, "answered", "RuntimeError: a fault", 2),
    ],
)
def test_a_planted_fault_is_found_and_shrunk(
    fault: Callable[[pytest.MonkeyPatch], None], law: str, message: str, most: int,
    tmp_path: Path, mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    fault(monkeypatch)
    assert main(["fuzz", str(mine), "--examples", "40", "-o", str(tmp_path / "found")]) == 1
    said = capsys.readouterr().out
    assert "a law does not hold" in said
    assert message in said
    (written,) = (tmp_path / "found").iterdir()
    assert written.name == f"fuzz-{law}.spine"
    monkeypatch.undo()
    text = written.read_text()
    found = re.match(rf"# Law `{law}` does not hold of network `(Net|Edited)` \(seed 0\):\n", text)
    assert found is not None, text
    edited = found[1] == "Edited"  # the network of the file, which has three blocks, and one edit
    assert text.count("\n    block ") <= (4 if edited else most), text
    outcome = spinedsl.check(written)
    assert outcome.ok, outcome.diagnostics
    assert list(outcome.value.checked if outcome.value is not None else ())[-1] == found[1]


def test_a_fault_of_a_backend_is_found(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """PyTorch's ReLU is another function: the network as it stands breaks the law."""
    assert "relu" in torch_operators.OPERATORS
    monkeypatch.setitem(interpret.RULES, "relu", a_slope)
    assert main(["fuzz", str(mine), "--examples", "5", "-o", str(tmp_path)]) == 1
    assert "the smallest network found is in" in capsys.readouterr().out
    assert (tmp_path / "fuzz-agreed.spine").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--network", "Nine"], 2, "no network `Nine`"),
        (["-o", FILE], 2, "is no folder"),
    ],
)
def test_wrong_use(
    arguments: list[str], status: int, said: str, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fuzz", str(mine), *arguments]) == status
    assert said in capsys.readouterr().err


def test_examples_are_a_count(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as found:
        main(["fuzz", str(mine), "--examples", "-1"])
    assert found.value.code == 2
    assert "expected 0 or more, got '-1'" in capsys.readouterr().err


def test_a_file_with_a_search_space_is_fuzzed(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Random networks are made of its types, and stand without its networks and spaces."""
    mine.write_text(NETWORK + "\nspace Choices of Mine { types b0..b2: residual, bottleneck }\n")
    assert main(["fuzz", str(mine), "--examples", "1"]) == 0
    assert "every law holds" in capsys.readouterr().out


def test_a_file_that_imports_a_network_called_as_random_ones_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "base.spine").write_text(NETWORK.replace("network Mine", "network Net"))
    path = tmp_path / "other.spine"
    imports = 'spine 1\nimport std.blocks\nimport "base.spine"\n\n'
    path.write_text(imports + "network Other = Net with { block b1: bottleneck }\n")
    assert main(["fuzz", str(path), "--network", "Other", "--examples", "4"]) == 0
    assert "every law holds" in capsys.readouterr().out


def test_a_file_with_mistakes_is_not_fuzzed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.spine"
    path.write_text(NETWORK.replace("from b0, b1", "from b0, b7"))
    assert main(["fuzz", str(path)]) == 1
    assert "E0201" in capsys.readouterr().err


def test_warnings_of_a_file_are_no_fault_of_the_compiler() -> None:
    source = Source.from_text(WARNED)
    assert {found.code.id for found in driver.analyse(source).diagnostics} == {"W0701", "W0704", "W0706"}
    laws.taken(source, "Net")
