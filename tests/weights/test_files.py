"""Weights files: what is read, what is refused and how it is said, and what fits a network."""

from __future__ import annotations

import builtins
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from spinedsl.diagnostics.render import render
from spinedsl.ops.primitives import Initial, Parameter
from spinedsl.weights import Weights, match, read

TENSORS = {
    "b.conv.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "b.norm.bias": torch.tensor([1.5, -2.5, 1e-3], dtype=torch.bfloat16),
    "b.norm.weight": torch.tensor([1.5, 0.25], dtype=torch.float16),
    "b.norm.running_mean": torch.tensor([0.1], dtype=torch.float64),
    "b.norm.num_batches_tracked": torch.tensor(7),
}


def write(path: Path, content: Any = TENSORS) -> Path:
    if path.suffix == ".safetensors":
        save_file(content, path)
    else:
        torch.save(content, path)
    return path


def arrays(path: Path) -> dict[str, NDArray[Any]]:
    outcome = read(path)
    assert outcome.value is not None
    assert outcome.diagnostics == ()
    assert not outcome.value.sealed
    return dict(outcome.value.tensors)


def said(path: Path) -> tuple[str, str]:
    """Code and message of the one diagnostic."""
    outcome = read(path)
    assert outcome.value is None
    (diagnostic,) = outcome.diagnostics
    assert render([diagnostic]).startswith(f"error[{diagnostic.code.id}]: ")
    return diagnostic.code.id, diagnostic.message.replace(str(path), "FILE")


# ---- reading ----


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth", ".PT"])
def test_read(suffix: str, tmp_path: Path) -> None:
    tensors = arrays(write(tmp_path / f"w{suffix}"))
    assert sorted(tensors) == sorted(set(TENSORS) - {"b.norm.num_batches_tracked"})
    for name, array in tensors.items():
        assert array.tolist() == TENSORS[name].tolist()
        assert array.dtype.kind == "f"


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_numbers_of_other_kinds_are_read_as_they_are(suffix: str, tmp_path: Path) -> None:
    content = {"a": torch.tensor([1, 2]), "b": torch.tensor([True])}
    found = arrays(write(tmp_path / f"w{suffix}", content))
    assert (found["a"].dtype.name, found["b"].dtype.name) == ("int64", "bool")


def test_read_checkpoint_with_state_dict(tmp_path: Path) -> None:
    found = arrays(write(tmp_path / "w.pt", {"state_dict": TENSORS, "epoch": 3}))
    assert found["b.conv.weight"].shape == (2, 3)


@pytest.mark.parametrize("key", ["optimized_model", "wrangler", "optimal", "autoscaler_model"])
def test_a_set_is_no_optimizers_by_a_part_of_its_name(key: str, tmp_path: Path) -> None:
    assert arrays(write(tmp_path / "w.pt", {key: TENSORS}))["b.conv.weight"].shape == (2, 3)
    for other in ("optimizer", "optimizer_states", "lr_schedulers", "grad_scaler", "rng_state", "Optimizer-1"):
        assert arrays(write(tmp_path / "w.pt", {key: TENSORS, other: {"0": torch.ones(2)}})).keys() >= {"b.conv.weight"}


