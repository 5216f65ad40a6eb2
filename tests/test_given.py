"""Whatever is given for a backend or to a public function is read by somebody, or refused with what to do instead.

The tables of the project say what there is: `OPTIONS` of the backends, the fields of `Options`, the signatures of the
public functions. What is new in one of them fails here until it is given a value, and is read or refused.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import torch

import spinedsl
from spinedsl import api
from spinedsl.backends import BACKENDS, Options, declared
from spinedsl.backends.choose import OPTIONS, takers
from spinedsl.backends.option import FINDING
from spinedsl.cli import compile as command
from spinedsl.cli import main
from spinedsl.record import names
from spinedsl.source import Source
from tests.texts import ROOT
from tests.training.running import Squares, settings

TEXT = """\
spine 1
import std.blocks
import std.stems
import std.resample
import std.outputs
import std.heads

network Small(size = 64, spare = 1) {
    input image: 3 x size x size
    defaults { act relu, norm batch_norm }
    widths { level 2..3: 4 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 4
    block b0: residual level 2 after s
    block b1: residual level 3 from b0
    output P2: endpoint from b0 channels 4
    output P3: endpoint from b1 channels 4
}

network Large = Small(size = 128)

network Odd = Small with { widths { level 2..3: 15 } }

network One = Finds with { drop far }

network Finds = Small with {
    add head scores: retina_tower(outputs = 2, depth = 1) from P2, P3 channels 4
    add head boxes: retina_tower(outputs = 4, depth = 1) from P2, P3 channels 4
    add head wide: retina_tower(outputs = 8, depth = 1) from P2, P3 channels 4
    task near: detection(classes = 2) classes scores boxes boxes
    task far: detection(classes = 1, ratios = [1, 2], scales = 1) classes scores boxes wide
}
"""
# A value for each option of a backend; `weights` are those of another seed.
GIVEN: Mapping[str, Any] = {
    "weights": "weights.safetensors", "seed": 3, "dynamic": ("batch",), "opset": 13, "batch": 2, "half": True,
    "external_data": "always", "optimise": 0, "adapter": "timm", "verify": True, "detect": True, "task": "far",
    "score": 0.3, "top": 7, "overlap": 0.7, "max_detections": 9, "inference": True, "runtime": "onnxruntime",
}  # fmt: skip
BESIDE: Mapping[str, Mapping[str, Any]] = {"runtime": {"optimise": 2, "runtime": "openvino"}}  # what to compare with


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with two networks, and weights that fit both."""
    from spinedsl.weights import to_bytes

    folder = tmp_path_factory.mktemp("given")
    (folder / "small.spine").write_text(TEXT, encoding="utf-8")
    module = spinedsl.load(folder / "small.spine", network="Small")
    module.reset(5)
    tensors = {name: tensor.numpy() for name, tensor in module.state_dict().items() if "num_batches" not in name}
    (folder / "weights.safetensors").write_bytes(to_bytes(tensors, {}))
    torch.save({"model": module.state_dict(), "ema": module.state_dict()}, folder / "checkpoint.pt")
    return folder


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


def chosen(to: str, given: Mapping[str, Any]) -> Options:
    return api.chosen(to, cast("api.Given", given))


# ---- backends ----


def test_every_option_stands_in_every_table() -> None:
    recorded = ("origin", "verified", "properties")  # what a file says of itself, which nobody gives
    assert {*OPTIONS} - {"verify"} == {*names(Options)} - {*recorded}
    assert {*OPTIONS} == {*api.Given.__annotations__} == {*GIVEN}
    assert {*OPTIONS} <= {*inspect.signature(spinedsl.compile).parameters}
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    assert {*OPTIONS} <= {action.dest for action in parser._actions}
    for action in parser._actions:
        if taking := takers(action.dest):
            named = [to for to in BACKENDS if declared(to).title in str(action.help)]
            assert named == taking, action.dest


@pytest.mark.parametrize("to", BACKENDS)
def test_a_backend_takes_an_option_or_says_what_to_do_instead(to: str) -> None:
    assert {*declared(to).takes} | {*declared(to).instead} == {*OPTIONS}
    assert not {*declared(to).takes} & {*declared(to).instead}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("to", BACKENDS)
def test_what_is_given_changes_the_files_or_is_refused(
    to: str, option: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finds = {option.name for option in FINDING}
    usual: dict[str, object] = {"network": "Small" if option not in finds else "Finds" if option != "detect" else "One"}
    usual |= {"detect": True, "task": "near"} if option in finds - {"detect"} and to != "mermaid" else {}

    if option in BESIDE and option in declared(to).takes:
        usual |= {"network": "Odd", **BESIDE[option]}

    def compiled(**options: Any) -> dict[str, bytes]:
        return spinedsl.compile("small.spine", **{"to": to, **usual, **options})

    value = GIVEN[option]
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    flag = f"--{command.FLAGS.get(option, option).replace('_', '-')}"
    line = ["compile", "small.spine", "--to", to, "-o", "out", "--network", str(usual["network"])]
    line += ["--detect"] if "detect" in usual else []
    line += ["--task", "near"] if "detect" in usual and option != "task" else []
    line += ["-O2"] if "optimise" in usual else []
    line += [flag] if value is True else [flag, text]
    if option in declared(to).takes:
        assert compiled(**{option: value}) != compiled()
        assert main(line) == 0
        return
    with pytest.raises(spinedsl.OptionChoice) as found:
        compiled(**{option: value})
    with pytest.raises(spinedsl.OptionChoice):
        api.emit(spinedsl.program("small.spine", network="Small"), to=to, **{option: value})
    instead = declared(to).instead[option].format(value=value)
    assert found.value.option == option
    assert str(found.value).endswith(instead)
    (here / "out").unlink(missing_ok=True)
    assert main(line) == 2
    assert capsys.readouterr().err == f"spine compile: {flag} {found.value.reason}\n"
    assert not (here / "out").exists()


def test_a_default_that_is_given_is_given() -> None:
    for option, value in (("seed", 0), ("opset", 18), ("batch", 1), ("external_data", "auto")):
        with pytest.raises(spinedsl.OptionChoice, match=f"`{option}` is for `onnx`, not for `torch`"):
            chosen("torch", {option: value})
        assert chosen("onnx", {option: value}) == chosen("onnx", {})
    assert chosen("onnx", {"optimise": 1}) == chosen("onnx", {}) == Options(optimise=1)


def test_what_is_not_given_is_not_refused() -> None:
    nothing = dict.fromkeys(OPTIONS) | {"half": False, "verify": False, "dynamic": ()}
    usual = dict.fromkeys(BACKENDS, Options()) | {"onnx": Options(optimise=1)}
    assert {to: chosen(to, nothing) for to in BACKENDS} == usual


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dynamic": ("depth",)}, "`dynamic` has no axis `depth`: there is `batch`, `height` and `width`"),
        ({"dynamic": ("hight",)}, "`dynamic` has no axis `hight`: did you mean `height`?"),
        ({"dynamic": ("batch", "batch")}, "`dynamic` names `batch` twice: once is enough"),
        ({"dynamic": "batch"}, "`dynamic` is a collection of axes, as in `('batch',)`"),
        ({"opset": 12}, "`opset` has no version `12`: there is `13`, `14`"),
        ({"batch": 0}, "`batch` is a number of images, 1 or more, got 0"),
        ({"external_data": "allways"}, "`external_data` has no choice `allways`: did you mean `always`?"),
        ({"seed": 0, "weights": "w"}, "`seed` makes no difference beside weights, which are the values"),
        ({"half": True, "verify": True}, "`verify` compares float32, which is not what `half` writes"),
        ({"batch": 2, "dynamic": ("batch",)}, "`batch` makes no difference where the axis `batch` stays open"),
    ],
)
def test_values_that_there_are_not(given: dict[str, Any], said: str) -> None:
    with pytest.raises(spinedsl.OptionChoice) as found:
        chosen("onnx", given)
    assert str(found.value).startswith(said)


