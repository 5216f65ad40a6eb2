"""The generated PyTorch is right, and stays right: against the interpreter, through FX and export, byte for byte."""

from __future__ import annotations

import copy
import importlib.util
import pickle
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import spinedsl
from spinedsl.backends import Options
from spinedsl.backends import torch as backend
from spinedsl.backends.torch import build, emit_module
from spinedsl.backends.torch.operators import OPERATORS
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.interpret import run
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.program import Program
from spinedsl.ops.reserved import MODULE_ATTRIBUTES
from tests.backends.torch.texts import TEXTS
from tests.backends.torch.texts import program as program_of
from tests.building import CASES, case, image_for, op, single, weights_for

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = {
    "SpineNet49": "spinenet",
    "SpineNet96": "spinenet",
    "ResNet50": "resnet",
    "OwnBlock": "tutorial/5_own_block",
}


def example(network: str, size: tuple[int, int] | None = None) -> Program:
    return spinedsl.program(ROOT / f"examples/{EXAMPLES[network]}.spine", network=network, size=size)


def with_weights(program: Program) -> nn.Module:
    """The module in inference mode and float64, with the weights that the interpreter gets."""
    module = build(program).eval().double()
    tensors = {name: torch.from_numpy(value) for name, value in weights_for(flatten(program)).items()}
    missing, unexpected = module.load_state_dict(tensors, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return module


def interpreted(program: Program, image: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    graph = flatten(program)
    rows = run(graph, weights_for(graph), image, dtype=np.float64)
    return {name: rows[name] for name in program.outputs}


def assert_close(got: dict[str, torch.Tensor], expected: dict[str, NDArray[Any]]) -> None:
    assert list(got) == list(expected)
    for name, value in expected.items():
        assert tuple(got[name].shape) == value.shape
        assert np.abs(got[name].numpy() - value).max() <= 1e-12 * np.abs(value).max()


def tensors_of(module: nn.Module) -> dict[str, torch.Tensor]:
    return {k: v for k, v in module.state_dict().items() if not k.endswith("num_batches_tracked")}


def imported(program: Program, folder: Path) -> ModuleType:
    """The generated file as a module of its own."""
    path = folder / f"generated_{program.name.lower()}.py"
    path.write_bytes(emit_module(program))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


# ---- every primitive ----


def test_every_primitive_has_a_row() -> None:
    assert set(OPERATORS) == set(PRIMITIVES)


@pytest.mark.parametrize("name", CASES)
@torch.no_grad()
def test_primitive_as_the_interpreter(name: str) -> None:
    program, _ = case(name)
    image = image_for(program, batch=2, times=2)
    assert_close(with_weights(program)(torch.from_numpy(image).double()), interpreted(program, image))


# ---- every shape that a definition can have ----


@pytest.mark.parametrize("name", TEXTS)
def test_definition(name: str) -> None:
    assert_right(TEXTS[name]())


def test_definitions_that_no_submodule_can_be_named_for_are_refused() -> None:
    definitions = "def class(x) { return relu(x) }\nblock_type body(x, channels, stride = 1) { return x }"
    with pytest.raises(spinedsl.Mistakes, match="`class` cannot name a definition"):
        program_of(definitions, "block b: body level 2 after s")


def assert_right(program: Program) -> None:
    """Parameters, values and gradients, and the same values once traced."""
    module = with_weights(program)
    assert set(tensors_of(module)) == set(flatten(program).parameters)
    image = image_for(program)
    pixels = torch.from_numpy(image).double()
    with torch.no_grad():
        outputs = module(pixels)
        assert_close(outputs, interpreted(program, image))
        traced = torch.fx.symbolic_trace(module)(pixels)
    assert list(traced) == list(outputs)
    assert all(torch.equal(traced[output], outputs[output]) for output in outputs)
    module.train()(torch.cat([pixels, pixels]))["P"].sum().backward()


@pytest.mark.parametrize(
    "name",
    [
        "repeat in repeat", "shared", "each, with weights of its own", "lists", "choices", "a head of two towers",
        "a repeat, an each and another repeat around what is shared", "heads without submodules of their own",
        "dropout, transposed convolution and bilinear resizing", "concat, a map and a list",
        "reshape, axes and widths that differ", "pad and crop, amounts that differ",
        "constants and parameters that differ",
    ],
)  # fmt: skip
@torch.no_grad()
def test_strict_export(name: str) -> None:
    program = TEXTS[name]()
    module, pixels = with_weights(program), torch.from_numpy(image_for(program)).double()
    exported = torch.export.export(module, (pixels,), strict=True).module()(pixels)
    for output, value in module(pixels).items():
        torch.testing.assert_close(exported[output], value)


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize(
    "name",
    [
        "initialisation", "shared", "repeat", "each, with weights of its own", "a head of two towers",
        "dropout, transposed convolution and bilinear resizing",
    ],
)  # fmt: skip
def test_reset_gives_the_values_that_every_backend_starts_from(name: str, seed: int) -> None:
    program = TEXTS[name]()
    module = with_weights(program).float()
    module.get_submodule("").reset(seed)  # type: ignore[operator]
    expected = seeded(flatten(program).parameters, seed)
    for tensor, value in tensors_of(module).items():
        np.testing.assert_array_equal(value.numpy(), expected[tensor], strict=True)


def test_uses_that_do_not_align_become_two_classes() -> None:
    text = emit_module(TEXTS["an activation as a parameter"]()).decode()
    assert "class Excite(nn.Module)" in text
    assert "class Excite2(nn.Module)" in text


def test_stochastic_depth_drops_samples_in_training_only() -> None:
    program, _ = case("stochastic_depth")
    module = build(program)
    pixels = torch.ones(64, 3, 32, 48)
    torch.manual_seed(0)
    values = set(module.train()(pixels)["P"].mean((1, 2, 3)).round(decimals=4).tolist())
    assert values == {0.0, 1.25}
    assert torch.equal(module.eval()(pixels)["P"], pixels)


# ---- the examples ----


@pytest.mark.parametrize("network", EXAMPLES)
def test_example(network: str, tmp_path: Path) -> None:
    program = example(network, (128, 128))
    module = getattr(imported(program, tmp_path), network)()
    expected = seeded(flatten(program).parameters, 0)
    assert tensors_of(module).keys() == expected.keys()
    assert all(np.array_equal(value.numpy(), expected[name]) for name, value in tensors_of(module).items())
    rows = program.pyramid
    assert [info["num_chs"] for info in module.feature_info] == [row.type.channels for row in rows]
    assert [info["reduction"] for info in module.feature_info] == [2 ** (row.level or 0) for row in rows]
    makers = [row.name if row.calls else row.inputs[0].source for row in rows]
    assert [info["module"] for info in module.feature_info] == makers
    assert module.size_divisor == program.divisor
    with torch.no_grad():
        pixels = torch.from_numpy(image_for(program))
        outputs = module.eval()(pixels)
        assert list(outputs) == list(program.outputs)
        for copied in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), torch.fx.symbolic_trace(module)):
            again = copied(pixels)
            assert all(torch.equal(again[name], value) for name, value in outputs.items())