def test_read_old_format(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save(TENSORS, path, _use_new_zipfile_serialization=False)
    assert arrays(path)["b.norm.weight"].tolist() == [1.5, 0.25]


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_files_that_cannot_be_opened(suffix: str, tmp_path: Path) -> None:
    folder = tmp_path / f"folder{suffix}"
    folder.mkdir()
    assert said(tmp_path / f"none{suffix}") == ("E0801", "cannot read `FILE`: no such file or directory")
    assert said(folder) == ("E0902", "`FILE` is no weights file: it is a folder without weights")


def test_unknown_suffix(tmp_path: Path) -> None:
    path = tmp_path / "w.abc"
    path.write_bytes(b"nothing that anybody knows")
    assert said(path) == ("E0902", "`FILE` is no weights file: it is no kind of file that is known here")


SOUND = "a sound file cut short"
CONTENTS = {
    "empty": b"",
    "short": b"1234",
    "text": b"hello, world: this is no tensor at all",
    "header": b'\x08\0\0\0\0\0\0\0{"a": 1}',
    "long": b"\xff\xff\xff\xff\xff\xff\xff\x7f{}",
    "pickle opcodes": b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01u",
    SOUND: b"",
}


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize("content", CONTENTS)
def test_broken_files(content: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"w{suffix}"
    data = write(path).read_bytes()[:-200] if content == SOUND else CONTENTS[content]
    path.write_bytes(data)
    code, message = said(path)
    assert code in {"E0903", "E0904"}
    assert message.startswith(("`FILE` is not a valid weights file: ", "`FILE` is not a plain state dict: "))
    assert "\n" not in message
    assert not re.search(r"[a-z]Error\b", message), "what the unpickler stumbled over is nobody's business"


class Trap:
    """What a pickle can do to whoever opens it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (builtins.exec, ("raise SystemExit('code from a file was run')",))


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_pickle_is_refused(zipped: bool, tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save({"a": Trap()}, path, _use_new_zipfile_serialization=zipped)
    code, message = said(path)
    assert code == "E0904"
    assert message.startswith("`FILE` is not a plain state dict: it asks for ")
    assert message.endswith("exec`")
    torch.save(torch.nn.Linear(2, 2), path, _use_new_zipfile_serialization=zipped)
    assert said(path) == ("E0904", "`FILE` is not a plain state dict: it asks for `torch.nn.modules.linear.Linear`")
    path.write_bytes(pickle.dumps(Trap()))
    assert said(path)[0] in {"E0903", "E0904"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([torch.ones(1)], "it holds a list"),
        ({1: torch.ones(1)}, "a name in it is an int"),
        ({"epoch": 3}, "`epoch` is an int, not a tensor"),
        ({"a": torch.ones(2, 2).to_sparse()}, "`a` is no ordinary dense tensor"),
        ({"state_dict": {"a": "b"}}, "`state_dict` is a dict without tensors"),
        ({"optimizer": {"exp_avg": torch.ones(1)}}, "`optimizer` is a dict without tensors"),
    ],
    ids=["list", "number", "epoch", "sparse", "text", "optimizer"],
)
def test_state_dicts_that_are_none(content: Any, reason: str, tmp_path: Path) -> None:
    path = write(tmp_path / "w.pt", content)
    assert said(path) == ("E0904", f"`FILE` is not a plain state dict: {reason}")
    assert "save `model.state_dict()`" in read(path).diagnostics[0].fixes[0].text


def test_types_that_no_network_has(tmp_path: Path) -> None:
    path = write(tmp_path / "w.safetensors", {"a": torch.ones(2).to(torch.float8_e4m3fn)})
    assert said(path) == ("E0903", "`FILE` is not a valid weights file: `a` has numbers of type F8_E4M3")


@pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental")
@pytest.mark.parametrize("kind", ["complex32", "float4_e2m1fn_x2", "bits8", "bits16"])
def test_types_that_numpy_lacks_are_named(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path / "w.pt", {"b": torch.ones(2), "a": torch.empty(3, dtype=getattr(torch, kind))})
    assert said(path) == ("E0903", f"`FILE` is not a valid weights file: `a` has numbers of type {kind}")


def test_a_conjugate_is_read_as_its_numbers(tmp_path: Path) -> None:
    """PyTorch keeps it as a note beside the numbers, and so it does with the sign of its imaginary part."""
    whole, part = (torch.tensor([1 + 2j, 3 - 4j]).conj() for _ in range(2))
    found = arrays(write(tmp_path / "w.pt", {"whole": whole, "part": part.imag}))
    assert found["whole"].tolist() == [1 - 2j, 3 + 4j]
    assert found["part"].tolist() == [-2, 4]
    assert found["part"].dtype == np.float32


def test_without_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "w.pt")
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    assert said(path) == ("E0905", "reading `FILE` needs PyTorch, which is not installed")


# ---- matching ----


def parameters(**shapes: tuple[int, ...]) -> dict[str, Parameter]:
    return {name: Parameter(name, shape, Initial("constant", 0)) for name, shape in shapes.items()}


def notes(wanted: dict[str, Parameter], tensors: dict[str, Any]) -> tuple[str, ...]:
    outcome = match(wanted, Weights("w.pt", tensors), "Net")
    assert outcome.value is None
    (diagnostic,) = outcome.diagnostics
    assert diagnostic.message == "the weights in `w.pt` do not fit network `Net`"
    return diagnostic.notes


def test_match_gives_float32_in_the_order_of_the_parameters() -> None:
    tensors: dict[str, NDArray[Any]] = {"b": np.ones((2, 2), np.float64).T, "a": np.array([1, 2], np.float16)}
    got = match(parameters(a=(2,), b=(2, 2)), Weights("w.pt", tensors), "Net").value
    assert got is not None
    assert list(got) == ["a", "b"]
    assert all(array.dtype == np.float32 and array.flags.c_contiguous for array in got.values())
    assert got["a"].tolist() == [1, 2]


def test_match_lists_everything() -> None:
    wanted = parameters(squeeze=(2, 3), expand=(4,), both=(1,), whole=(1,))
    tensors = {"sqeeze": np.ones((2, 3)), "other": np.ones(()), "both": np.ones(2), "whole": np.ones(1, np.int64)}
    assert notes(wanted, tensors) == (
        "missing: `expand` (4)",
        "missing: `squeeze` (2x3); is it `sqeeze`?",
        "unexpected: `other` (one number)",
        "unexpected: `sqeeze` (2x3)",
        "misfit: `both`: expected 1, got 2",
        "misfit: `whole`: expected floating-point numbers, got int64",
    )


def test_match_cuts_long_lists() -> None:
    wanted = parameters(**{f"p{i:03}": (1,) for i in range(45)})
    listed = notes(wanted, {"other": np.ones(3)})
    assert listed[0] == "missing: `p000` (1)"
    assert listed[19:] == ("missing: `p019` (1)", "missing: 25 more", "unexpected: `other` (3)")


def test_match_knows_a_prefix() -> None:
    wanted = parameters(a=(1,), b=(2,))
    tensors = {"module.a": np.ones(1), "module.b": np.ones(2), "module.c": np.ones(1)}
    (diagnostic,) = match(wanted, Weights("w.pt", tensors), "Net").diagnostics
    assert diagnostic.notes == ("unexpected: `c` (1)", "the names in the file are taken without `module.`")
    del tensors["module.c"]
    assert match(wanted, Weights("w.pt", tensors), "Net").ok
    (diagnostic,) = match(wanted, Weights("w.pt", {"module.a": np.ones(1)}), "Net").diagnostics
    assert diagnostic.notes == ("missing: `b` (2)", "the names in the file are taken without `module.`")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([np.nan, 1], "1 of 2 numbers are not finite"),
        ([np.inf, -np.inf], "2 of 2 numbers are not finite"),
        ([1e300, 1], "1 of 2 numbers are beyond float32"),
        ([-1e-9, 1], "1 of 2 variances are below 0"),
        ([np.nan, -1.0], "1 of 2 numbers are not finite, 1 of 2 variances are below 0"),
    ],
)
def test_numbers_that_no_network_can_use(values: list[float], said: str) -> None:
    wanted = parameters(**{"norm.running_var": (2,)})
    (found,) = match(wanted, Weights("w.pt", {"norm.running_var": np.array(values)}), "Net").diagnostics
    assert (found.code.id, found.notes) == ("E0915", (f"unusable: `norm.running_var`: {said}",))