def test_hosts_and_backends_that_there_are_not() -> None:
    with pytest.raises(spinedsl.OptionChoice, match="`adapter` has no host `tim`: did you mean `timm`"):
        chosen("torch", {"adapter": "tim"})
    with pytest.raises(spinedsl.OptionChoice, match="`to` has no `touch`: did you mean `torch`"):
        spinedsl.compile("nowhere.spine", to="touch")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no option `sead`"):
        api.emit(None, to="onnx", sead=3)  # type: ignore[arg-type, call-arg]


def test_what_verifying_reads_is_taken_with_it(here: Path) -> None:
    """The values and images of the comparison are of the seed, whatever the file has."""
    first, second = (
        spinedsl.compile("small.spine", network="Small", to="torch", verify=True, seed=seed) for seed in (0, 1)
    )
    assert first != second
    with pytest.raises(spinedsl.OptionChoice, match="`opset` is for `onnx`"):
        chosen("torch", {"verify": True, "opset": 18})
    assert chosen("onnx", {"verify": True, "seed": 1, "weights": "w"}).seed == 1


# ---- the public functions ----


def _loaded(**options: Any) -> object:
    module = spinedsl.load("small.spine", **{"network": "Small", **options})
    said = sys.modules[type(module).__module__].__doc__  # which tells the size that it was written for
    return said, {name: tensor.sum().item() for name, tensor in module.state_dict().items()}