def test_spinenet_49_is_what_a_person_would_write() -> None:
    text = emit_module(example("SpineNet49")).decode()
    classes = [line.split("(")[0].removeprefix("class ") for line in text.split("\n") if line.startswith("class ")]
    assert classes == [
        "Repeated", "ResnetStem", "Shortcut", "Bottleneck", "SpinenetResample", "Residual", "Endpoint", "SpineNet49",
    ]  # fmt: skip
    assert text.count("\n") <= 320
    assert "        b14 = self.b14(activated_sum([self.b14.from_b7(b7), self.b14.from_b12(b12), b11]))\n" in text


@torch.no_grad()
def test_spinenet_49_exports_strictly() -> None:
    module = build(example("SpineNet49", (128, 128))).eval()
    pixels = torch.randn(1, 3, 128, 128)
    exported = torch.export.export(module, (pixels,), strict=True).module()
    for name, value in module(pixels).items():
        torch.testing.assert_close(exported(pixels)[name], value)


@torch.no_grad()
def test_open_sizes_export_strictly() -> None:
    module = build(example("OwnBlock", (64, 64))).eval()
    sizes = {2: 32 * torch.export.Dim("h", min=2, max=8), 3: 32 * torch.export.Dim("w", min=2, max=8)}
    pixels = torch.randn(1, 3, 64, 96)
    exported = torch.export.export(module, (pixels,), dynamic_shapes=(sizes,), strict=True).module()
    other = torch.randn(1, 3, 160, 128)
    for name, value in module(other).items():
        torch.testing.assert_close(exported(other)[name], value)


