"""Networks that only run: as a file, and fused in place. `tests/laws` has random ones."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

import spinedsl
from spinedsl.agreement import lively_weights, usual_sizes
from spinedsl.backends.torch import emit_inference, emit_module, filled
from spinedsl.backends.torch.build import network_in
from spinedsl.cli import main
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program
from tests.hostile.allowlist import strange
from tests.texts import ROOT

SPINENET = ROOT / "examples/spinenet.spine"
OWN = ROOT / "examples/tutorial/5_own_block.spine"
CHOSEN = {  # one of each file: the others differ in numbers
    "spinenet": "SpineNet49S", "spinenet_mobile": "SpineNetMobile49S", "resnet": "ResNet50", "fpn": "ResNet50FPN",
    "classifier": "Classifier49", "retinanet": "RetinaNet49S", "spinenet_tpu": None, "spinenet_options": None,
    "convnext": None, "permuted": None, "variants": None,
}  # fmt: skip
FILES = [
    *(ROOT / f"examples/{name}.spine" for name in CHOSEN),
    *sorted((ROOT / "examples/tutorial").glob("*.spine")),
    *sorted((ROOT / "tests/definitions").glob("*.spine")),
]


def program_in(path: Path) -> Program:
    """The network of a file that is tried."""
    try:
        return spinedsl.program(path, network=CHOSEN.get(path.stem))
    except spinedsl.NetworkChoice:
        outcome = spinedsl.check(path)
        assert outcome.value is not None
        return spinedsl.program(path, network=next(iter(outcome.value.checked)))


def trained(program: Program) -> Any:
    """The module, with norms that do something."""
    return filled(emit_module(program).decode(), program, lively_weights(flatten(program).parameters, 0)).eval()


def without_norms(program: Program) -> Any:
    return network_in(emit_inference(program).decode(), program)()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_of_all_kinds_give_the_same(path: Path) -> None:
    program = program_in(path)
    source, module = trained(program), without_norms(program)
    module.load_state_dict(source.state_dict())
    size = usual_sizes(program)[0]
    x = torch.rand(size.batch, program.input_type.channels, size.height, size.width)
    with torch.inference_mode():
        wanted = source(x)
        for found in (module(x), spinedsl.fuse(source)(x)):
            assert [*found] == [*wanted]
            for name, value in found.items():
                assert value.shape == wanted[name].shape
                assert float((value - wanted[name]).abs().max()) <= 1e-5 * float(wanted[name].abs().max())
    assert strange(emit_inference(program).decode()) == []


def test_the_file_has_no_norms_and_drops_what_nothing_reads() -> None:
    program = spinedsl.program(SPINENET, network="SpineNet49S")
    text = emit_inference(program).decode()
    assert "BatchNorm" not in text
    assert "        del image\n" in text
    assert "inplace=True" in text
    module = without_norms(program)
    assert not module.training
    assert not any(tensor.requires_grad for tensor in module.parameters())
    assert module.b0_rep0_spatial_conv.weight.is_contiguous(memory_format=torch.channels_last)


def test_it_takes_both_kinds_of_tensors_and_says_what_is_missing() -> None:
    program = spinedsl.program(OWN)
    module, source = without_norms(program), trained(program)
    state = source.state_dict()
    before = {name: tensor.clone() for name, tensor in state.items()}
    module.load_state_dict(state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in source.state_dict().items())
    x = torch.rand(1, 3, 64, 64)
    wanted = module(x)
    again = without_norms(program)
    again.load_state_dict(module.state_dict())
    holder = torch.nn.ModuleDict({"net": without_norms(program)})
    holder.load_state_dict({f"net.{name}": tensor for name, tensor in source.state_dict().items()})
    for other in (again, holder["net"], copy.deepcopy(again), pickle.loads(pickle.dumps(again))):
        assert all(torch.equal(tensor, wanted[name]) for name, tensor in other(x).items())
    lacking = source.state_dict()
    gone = next(name for name in lacking if name.endswith("running_var"))
    del lacking[gone]
    with pytest.raises(ValueError, match=f"there is no {gone}"):
        module.load_state_dict(lacking)
    lacking[gone] = torch.full_like(before[gone], -1)
    with pytest.raises(ValueError, match="cannot be folded"):
        module.load_state_dict(lacking)


def test_tensors_of_another_network_are_refused() -> None:
    program = spinedsl.program(OWN)
    source, module = trained(program), without_norms(program)
    more = {**source.state_dict(), "s.another.weight": torch.ones(3)}
    with pytest.raises(RuntimeError, match=r'Unexpected key\(s\) in state_dict: "s.another.weight"'):
        module.load_state_dict(more)
    assert [*module.load_state_dict(more, strict=False).unexpected_keys] == ["s.another.weight"]
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        for name, value in source(x).items():
            assert torch.allclose(module(x)[name], value, rtol=0, atol=1e-5 * float(value.abs().max()))
    holder = torch.nn.ModuleDict({"net": without_norms(program)})
    held = {f"net.{name}": tensor for name, tensor in more.items()}
    assert [*holder.load_state_dict(held, strict=False).unexpected_keys] == ["net.s.another.weight"]
    short = dict(source.state_dict())
    norm = next(name for name in short if name.endswith("running_var")).removesuffix("running_var")
    for name in [name for name in short if name.startswith(norm) and short[name].dim()]:
        short[name] = short[name][:1]
    with pytest.raises(ValueError, match="a norm of 1 channels stands behind a kernel"):
        module.load_state_dict(short)


def test_a_part_of_a_network_takes_tensors_of_the_whole() -> None:
    whole, part = (spinedsl.program(SPINENET, network="SpineNet49S", outputs=outputs) for outputs in (None, ("P3",)))
    source, module = trained(whole), without_norms(part)
    assert part.dropped
    module.load_state_dict(source.state_dict())
    x = torch.rand(1, 3, 128, 128)
    with torch.inference_mode():
        wanted, found = source(x)["P3"], module(x)["P3"]
    assert float((found - wanted).abs().max()) <= 1e-5 * float(wanted.abs().max())


def test_gradients_reach_the_image_though_it_works_in_place() -> None:
    program = spinedsl.program(OWN)
    source, module = trained(program), without_norms(program)
    module.load_state_dict(source.state_dict())
    found = []
    for one in (source, module):
        x = torch.linspace(0, 1, 3 * 64 * 64).reshape(1, 3, 64, 64).requires_grad_()
        sum(value.sum() for value in one(x).values()).backward()
        assert x.grad is not None
        found.append(x.grad)
    assert torch.allclose(found[0], found[1], rtol=1e-3, atol=1e-4 * float(found[0].abs().max()))


def test_fuse_leaves_the_original_and_what_was_replaced() -> None:
    program = spinedsl.program(OWN)
    source = trained(program)
    before = {name: tensor.clone() for name, tensor in source.state_dict().items()}
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        wanted = source(x)
        fused = spinedsl.fuse(source)
        assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in fused.modules())
        assert [name for name, _ in fused.named_modules()] == [name for name, _ in source.named_modules()]
        assert all(torch.equal(tensor, before[name]) for name, tensor in source.state_dict().items())
        for name, value in fused(x).items():
            assert torch.allclose(value, wanted[name], rtol=0, atol=1e-5 * float(wanted[name].abs().max()))
        norm = next(name for name, part in source.named_modules() if isinstance(part, torch.nn.BatchNorm2d))
        home, _, last = norm.rpartition(".")
        other = torch.nn.GroupNorm(1, source.get_submodule(norm).num_features)
        setattr(source.get_submodule(home), last, other)
        wanted, fused = source(x), spinedsl.fuse(source)
        assert isinstance(fused.get_submodule(norm), torch.nn.GroupNorm)
        for name, value in fused(x).items():
            assert torch.allclose(value, wanted[name], rtol=0, atol=1e-5 * float(wanted[name].abs().max()))


def test_norms_that_cannot_be_folded_stay() -> None:
    source = trained(spinedsl.program(OWN))
    norm = next(part for part in source.modules() if isinstance(part, torch.nn.BatchNorm2d))
    norm.running_var.fill_(-1)  # type: ignore[union-attr]
    fused = spinedsl.fuse(torch.nn.Sequential(source))
    assert sum(isinstance(part, torch.nn.BatchNorm2d) for part in fused.modules()) == 1


@pytest.mark.parametrize("given", [torch.nn.Linear(1, 1), "SpineNet49"])
def test_what_was_not_loaded_is_refused(given: Any) -> None:
    with pytest.raises(spinedsl.OptionChoice, match=r"is what `spinedsl\.load` gives"):
        spinedsl.fuse(given)


def test_the_command_verifies_what_it_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "m.py"
    assert main(["compile", str(OWN), "--to", "torch", "--inference", "--verify", "-o", str(target)]) == 0
    text = target.read_text()
    assert "BatchNorm" not in text
    assert "PyTorch for inference" in text
    assert main(["compile", str(OWN), "--to", "torch", "--inference", "--adapter", "timm", "-o", "-"]) == 2
    assert "--inference is for a file that only runs" in capsys.readouterr().err