def _compiled(**options: Any) -> object:
    return spinedsl.compile("small.spine", **{"network": "Small", "to": "onnx", **options})


def _program(**options: Any) -> object:
    program = spinedsl.program("small.spine", **{"network": "Small", **options})
    return program.name, program.input_type, [*program.outputs]


def _checked(**options: Any) -> object:
    found = spinedsl.check("small.spine", **{"warn": ("W0705",), **options})
    assert found.value is not None
    said = [(one.code.id, one.severity) for one in found.diagnostics]
    return {name: checked.typed.input_type for name, checked in found.value.checked.items()}, said


def _verified(**options: Any) -> object:
    report = spinedsl.verify("small.spine", **{"network": "Small", **options})
    return report.network, report.sizes, report.weights, [found.largest for found in report.differences]


def _read(**options: Any) -> object:
    found = spinedsl.read_weights("checkpoint.pt", **{"key": "ema", **options})
    return found.key, found.prefix, [*found.tensors]


def _trained(**options: Any) -> object:
    sections = settings(Path.cwd(), run={"steps": 1})
    result = spinedsl.train(sections, **{"data": Squares(), **options})
    weights = spinedsl.read_weights(result.last).tensors
    return dict(result.figures), {name: array.sum().item() for name, array in weights.items()}


# By function: what to call, and a value of each argument by name. The first argument of each is the file itself.
CALLS: Mapping[str, tuple[Callable[..., object], Mapping[str, Any]]] = {
    "check": (
        _checked,
        {
            "size": (96, 96), "network": "Large", "warn": ("W0701",), "allow": ("W0706",), "deny": ("W07",),
            "settings": {"W0705": {"multiple": 2}},
        },
    ),
    "compile": (
        _compiled,
        {
            "to": "torch", "network": "Large", "size": (96, 96), "outputs": ("P2",), **GIVEN,
            "adapter": None, "inference": None, "runtime": None,
            **dict.fromkeys(option.name for option in FINDING),  # which the tests above compile a detector with
        },
    ),
    "fuse": (lambda: [*spinedsl.fuse(spinedsl.load("small.spine", network="Small")).state_dict()], {}),
    "load": (
        _loaded,
        {
            "network": "Large", "size": (96, 96), "outputs": ("P2",), "weights": "weights.safetensors", "detect": None,
            "task": None,
        },
    ),
    "parse": (spinedsl.parse, {}),
    "program": (_program, {"network": "Large", "size": (96, 96), "outputs": ("P2",)}),
    "read_weights": (
        _read, {"key": "model", "prefix": "", "renames": {"s.*": "t.*"}, "hear": None},
    ),
    "train": (
        _trained,
        {
            "data": Squares(seed=5), "validation": Squares(6), "loss": lambda out, labels, step: out["logits"].sum(),
            "resume": None, "watch": None, "hear": None, "changes": {"run": {"seed": 3}},
        },
    ),
    "verify": (
        _verified,
        {
            "network": "Large", "sizes": [(96, 96)], "outputs": ("P2",), "weights": "weights.safetensors", "seed": 3,
            "say": None,
        },
    ),
}  # fmt: skip
PUBLIC = {
    name: function for name in spinedsl.__all__ if inspect.isfunction(function := getattr(spinedsl, name))
}  # the exceptions and `edit` apart


