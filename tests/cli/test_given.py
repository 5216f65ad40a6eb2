"""Every option of every command is read in each way that the command is used, or refused there (status 2).

The options are those of the parsers as they are, so a new one fails here until it is tried; the ways of a command are
in `WAYS`. Tried is one command line without the option and one with it: something has to differ, in what is printed, in
the status or in the files.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import torch

import spinedsl
from spinedsl import train
from spinedsl.backends.option import FINDING
from spinedsl.cli import parser
from spinedsl.cli.parsing import leaves
from spinedsl.ops.graph import flatten
from spinedsl.source import Source
from spinedsl.syntax.format import format_source
from tests.building import weights_for
from tests.cli.running import run, without_clocks
from tests.data.making import data_sets
from tests.inference.making import used
from tests.training import finding as shapes

OPTIONS = {
    leaf.prog.removeprefix("spine "): {action.option_strings[-1] for action in leaf._actions if action.option_strings}
    for leaf in leaves(parser())
}
TWO = """\
spine 1
import std.blocks
import std.stems
import std.resample
import std.outputs

network Net(depth = 1) {
    input image: 3 x 32 x 32
    defaults { act relu, norm batch_norm }
    widths { level 2..3: 8 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 8
    block b: residual  level 2  after s  repeat depth
    block c: bottleneck  level 3  from b
    output C2: endpoint  from b  channels 4
    output C3: endpoint  from c  channels 8
}

network Deep = Net(depth = 2)
"""
SPACED = (
    TWO
    + """
space Small of Net {
    level_shift b..c: -1..1 within 2..3
    types b..c: residual, bottleneck, bottleneck(expansion = 1), bottleneck(expansion = 2), bottleneck(expansion = 3)
}
space Other of Deep { types c: bottleneck, residual }
"""
)
ONE = format_source(Source.from_text(TWO.replace("network Deep = Net(depth = 2)\n", ""), "one.spine")).value or ""
LOOSE = ONE.replace("from b  channels", "from b    channels").replace("from b channels", "from b    channels")

Options: TypeAlias = Mapping[str, "tuple[str, ...] | None"]
# By command and way: the words, and for each option its values; None: it is refused there, whatever its value.
NETWORK, INPUT = ("--network", ("Deep",)), ("--input", ("64",))
COMPILE = "compile two.spine --network Net -o made --to"
ONNX = {
    "--dynamic": ("batch",), "--weights": ("w.npz",), "--seed": ("1",), "--opset": ("13",), "--batch": ("2",),
    "--half": (), "--external-data": ("always",), "--optimise": ("0",),
}  # fmt: skip
# Lints, and a file that they say something of.
LINTS = {"--warn": ("W0705",), "--allow": ("W0702",), "--deny": ("W0702",), "--set": ("W0702.levels=4",)}
LINT = """\
spine 1
import std.blocks
import std.stems
import std.resample
import std.outputs

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..6: 12 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 8
    block b: residual  level 6  from s
    output C6: endpoint  from b  channels 8
}
"""
PRINTED = {"--format": ("json",), "--json": ()}
DRAWN = {
    "--network": ("Deep",), "--input": ("64",), "--outputs": ("C2",), "--theme": ("dark",), "--widths": ("channels",),
    "--color": ("cost",), "--against": ("Deep",),
}  # fmt: skip
WAYS: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...] | None]]] = {
    "check": {"check two.spine": {"--network": ("Deep",), "--input": ("20",), **PRINTED}, "check lint.spine": LINTS},
    "explain": {"explain": PRINTED, "explain E0303": PRINTED},
    "compile": {
        f"{COMPILE} torch": {**dict.fromkeys(ONNX), "--adapter": ("timm",), "--verify": (), "--outputs": ("C2",)},
        f"{COMPILE} torch --outputs C2": {"--inference": ()},
        f"{COMPILE} torch --verify": {"--seed": ("1",), "--weights": ("w.npz",), "--opset": None, "--half": None},
        f"{COMPILE} onnx": {
            **ONNX, "--adapter": None, "--verify": (), "--outputs": ("C2",), "--input": ("64",), "--explain-passes": (),
        },
        f"{COMPILE} onnx -O1": {"--explain-passes": (), "--for": None, "--inference": None},
        f"{COMPILE} onnx -O2 --for onnxruntime": {"--for": ("openvino",)},
        f"{COMPILE} onnx -O0": {"--explain-passes": None},
        f"{COMPILE} onnx --weights w.npz": {"--seed": None, "--half": (), "--prefix": ("nope",)},
        f"{COMPILE} onnx --weights two.pt": {"--key": ("ema",)},
        f"{COMPILE} onnx --seed 1": {"--key": None, "--prefix": None},
        f"{COMPILE} onnx --dynamic batch": {"--batch": None, "--opset": ("13",)},
        "compile two.spine --network Net --to onnx -o -": {"--external-data": None},
        f"{COMPILE} mermaid": {
            **dict.fromkeys([*ONNX, "--adapter", "--verify"]), "--outputs": ("C2",), "--input": ("64",),
        },
        "compile two.spine -o made --to torch": {"--network": ("Deep",)},
        "compile lint.spine -o made --to mermaid": LINTS,
        "compile one.spine -o note.txt --to mermaid": {"--force": ()},
    },
    "verify": {
        "verify two.spine --network Net": {
            **dict([INPUT]), "--weights": ("w.npz",), "--seed": ("1",), "--outputs": ("C2",), **PRINTED,
        },
        "verify two.spine": dict([NETWORK]),
        "verify lint.spine": LINTS,
        "verify two.spine --network Net --seed 1": {"--key": None, "--prefix": None},
        "verify two.spine --network Net --weights two.pt": {"--key": ("ema",)},
        "verify two.spine --network Net --weights w.npz": {"--prefix": ("nope",)},
    },
    "export": {
        "export sizes.safetensors -o made.onnx": {
            "--opset": ("13",), "--half": (), "--batch": ("2",), "--resize": ("outside",), "--images": ("pictures",),
            "--licence": ("MIT",), "--latency": (), "--evaluation": ("chosen.json",), "--to": ("torch",),
            "--optimise": ("0",), "--for": None, **PRINTED,
        },
        "export sizes.safetensors -o made.onnx -O2 --for openvino": {"--for": ("onnxruntime",)},
        "export sizes.safetensors -o made.pt2": {
            "--opset": None, "--half": None, "--resize": None, "--optimise": None, "--batch": ("2",),
        },
        "export sizes.safetensors -o note.onnx": {"--force": ()},
    },
    "bench": {
        "bench two.spine --network Net --engines onnxruntime-O1": {
            **dict([INPUT]), **PRINTED, "--weights": ("w.npz",), "--seed": ("1",), "--batch": ("2",),
            "--threads": ("2",), "--rounds": ("2",), "--seconds": ("1",), "--int8": ("net.onnx",),
            "--output": ("made.svg",), "--key": None, "--prefix": None,
        },
        "bench two.spine --network Net --rounds 1": {"--engines": ("torch",)},
        "bench two.spine --engines torch --rounds 1": dict([NETWORK]),
        "bench lint.spine --engines torch --rounds 1": LINTS,
        "bench two.spine --network Net --engines torch --weights two.pt": {"--key": ("ema",)},
        "bench two.spine --network Net --engines torch --weights w.npz": {"--prefix": ("nope",)},
        "bench two.spine --network Net --engines torch -o note.svg": {"--force": ()},
    },
    "quantize": {
        "quantize one.spine --calibrate colours -o made.onnx": {
            **PRINTED, "--input": ("64",), "--seed": ("1",), "--images": ("3",), "--error": ("0.001",),
            "--keep": ("s",), "--reduce-range": (), "--opset": ("13",), "--weights": ("w.npz",), "--data": None,
            "--key": None, "--prefix": None, "--engine": ("nncf",),
        },
        "quantize two.spine --calibrate colours -o made.onnx": dict([NETWORK]),
        "quantize lint.spine --calibrate colours -o made.onnx": LINTS,
        "quantize two.spine --network Net --calibrate colours --weights two.pt -o made.onnx": {"--key": ("ema",)},
        "quantize two.spine --network Net --calibrate colours --weights w.npz -o made.onnx": {
            "--prefix": ("nope",), "--seed": None,
        },
        "quantize sizes.safetensors --calibrate colours -o made.onnx": {
            "--data": ("colours",), "--network": None, "--input": None, "--weights": None, "--seed": None,
        },
        "quantize one.spine --calibrate colours -o note.onnx": {"--force": ()},
    },
    "show": {
        "show two.spine --network Net": {**dict([INPUT]), "--outputs": ("C2",), **PRINTED},
        "show two.spine": dict([NETWORK]),
        "show lint.spine": LINTS,
    },
    "stats": {
        "stats two.spine --network Deep": {"--roofline": (), "--memory": ()},
        "stats two.spine --network Net --memory": {
            "--output": ("held.svg",), "--roofline": None, "--outputs": ("C2",), **PRINTED,
        },
        "stats two.spine --network Net --memory -o note.svg": {"--force": ()},
        "stats two.spine --network Net --roofline": {**PRINTED, "--outputs": ("C2",)},
        "stats two.spine --network Net": {**dict([INPUT]), "--outputs": ("C2",), **PRINTED},
        "stats two.spine": dict([NETWORK]),
        "stats lint.spine": LINTS,
    },
    "search run": {
        "search run spaces.spine --space Small --fitness depth --budget 30": {
            "--engine": ("local",), "--seed": ("1",), "--top": ("1",), "--output": ("found",), "--study": ("s.db",),
            "--force": (), "--mutate-with": ("false",), **PRINTED,
        },
    },
    "space": {
        "space spaces.spine --space Small": {
            **PRINTED, "--tried": ("5",), "--network": None, "--output": None, "--force": None,
        },
        "space spaces.spine": {"--space": ("Small",), **PRINTED},
        "space spaces.spine --space Small --tried 5": {"--seed": ("1",)},
        "space spaces.spine --space Small --sample 2": {
            **PRINTED, "--seed": ("1",), "--tried": None, "--output": ("out",), "--contains": None,
        },
        "space spaces.spine --space Small --sample 1 --seed 0 -o theirs": {"--force": ()},
        "space spaces.spine --space Small --contains two.spine": {
            "--network": ("Deep",), "--seed": None, "--sample": None,
        },
        "space spaces.spine --space Small --contains one.spine": {**PRINTED},
    },
    "draw": {
        f"draw two.spine --network Net -o {output}": DRAWN for output in ("made.svg", "made.html", "made.png", "-")
    } | {"draw one.spine -o note.svg": {"--force": ()}, "draw lint.spine -o made.svg": LINTS},
    "diff": {
        "diff one.spine two.spine --network Net": {
            "--input": ("64",), "--edits": (), **PRINTED, "--theme": None, "--output": ("made.svg",), "--force": None,
            "--mapping": ("made.json",),
        },
        "diff one.spine two.spine": dict([NETWORK]),
        "diff one.spine:Net two.spine:Deep": {"--network": None, "--edits": ()},
        "diff two.spine two.spine:Deep": {"--network": ("Net",)},
        "diff one.spine two.spine:Deep --mapping -": {"--edits": None, "--format": None, "--json": None},
        "diff one.spine two.spine:Deep -o -": {"--edits": None, "--format": None, "--theme": ("dark",)},
        "diff one.spine two.spine:Deep -o made.html": {"--theme": ("dark",), "--edits": ()},
        "diff one.spine two.spine:Deep -o note.svg": {"--force": ()},
    },
    "breaking": {
        "breaking two.spine one.spine": {"--network": ("Net",), "--tier": ("interface",), **PRINTED},
        "breaking one.spine wide.spine": {"--tier": ("interface",)},
    },
    "train": {"train --settings": PRINTED, "train --presets": PRINTED},
    "eval": {
        "eval sizes.safetensors --data colours": {
            **PRINTED, "--output": ("out",), "--fpir": None, "--data": ("people",),
            "--gallery": ("gallery.safetensors",), "--pairs": ("pairs.txt",), "--folds": ("2",), "--far": ("0.5",),
        },
        "eval faces.safetensors --data people": {
            **PRINTED, "--seed": ("1",), "--gallery": ("gallery.safetensors",), "--pairs": ("pairs.txt",),
            "--folds": ("3",), "--far": ("0.2",), "--output": ("out",), "--fpir": None,
        },
        "eval faces.safetensors --data people --gallery gallery.safetensors": {
            "--fpir": ("0.5",), "--landmarks": ("points.csv",),
        },
        "eval sizes.safetensors --data colours -o theirs": {"--force": ()},
        "eval finder.safetensors --data shapes.json": {"--coco-results": ("found.json",)},
        "eval finder.safetensors --data shapes.json --coco-results found.json": {
            "--score": ("0.99",), "--overlap": ("0.1",), "--top": ("1",), "--most": ("1",),
        },
    },
    "predict": {
        "predict sizes.safetensors colours": {
            **PRINTED, "--top": ("1",), "--output": ("out",), "--gallery": ("gallery.safetensors",),
            "--threshold": ("0.5",), "--evaluation": ("chosen.json",),
        },
        "predict faces.safetensors people": {
            **PRINTED, "--top": ("1",), "--output": ("out",), "--gallery": ("gallery.safetensors",),
            "--threshold": ("0.5",), "--evaluation": ("chosen.json",),
        },
        "predict faces.safetensors people --gallery gallery.safetensors": {
            "--threshold": ("0.99",), "--evaluation": ("chosen.json",), "--landmarks": ("points.csv",), **PRINTED,
        },
        "predict faces.safetensors people --gallery gallery.safetensors --format json": {"--top": ("1",)},
        "predict faces.safetensors people --threshold 0.5": {"--evaluation": None},
        "predict faces.safetensors people --format csv": {"--threshold": ("0.5",)},
        "predict sizes.safetensors colours -o theirs": {"--force": ()},
    },
    "gallery": {
        "gallery faces.safetensors known -o made.safetensors": {
            **PRINTED, "--evaluation": ("chosen.json",), "--landmarks": ("points.csv",),
        },
        "gallery faces.safetensors known -o note.safetensors": {"--force": ()},
    },
    "weights show": {
        "weights show w.npz": {**PRINTED, "--network": None, "--input": None, "--outputs": None},
        "weights show two.spine --network Net": {**PRINTED, "--key": None, "--outputs": ("C2",), "--input": ("20",)},
        "weights show two.spine": dict([NETWORK]),
        "weights show two.pt": {"--key": ("ema",)},
    },
    "weights convert": {
        "weights convert w.npz two.spine --network Net -o made.safetensors": {"--input": ("20",), "--outputs": ("C2",)},
        "weights convert w.npz two.spine -o made.safetensors": {"--network": ("Net",)},
        "weights convert w.npz one.spine -o made.safetensors": {
            "--prefix": ("nope",), "--map": ("s.enter.conv.weight=nope",),
        },
        "weights convert two.pt one.spine -o made.safetensors": {"--key": ("ema",)},
        "weights convert part.npz one.spine -o made.safetensors": {"--partial": ()},
        "weights convert w.npz one.spine -o note.safetensors": {"--force": ()},
    },
    "weights verify": {
        "weights verify w.npz": {
            **PRINTED, **dict.fromkeys(["--network", "--input", "--outputs", "--partial", "--prefix"]),
        },
        "weights verify two.pt": {"--key": ("ema",)},
        "weights verify w.npz one.spine": {"--prefix": ("nope",)},
        "weights verify w.npz two.spine --network Net": {**PRINTED, "--input": ("20",), "--outputs": ("C2",)},
        "weights verify w.npz two.spine": {"--network": ("Net",)},
        "weights verify part.npz one.spine": {"--partial": ()},
    },
    "weights put": {
        "weights put net.onnx w.npz -o made.onnx": {"--prefix": ("nope",)},
        "weights put net.onnx two.pt -o made.onnx": {"--key": ("ema",)},
        "weights put net.onnx w.npz -o note.onnx": {"--force": ()},
    },
    "data check": {
        "data check pictures": {
            **PRINTED, "--validation": ("pictures",), "--kind": ("csv",), **dict.fromkeys(["--images", "--input"]),
        },
        "data check many.csv": {"--all": ()},
        "data check here.json": {
            **PRINTED, "--validation": ("there.json",), "--kind": ("voc",), "--images": ("pictures",),
            "--validation-images": None, "--input": ("4",),
        },
        "data check here.json --validation there.json": {"--validation-images": ("pictures",)},
        "data check training.toml": {
            **PRINTED, **dict.fromkeys(["--validation", "--kind", "--images", "--validation-images", "--input"]),
        },
    },
    "fmt": {
        "fmt loose.spine": {"--check": (), "--diff": (), "--line-ending": ("crlf",)},
        "fmt --check loose.spine": {"--diff": None},
        "fmt --check one.spine": {"--line-ending": ("crlf",)},
        "fmt --diff one.spine": {"--line-ending": ("crlf",)},
    },
    "fuzz": {
        "fuzz one.spine --examples 1": {"--seed": ("1",), "--json": (), "--format": ("json",)},
        "fuzz one.spine": {"--examples": ("1",)},
        "fuzz two.spine --examples 1": dict([NETWORK]),
    },
    "new": {
        "new other.spine": {"--name": ("Mine",), "--example": ("resnet",), "--list": None},
        "new one.spine": {"--force": ()},
        "new": {"--example": ("resnet",), "--list": ()},
        "new --example resnet": {"--name": None, "--list": None},
        "new one.spine --example resnet": {"--force": ()},
    },
    "completion": {},
}  # fmt: skip
TRAINED = (
    "--resume", "--check", "--weights", "--key", "--prefix", "--freeze", "--freeze-norms", "--device", "--threads",
    "--folder", "--change", "--presets", "--settings",
)  # fmt: skip
SEARCHED = ("--engine", "--seed", "--top", "--output", "--study", "--format", "--json", "--force", "--mutate-with")
# Options that are not tried so, with the reason.
APART: dict[str | tuple[str, str], str] = {
    "--help": "of argparse",
    "--quiet": "only leaves out what is no result: test_voice.py",
    ("watch", "--network"): "does not come to an end: tests/watch",
    ("watch", "--input"): "does not come to an end: tests/watch",
    **{("watch", option): "does not come to an end: tests/watch" for option in LINTS},
    ("watch", "--port"): "does not come to an end: tests/watch",
    ("watch", "--no-browser"): "does not come to an end: tests/watch",
    **{("train", option): "takes a run: test_train.py" for option in TRAINED},
    **{(name, "--device"): "makes a difference with a GPU: tests/inference" for name in ("eval", "predict", "gallery")},
    **{
        ("export", option): "takes a detector: tests/inference/test_exported_boxes.py"
        for option in ("--score", "--overlap", "--top", "--most")
    },
    **{
        ("predict", option): "takes a detector: tests/inference/test_boxes.py"
        for option in ("--score", "--coco-results", "--coco-ids")
    },
    **{
        (command, option): "needs a study, or several workers: test_search.py, tests/search"
        for command in ("search run", "search worker", "search show", "search front", "search report", "search rank")
        for option in OPTIONS[command]
        if command != "search run" or option not in SEARCHED
    },
    ("gallery", "--output"): "every way above says one",
    ("compile", "--to"): "every way above says another",
    ("compile", "--output"): "every way above says one",
    **{("compile", f"--{one.name.replace('_', '-')}"): "takes a detector: tests/test_given.py" for one in FINDING},
    ("draw", "--output"): "every way above says another",
    ("export", "--output"): "every way above says one",
    ("quantize", "--output"): "every way above says one",
    ("quantize", "--calibrate"): "every way above says one",
    ("weights convert", "--output"): "every way above says one",
    ("weights put", "--output"): "every way above says one",
    ("fuzz", "--output"): "where a failure is written, and there is none: test_fuzz.py",
    ("fuzz", "--seed"): "other networks are drawn, and no law fails: test_fuzz.py",
    ("fuzz", "--examples"): "takes long: test_fuzz.py",
    ("fuzz", "--format"): "takes long: test_conventions.py",
    ("fuzz", "--json"): "takes long: test_conventions.py",
    ("fuzz", "--network"): "takes long: test_fuzz.py",
}
CASES = [
    (words, option, values)
    for command, ways in WAYS.items()
    for words, options in ways.items()
    for option, values in options.items()
    if (command, option) not in APART
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the command lines name."""
    folder = tmp_path_factory.mktemp("made")
    for name, text in {
        "two.spine": TWO, "one.spine": ONE, "lint.spine": LINT, "loose.spine": LOOSE, "note.txt": "mine\n",
        "note.svg": "mine\n", "note.safetensors": "mine\n", "note.onnx": "mine\n",
        "wide.spine": ONE.replace("2..3: 8", "2..3: 16"), "spaces.spine": SPACED,
    }.items():  # fmt: skip
        (folder / name).write_text(text, encoding="utf-8")
    tensors = weights_for(flatten(spinedsl.program(folder / "one.spine")))
    np.savez(folder / "w.npz", **tensors)  # type: ignore[arg-type]
    (model,) = spinedsl.compile(folder / "one.spine", to="onnx", optimise=1).values()
    (folder / "net.onnx").write_bytes(model)
    sets = {
        name: {key: torch.from_numpy(value * scale) for key, value in tensors.items()}
        for name, scale in (("model", 1), ("ema", 2))
    }
    torch.save(sets, folder / "two.pt")
    data_sets(folder)
    used(folder)
    shapes.as_coco(folder, shapes.Shapes(4), "shapes.json")
    run_of = shapes.settings(folder / "colours", run={"steps": 30, "output": str(folder / "found")})
    shutil.copy(train(run_of, data=shapes.Shapes(4)).last, folder / "finder.safetensors")
    (folder / "theirs" / "Small-0-0000.spine").write_text("mine\n", encoding="utf-8")
    many = "path,label\n" + "".join(f"{number}.png,{number % 2}\n" for number in range(30))
    (folder / "many.csv").write_text(many, encoding="utf-8")
    np.savez(folder / "part.npz", **dict(list(tensors.items())[1:]))  # type: ignore[arg-type]
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    target = tmp_path / "here"
    shutil.copytree(made, target)
    monkeypatch.chdir(target)
    without_clocks(monkeypatch)
    return target


