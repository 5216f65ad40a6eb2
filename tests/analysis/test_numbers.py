"""Every number that `spine stats` prints, in the table and as JSON, beside a witness that counts it in another way.

A key without a witness fails. Witnesses are the generated PyTorch module, whose tensors and operations are counted and
whose maps are measured, the file's own text, and for memory and fields those of `live` and `fields`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import spinedsl
from spinedsl.agreement import counted, counted_by_row
from spinedsl.analysis import costs_by_row
from spinedsl.backends.torch import build
from spinedsl.cli import main
from spinedsl.draw import lay_out, to_svg
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program
from spinedsl.source import Source
from tests.analysis.fields import by_sets, unit
from tests.analysis.live import freed_early_peak, rows_run
from tests.generate import NETWORKS
from tests.witnesses import EXAMPLES

PIXELS = 3 * 4096  # in whose middle no field of these networks meets a border
OWN = """spine 1
import std.blocks
import std.stems
import std.resample
import std.outputs
import std.heads
block_type shrink(x, channels, stride = 1) -> channels {
    let y = conv(x, channels, kernel = 3, stride = stride)
    return conv_transpose(conv(y, channels, kernel = 4, stride = 2, bias = true), channels, kernel = 4, bias = true)
}
resample_type twice(x, source, target) -> target.in_channels {
    var y = conv(x, 8, kernel = 1)
    repeat 3 { y = act(norm(shared conv(y, 8, kernel = 3))) }
    let z = resize(y, like = target, mode = bilinear)
    return conv(z, target.in_channels, kernel = 1)
}
network Own {
    input image: 3 x 128 x 192
    RULES
    defaults { act relu, norm batch_norm }
    allow W0701 "the test"
    resample twice
    join activated_sum
    stem s: resnet_stem channels 8
    block a: shrink level 3 after s channels 12
    block b: shrink level 4 from s, a channels 12 repeat 2
    block c: bottleneck level 2 from a, b channels 4
    output P2: endpoint from c channels 12
    output P4: b
    head h: classifier(classes = 5) from P2, P4
    head t: retina_tower(outputs = 6) from P2, P4 channels 8
    task guess: classification from h
}
"""
CASES = [
    (EXAMPLES / "spinenet.spine", "SpineNet49S", "128x128"),
    (EXAMPLES / "permuted.spine", "R0SP53", "128x256"),
    (EXAMPLES / "spinenet_mobile.spine", "SpineNetMobile49XS", "128x128"),
    (EXAMPLES / "fpn.spine", "RetinaNetR50FPN", "128x128"),
    (EXAMPLES / "convnext.spine", "ConvNeXtTiny", "64x64"),
    (EXAMPLES / "variants.spine", "Detector", "128x128"),
    (EXAMPLES / "tutorial/2_scales.spine", "Scales", "64x96"),
    (EXAMPLES / "tutorial/5_own_block.spine", "OwnBlock", "64x64"),
    ("", "Own", "96x64"),
    ("rules { sizes any }", "Own", "96x64"),
]


class Case:
    """A network with what its witnesses share: the module, run at the program's size without memory for its maps."""

    def __init__(self, path: Path, program: Program) -> None:
        self.program, self.path = program, path
        self.text = path.read_text(encoding="utf-8")
        if path.name == "variants.spine":  # a row that it does not say itself it has from there
            self.text += (EXAMPLES / "spinenet.spine").read_text(encoding="utf-8")
        with torch.device("meta"):
            self.module = build(program).eval()
            image = torch.empty(1, *program.input_type.shape)
        with torch.no_grad():
            self.values = rows_run(program, self.module, image)

    def statement(self, row: str) -> str:
        """The line of the file that a row is written in."""
        found = re.findall(rf"^ *(?:add )?((?:stem|block|output|head) +{row} *:.*)$", self.text, re.MULTILINE)
        return str(found[0])