ELSEWHERE = {"bench", "quantize"}  # they take long: `tests/performance` gives each argument, and looks at what it does


def test_every_public_function_and_argument_is_tried() -> None:
    assert {*CALLS} | ELSEWHERE == {*PUBLIC}
    text = (ROOT / "tests/performance/test_python.py").read_text(encoding="utf-8")
    for name, function in PUBLIC.items():
        first, *arguments = inspect.signature(function).parameters
        if name in ELSEWHERE:
            assert {word for word in arguments if f"{word}=" not in text and f'"{word}":' not in text} == set(), name
        else:
            assert {*arguments} == {*CALLS[name][1]}, name
        assert first in ("file", "weights", "config", "module")


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        (name, argument)
        for name, (_, values) in CALLS.items()
        for argument, value in values.items()
        if value is not None
    ],
)
def test_an_argument_makes_a_difference(name: str, argument: str, here: Path) -> None:
    call, values = CALLS[name]
    assert call(**{argument: values[argument]}) != call()


def test_a_loaded_network_finds_what_its_task_says(here: Path) -> None:
    assert not hasattr(spinedsl.load("small.spine", network="One"), "detect")
    found = [
        spinedsl.load("small.spine", network="Finds", detect=True, task=task)
        .eval()
        .detect(torch.zeros(1, 3, 64, 64), 0)
        for task in ("near", "far")
    ]
    assert not torch.equal(found[0]["boxes"], found[1]["boxes"])
    assert int(found[1]["labels"].max()) == 0
    with pytest.raises(spinedsl.OptionChoice, match="`task` makes no difference without `detect`"):
        spinedsl.load("small.spine", network="Finds", task="near")


def test_who_asks_is_told_what_is_compared(here: Path) -> None:
    said: list[str] = []
    _verified(say=said.append)
    assert said


@pytest.mark.parametrize("function", [_checked, _compiled, _loaded, _program, _verified])
def test_a_network_that_there_is_not(function: Callable[..., object], here: Path) -> None:
    with pytest.raises(spinedsl.NetworkChoice, match="no network `Smal`; did you mean `Small`"):
        function(network="Smal")


PART = "network Cell(wide) {\n    input x: level 2\n    block y: even level 2 after x channels wide\n    output y\n}\n"


@pytest.mark.parametrize("network", [None, "Cell"])
def test_a_network_that_is_no_whole_one(network: str | None) -> None:
    """A part takes maps; a network whose parameters have no values waits for them."""
    part = Source.from_text("spine 1\nblock_type even(x, channels) { return conv(x, channels, kernel = 1) }\n" + PART)
    with pytest.raises(spinedsl.NetworkChoice, match="`Cell` of <text> takes maps: it is a part"):
        spinedsl.program(part, network=network)
    whole = Source.from_text(
        "spine 1\nimport std.stems\nnetwork Cell(wide, deep = 2) {\n    input image: 3 x 64 x 64\n"
        "    defaults { norm batch_norm, act relu }\n"
        "    stem s: resnet_stem channels wide * deep\n    output C2: s\n}\n"
    )
    with pytest.raises(spinedsl.NetworkChoice, match=r"waits for values.*`network Own = Cell\(wide = …\)`"):
        spinedsl.program(whole, network=network)


@pytest.mark.parametrize("function", [_compiled, _loaded, _program])
def test_outputs_that_mean_nothing(function: Callable[..., object], here: Path) -> None:
    for outputs, said in (
        (("P2", "P2"), "named twice"),
        ("P2", r"a collection of names, as in `\('P2',\)`"),
        ((), "no output"),
    ):
        with pytest.raises(spinedsl.OutputChoice, match=said):
            function(outputs=outputs)