def outcome(capsys: pytest.CaptureFixture[str], made: Path, folder: Path, words: list[str]) -> object:
    """What a command line gives: status, both streams, and what it wrote."""
    found = run(capsys, *words)
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for path in files:
        (folder / path).unlink()
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return found, files


def test_every_option_of_every_command_is_tried() -> None:
    tried = {(command, option) for command, ways in WAYS.items() for options in ways.values() for option in options}
    there = {(command, option) for command, options in OPTIONS.items() for option in options}
    apart = {(command, option) for command, option in there if option in APART or (command, option) in APART}
    assert tried | apart == there
    assert {entry for entry in APART if isinstance(entry, tuple)} <= there
    assert all(words.startswith(command) for command, ways in WAYS.items() for words in ways)


@pytest.mark.parametrize(("words", "option", "values"), CASES, ids=str)
def test_an_option_makes_a_difference_or_is_refused(
    words: str,
    option: str,
    values: tuple[str, ...] | None,
    made: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = (
        values
        if values is not None
        else next(
            (other[option] for ways in WAYS.values() for other in ways.values() if other.get(option) is not None), ()
        )
    )
    assert given is not None
    line = [*words.split(), option, *given]
    if values is None:
        before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        status, out, err = run(capsys, *line)
        assert (status, out) == (2, "")
        assert option in err or "--format" in err
        assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
        return
    assert outcome(capsys, made, folder, line) != outcome(capsys, made, folder, words.split())


@pytest.mark.parametrize("command", OPTIONS)
def test_an_option_with_one_value_is_given_once(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two the first would be ignored. What may be given several times is read each time."""
    several = {
        ("draw", "--network"),
        ("verify", "--input"),
        ("weights convert", "--map"),
        ("train", "--change"),
        ("export", "--to"),
        ("search run", "--fitness"),
        ("search report", "--name"),
        ("search run", "--change"),
        ("search worker", "--change"),
        ("search report", "--name"),
    }
    leaf = next(leaf for leaf in leaves(parser()) if leaf.prog == f"spine {command}")
    for action in leaf._actions:
        if (action.nargs == 0 and action.dest != "format") or not action.option_strings:
            continue
        option = action.option_strings[-1]
        word = [] if action.nargs == 0 else [str(next(iter(action.choices))) if action.choices else "1"]
        if (command, option) in several or option in LINTS:
            continue
        status, _, err = run(capsys, *command.split(), option, *word, option, *word)
        assert status == 2
        assert "is given twice" in err