class Sides(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types for it
    """The smallest side of any map that is not a single position."""

    smallest = 1 << 20

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, tuple | list) else [result]:
            if isinstance(value, torch.Tensor) and value.dim() == 4 and value.shape[2] > 1:
                self.smallest = min(self.smallest, value.shape[2])
        return result


def divisor(case: Case) -> int:
    """By how much the smallest map that a run makes is smaller than its input; 1 where an odd size runs as well."""
    any_size, side = "sizes any" in case.text, 3 * 128
    with torch.device("meta"):
        image = torch.empty(1, case.program.input_type.channels, *((77, 45) if any_size else (side, side)))
    with torch.no_grad(), Sides() as seen:  # type: ignore[no-untyped-call]
        case.module(image)
    if any_size:
        return 1
    assert side % seen.smallest == 0
    return side // int(seen.smallest)


def type_of(case: Case, row: str) -> str:
    """The word after the colon, unless it is the row that an output is."""
    word = re.split(r"[ (]", case.statement(row).partition(":")[2].strip())[0]
    return "" if word in case.values else word


def level(case: Case, row: str) -> int | None:
    """How often the image was halved to the size of the map."""
    (value, *more) = case.values[row]
    if more or re.match("head", case.statement(row)):
        return None
    return (case.program.input_type.height // value.shape[2]).bit_length() - 1


def shapes(case: Case, row: str) -> list[list[int]]:
    """Those of the tensors that a row gives, for one image."""
    return [list(value.shape[1:]) for value in case.values[row]]


def one_by_one(case: Case, row: str) -> dict[str, list[int]]:
    """Shapes of what a head yields, by name."""
    names = [name for name in case.program.outputs if name.startswith(f"{row}_")]
    return dict(zip(names, shapes(case, row), strict=True)) if len(shapes(case, row)) > 1 else {}


@lru_cache
def fields(case: Case) -> dict[str, int | None]:
    """By sets of columns, on a line of pixels."""
    step = unit(case.program)
    return by_sets(flatten(case.program), PIXELS // step * step)


@lru_cache
def by_row(case: Case) -> Mapping[str, Any]:
    """What torch counts of each row."""
    return counted_by_row(case.program)


def input_of(case: Case) -> list[int]:
    """The module's own image."""
    return list(case.program.input_type.shape)


def tasks(case: Case) -> list[dict[str, Any]]:
    """The lines of the file that say one, of a head of one value."""
    lines = enumerate(case.text.split("\n"), 1)
    found = ((at, re.fullmatch(r" *task (\w+): (\w+) from (\w+)", line)) for at, line in lines)
    return [
        {
            "name": match[1], "kind": match[2], "arguments": {}, "heads": {"from": match[3]},
            "outputs": {"from": [match[3]]}, "file": str(case.path), "line": at,
        }
        for at, match in found if match is not None
    ]  # fmt: skip


OF_A_ROW: dict[str, Callable[[Case, str], Any]] = {
    "name": lambda case, row: row if case.statement(row) else "",
    "kind": lambda case, row: case.statement(row).split()[0],
    "type": type_of,
    "level": level,
    "shape": lambda case, row: shapes(case, row)[0],
    "outputs": one_by_one,
    "parameters": lambda case, row: by_row(case)[row].parameters,
    "multiply_adds": lambda case, row: by_row(case)[row].multiply_adds,
    "activation_bytes": lambda case, row: sum(value.nelement() * 4 for value in case.values[row]),
    "receptive_field": lambda case, row: fields(case)[row],
}
OF_THE_NETWORK: dict[str, Callable[[Case], Any]] = {
    "network": lambda case: type(case.module).__name__,
    "input": input_of,
    "divisor": divisor,
    "any_size": lambda case: "sizes any" in case.text,
    "fixed": lambda case: "sizes fixed" in case.text,
    "parameters": lambda case: counted(case.program)[0],
    "statistics": lambda case: sum(
        tensor.numel() for name, tensor in case.module.state_dict().items() if re.search(r"running_(mean|var)$", name)
    ),
    "multiply_adds": lambda case: counted(case.program)[1],
    "peak_activation_bytes": lambda case: freed_early_peak(flatten(case.program)),
    "tasks": tasks,
    "rows": lambda case: [{key: witness(case, row) for key, witness in OF_A_ROW.items()} for row in case.values],
}


@pytest.mark.parametrize(("file", "network", "size"), CASES)
def test_every_number_has_a_witness(
    file: Path | str, network: str, size: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file if isinstance(file, Path) else tmp_path / "own.spine"
    if isinstance(file, str):
        path.write_text(OWN.replace("RULES", file), encoding="utf-8")
    height, width = map(int, size.split("x"))
    case = Case(path, spinedsl.program(path, network=network, size=(height, width)))
    expected = {key: witness(case) for key, witness in OF_THE_NETWORK.items()}
    command = ["stats", str(path), "--network", network, "--input", size]
    assert main([*command, "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    for row, other in zip(printed["rows"], expected["rows"], strict=True):
        assert row == other
    assert printed == expected
    assert main(command) == 0
    assert_table(capsys.readouterr().out, expected)


def assert_table(text: str, expected: Mapping[str, Any]) -> None:
    """The table has the same numbers, in its own units."""
    head, *tasks = text.partition("\n\n")[0].split("\n")
    headings, *rows, line, total = text.partition("\n\n")[2].rstrip("\n").split("\n")
    most = max(row["activation_bytes"] for row in expected["rows"])
    unit, called = (1048576, "MiB") if most >= 4194304 else (1024, "KiB")
    size = " x ".join(map(str, expected["input"]))
    sizes = "any size" if expected["any_size"] else f"sizes divide by {expected['divisor']}"
    assert head == f"{expected['network']} at {size}; {sizes}"
    assert tasks == [f"task {one['name']}: {one['kind']} from {one['heads']['from']}" for one in expected["tasks"]]
    assert re.split("  +", headings.strip()) == [
        "row", "type", "level", "channels x h x w", "parameters", "multiply-adds", f"map {called}", "receptive field",
    ]  # fmt: skip
    for row, found in zip(expected["rows"], rows, strict=True):
        name, type_, level_, shape, parameters, work, map_, field = re.split("  +", found.strip())
        assert (name, type_) == (row["name"], row["type"] or "-")
        assert level_ == ("-" if row["level"] is None else str(row["level"]))
        several = f"{len(row['outputs'])} outputs"
        assert shape == (several if row["outputs"] else " x ".join(map(str, row["shape"])))
        assert [int(n.replace(",", "")) for n in (parameters, work)] == [row["parameters"], row["multiply_adds"]]
        assert map_ == f"{row['activation_bytes'] / unit:.2f}"
        assert field == ("all" if row["receptive_field"] is None else f"{row['receptive_field']:,}")
    assert set(line) == {"-"}
    assert re.split("  +", total.strip()) == [
        "total",
        f"{expected['parameters']:,}",
        f"{expected['multiply_adds']:,}",
        f"{expected['peak_activation_bytes'] / unit:.1f} at once",
    ]


@pytest.mark.parametrize(("file", "name"), NETWORKS.items())
def test_examples_cost_row_by_row_what_torch_counts(file: str, name: str) -> None:
    program = spinedsl.program(EXAMPLES / file, network=name)
    assert costs_by_row(flatten(program)) == counted_by_row(program)


def test_an_arrow_says_what_torch_counts_of_its_operations(tmp_path: Path) -> None:
    program = spinedsl.program(Source.from_text(OWN.replace("RULES", "")))
    said = "".join(ET.fromstring(to_svg(lay_out(program))).itertext())
    module = build(program)
    for row, source in (("b", "s"), ("b", "a"), ("c", "a"), ("c", "b")):
        part = module.get_submodule(f"{row}.from_{source}")
        words = said[said.index(f"{source} to {row}\n") :].partition(" parameters")[0]
        assert words.split("\n")[-1] == f"{sum(tensor.numel() for tensor in part.parameters()):,}"