def test_training_moves_every_parameter() -> None:
    module = build(example("OwnBlock", (64, 64))).train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1)
    sum(value.square().mean() for value in module(torch.randn(2, 3, 64, 64)).values()).backward()
    optimiser.step()
    still = [name for name, value in module.state_dict().items() if torch.equal(value, before[name])]
    assert still == []


def test_on_the_meta_device_and_in_half_precision() -> None:
    program = example("OwnBlock", (64, 64))
    built = build(program)
    with torch.device("meta"):
        empty = type(built)()
    assert all(value.is_meta for value in empty.state_dict().values())
    empty.to_empty(device="cpu").half()
    empty.reset(0)  # type: ignore[operator]
    for name, value in tensors_of(empty).items():
        assert torch.equal(value, tensors_of(built)[name].half())


# ---- the text ----


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the code of every program that these tests know."""
    folder = tmp_path_factory.mktemp("generated")
    programs = {name: make() for name, make in TEXTS.items()} | {name: case(name)[0] for name in CASES}
    programs |= {name: example(name) for name in EXAMPLES}
    for number, program in enumerate(programs.values()):
        (folder / f"model_{number}.py").write_bytes(emit_module(program))
    return folder


def test_the_formatter_changes_nothing(generated: Path) -> None:
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "--diff", str(generated)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_the_linter_finds_nothing(generated: Path) -> None:
    rules = ["--select", "B,C4,E,F,I,PERF,RET,UP,W", "--ignore", "RET504"]
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "120", *rules, str(generated)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_the_same_program_gives_the_same_bytes() -> None:
    source = (
        "import sys, spinedsl; from spinedsl.backends.torch import emit_module;"
        f"program = spinedsl.program({str(ROOT / 'examples/tutorial/5_own_block.spine')!r});"
        "sys.stdout.buffer.write(emit_module(program))"
    )
    texts = [
        subprocess.run(
            [sys.executable, "-c", source], capture_output=True, check=True, cwd=ROOT, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert texts[0] == texts[1] == emit_module(example("OwnBlock"))


def test_options_change_nothing() -> None:
    program = example("OwnBlock")
    assert backend.emit(program, Options(seed=3)).value == {"OwnBlock.py": emit_module(program)}


def test_the_code_needs_only_torch(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_bytes(emit_module(example("OwnBlock")))
    source = "import sys; import model; model.OwnBlock(); assert not any(m.startswith('spinedsl') for m in sys.modules)"
    subprocess.run([sys.executable, "-c", source], check=True, cwd=tmp_path)


def test_tracebacks_show_generated_lines() -> None:
    module = build(example("OwnBlock"))
    with pytest.raises(RuntimeError) as caught:
        module(torch.zeros(1, 4, 64, 64))
    assert "s = self.s(image)" in [entry.statement.lines[0].strip() for entry in caught.traceback]


def test_reserved_names_are_those_of_torch() -> None:
    kinds = (nn.Module(), nn.Sequential(), nn.ModuleDict())
    public = {(name, getattr(kind, name)) for kind in kinds for name in dir(kind) if name[0] != "_"}
    # Other packages may have put something of theirs there by now.
    own = {name for name, value in public if getattr(value, "__module__", "torch").startswith("torch")}
    assert "forward" in own
    assert own <= MODULE_ATTRIBUTES


def test_momentum_is_the_share_of_the_statistics_that_stays() -> None:
    """As in TensorFlow, and unlike PyTorch's own argument of that name."""
    program = single(lambda x: op("batch_norm", x, momentum=Fraction(99, 100)))
    module = build(program).train()
    (norm,) = (part for part in module.modules() if isinstance(part, nn.BatchNorm2d))
    x = torch.from_numpy(image_for(program))
    module(x)
    assert norm.running_mean is not None
    torch.testing.assert_close(norm.running_mean, 0.01 * x.mean((0, 2, 3)))
