"""Weights as trainers, hosts and other tools save them: each layout is read whole, partly, or refused by name.

Every row of `LAYOUTS` writes the tensors of one network in its way. What is read must be those tensors, to the bit (or
to what the row's type keeps); without one of them, just that one must be missing.
"""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import json
import os
import pathlib
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file

import spinedsl
from spinedsl.cli import main
from spinedsl.ops.graph import flatten
from spinedsl.source import Source
from spinedsl.weights import Weights, compare, read
from tests.building import weights_for
from tests.cli.running import NET

PROGRAM = spinedsl.program(Source.from_text(NET, "net.spine"))
PARAMETERS = flatten(PROGRAM).parameters
Arrays = Mapping[str, NDArray[Any]]
Dict = dict[str, Any]
ARRAYS: Arrays = weights_for(flatten(PROGRAM))
OTHERS: Arrays = {name: array + 1 for name, array in ARRAYS.items()}
GONE = "b.refine.norm.bias"  # what is left out to see that it is missed


def tensors(arrays: Arrays, prefix: str = "", dtype: torch.dtype = torch.float32) -> Dict:
    """A state dict, with the counters that PyTorch keeps."""
    found: Dict = {f"{prefix}{name}": torch.from_numpy(np.array(array)).to(dtype) for name, array in arrays.items()}
    for name in arrays:
        if name.endswith(".running_var"):
            found[f"{prefix}{name.removesuffix('running_var')}num_batches_tracked"] = torch.tensor(7)
    return found


class Opaque:
    """Of a class that only the trainer has."""

    def __init__(self) -> None:
        self.rate = 0.1


Opaque.__module__ = "somebodys_trainer.config"

Writer = Callable[[Path, Arrays], Path]


def pt(content: Callable[[Arrays], Any], name: str = "w.pt", **how: Any) -> Writer:
    """A file that PyTorch saves."""

    def write(folder: Path, arrays: Arrays) -> Path:
        import sys
        import types

        holder = types.ModuleType("somebodys_trainer.config")
        holder.Opaque = Opaque  # type: ignore[attr-defined]  # found by the pickler, and gone when it is read
        sys.modules["somebodys_trainer"], sys.modules["somebodys_trainer.config"] = types.ModuleType("x"), holder
        try:
            torch.save(content(arrays), folder / name, **how)
        finally:
            del sys.modules["somebodys_trainer"], sys.modules["somebodys_trainer.config"]
        return folder / name

    return write


def st(content: Callable[[Arrays], Dict], name: str = "w.safetensors") -> Writer:
    """A safetensors file of the library."""

    def write(folder: Path, arrays: Arrays) -> Path:
        save_file(content(arrays), folder / name)
        return folder / name

    return write


def npz(names: Callable[[str], str], also: Callable[[Arrays], Dict] = lambda arrays: {}, name: str = "w.npz") -> Writer:
    """An archive of NumPy."""

    def write(folder: Path, arrays: Arrays) -> Path:
        with (folder / name).open("wb") as file:
            np.savez(file, **{names(key): array for key, array in arrays.items()}, **also(arrays))  # type: ignore[arg-type]
        return folder / name

    return write


def shards(ending: str, *, folder_only: bool = False) -> Writer:
    """Two files and an index, as `save_pretrained` writes large models."""

    def write(folder: Path, arrays: Arrays) -> Path:
        where = folder / "pretrained"
        where.mkdir()
        stem = "model" if ending == "safetensors" else "pytorch_model"
        placed: dict[str, str] = {}
        for number in (1, 2):
            part = {name: array for place, (name, array) in enumerate(arrays.items()) if place % 2 == number - 1}
            name = f"{stem}-0000{number}-of-00002.{ending}"
            if ending == "safetensors":
                save_file(tensors(part, "model."), where / name)
            else:
                torch.save(tensors(part, "model."), where / name)
            placed |= dict.fromkeys(tensors(part, "model."), name)
        index = where / f"{stem}.{ending}.index.json"
        index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": placed}))
        return where if folder_only else index

    return write


def model(change: Callable[[Path], None]) -> Writer:
    """An ONNX model of ours that another tool has touched."""

    def write(folder: Path, arrays: Arrays) -> Path:
        whole = {**ARRAYS, **arrays}
        source = Source.from_text(NET, "net.spine")
        (data,) = spinedsl.compile(source, to="onnx", optimise=0, weights=Weights("w", whole)).values()
        path = folder / "net.onnx"
        path.write_bytes(data)
        if GONE not in arrays:
            held = onnx.load(path)
            kept = [tensor for tensor in held.graph.initializer if tensor.name != GONE]
            del held.graph.initializer[:]
            held.graph.initializer.extend(kept)
            onnx.save(held, path)
        change(path)
        return path

    return write


def older_ir(path: Path) -> None:
    held = onnx.load(path)
    held.ir_version = 7
    onnx.save(held, path)


def in_half(path: Path) -> None:
    held = onnx.load(path)
    for tensor in held.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name))
    onnx.save(held, path)


def outside(path: Path) -> None:
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="w.data", size_threshold=0)


def outside_by_dot(path: Path) -> None:
    outside(path)
    moved(path, "./w.data")


def moved(path: Path, location: str, **entries: str) -> None:
    """Say of every tensor outside that it stands elsewhere."""
    held = onnx.load(path, load_external_data=False)
    for tensor in held.graph.initializer:
        for entry in tensor.external_data:
            entry.value = {"location": location, **entries}.get(entry.key, entry.value)
    path.write_bytes(held.SerializeToString())


def prefixed(path: Path) -> None:
    onnx.save(onnx.compose.add_prefix(onnx.load(path), "a/"), path)


def own_metadata(path: Path) -> None:
    held = onnx.load(path)
    del held.metadata_props[:]
    onnx.save(held, path)


def foreign(folder: Path, arrays: Arrays) -> Path:
    kept = [numpy_helper.from_array(np.asarray(array, np.float32), name) for name, array in arrays.items()]
    graph = helper.make_graph([], "g", [], [], initializer=kept)
    (folder / "m.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    return folder / "m.onnx"


def bfloat16(folder: Path, arrays: Arrays) -> Path:
    kept = []
    for name, array in arrays.items():
        raw = torch.from_numpy(np.array(array)).to(torch.bfloat16).view(torch.int16).numpy().tobytes()
        kept.append(TensorProto(name=name, dims=array.shape, data_type=TensorProto.BFLOAT16, raw_data=raw))
    graph = helper.make_graph([], "g", [], [], initializer=kept)
    (folder / "m.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    return folder / "m.onnx"


def as_it_is(name: str) -> str:
    return name


def average(name: str) -> str:
    return f"{name}/ExponentialMovingAverage"


def lightning(arrays: Arrays) -> Dict:
    return {
        "epoch": 3, "global_step": 100, "pytorch-lightning_version": "2.6.0", "state_dict": tensors(arrays, "model."),
        "hyper_parameters": argparse.Namespace(rate=0.1), "callbacks": {"best": torch.ones(1)},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2)}}}], "lr_schedulers": [{"last_epoch": 3}],
    }  # fmt: skip


def averaged(arrays: Arrays) -> Dict:
    network = torch.nn.Module()
    averaging = torch.optim.swa_utils.AveragedModel(network).state_dict()
    return {**averaging, **tensors(arrays, "module.")}


SAFE, HALF, BRAIN = 0.0, 1e-3, 1e-2  # the largest difference that a type brings
# How it is written, the largest difference, and what of several is asked for.
LAYOUTS: dict[str, tuple[Writer, float, Dict]] = {
    # prefixes
    "plain": (pt(tensors), SAFE, {}),
    "DataParallel": (pt(lambda a: tensors(a, "module.")), SAFE, {}),
    "torch.compile": (pt(lambda a: tensors(a, "_orig_mod.")), SAFE, {}),
    "compiled in DDP": (pt(lambda a: tensors(a, "module._orig_mod.")), SAFE, {}),
    "DDP compiled": (pt(lambda a: tensors(a, "_orig_mod.module.")), SAFE, {}),
    "twice wrapped": (pt(lambda a: tensors(a, "module.module.")), SAFE, {}),
    "Lightning's attribute": (pt(lambda a: tensors(a, "model.")), SAFE, {}),
    "a backbone": (pt(lambda a: tensors(a, "backbone.")), SAFE, {}),
    "a net": (pt(lambda a: tensors(a, "net.")), SAFE, {}),
    "an average's model": (pt(lambda a: tensors(a, "ema_model.")), SAFE, {}),
    "deep in a detector": (pt(lambda a: tensors(a, "model.backbone.body.")), SAFE, {}),
    "parts that are compiled": (
        pt(lambda a: {name.replace("s.enter.", "s._orig_mod.enter."): t for name, t in tensors(a).items()}), SAFE, {},
    ),
    "FSDP": (
        pt(lambda a: {
            "_fsdp_wrapped_module." + name.replace("b.", "b._fsdp_wrapped_module.", 1): t
            for name, t in tensors(a).items()
        }), SAFE, {},
    ),
    "a scope": (pt(lambda a: tensors(a, "student/backbone/")), SAFE, {}),
    "a scope with a colon": (pt(lambda a: tensors(a, "generator:")), SAFE, {}),
    "a part of a list": (pt(lambda a: tensors(a, "module.encoder.0.")), SAFE, {}),
    "a prefix in safetensors": (st(lambda a: tensors(a, "model.")), SAFE, {}),
    "a prefix in npz": (npz(lambda name: f"model.{name}"), SAFE, {}),
    # what stands beside
    "a detector": (
        pt(lambda a: {**tensors(a, "backbone."), "head.conv.weight": torch.ones(2), "rpn.x": torch.ones(1)}), SAFE, {},
    ),
    "a classifier": (pt(lambda a: {**tensors(a), "head.fc.weight": torch.ones(5, 8)}), SAFE, {}),
    "a loss": (pt(lambda a: {**tensors(a, "model."), "criterion.weight": torch.ones(5)}), SAFE, {}),
    "AveragedModel": (pt(averaged), SAFE, {}),
    # keys
    "state_dict": (pt(lambda a: {"state_dict": tensors(a), "epoch": 3}), SAFE, {}),
    "model": (pt(lambda a: {"model": tensors(a), "epoch": 3}), SAFE, {}),
    "model_state_dict": (
        pt(lambda a: {"model_state_dict": tensors(a), "optimizer_state_dict": {"state": {0: {"m": torch.ones(2)}}}}),
        SAFE, {},
    ),
    "ema alone": (pt(lambda a: {"ema": tensors(a), "updates": 7}), SAFE, {}),
    "ema.module": (pt(lambda a: {"ema": {"module": tensors(a), "updates": 7}}), SAFE, {}),
    "model of two": (pt(lambda a: {"model": tensors(a), "ema": tensors(OTHERS)}), SAFE, {"key": "model"}),
    "ema of two": (pt(lambda a: {"model": tensors(OTHERS), "ema": tensors(a)}), SAFE, {"key": "ema"}),
    "timm's average": (
        pt(lambda a: {"state_dict": tensors(OTHERS), "state_dict_ema": tensors(a), "args": argparse.Namespace(b=1)}),
        SAFE, {"key": "state_dict_ema"},
    ),
    "key and prefix": (pt(lambda a: {"model": tensors(a, "module.")}), SAFE, {}),
    "student and teacher": (
        pt(lambda a: {**tensors(a, "student."), **tensors(OTHERS, "teacher.")}), SAFE, {"prefix": "student."},
    ),
    "Lightning": (pt(lightning, "epoch=3.ckpt"), SAFE, {}),
    "DETR": (
        pt(lambda a: {"model": tensors(a), "optimizer": {"state": {}}, "args": argparse.Namespace(lr=1)}), SAFE, {},
    ),
    "objects of the trainer": (
        pt(lambda a: {
            "model": tensors(a), "config": Opaque(), "when": dt.datetime(2026, 1, 1), "best": np.float64(0.9),  # noqa: DTZ001
            "where": pathlib.PurePosixPath("/data"), "log": collections.defaultdict(list), "steps": collections.deque(),
        }), SAFE, {},
    ),
    "FairScale": (pt(lambda a: {"model": {"module": tensors(a)}, "extra_state": {"loss": torch.ones(())}}), SAFE, {}),
    # types
    "beside the optimizer": (
        pt(lambda a: {"network": tensors(a), "optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}}}), SAFE, {},
    ),
    "deep": (pt(lambda a: {"checkpoint": {"model_state": tensors(a)}, "args": argparse.Namespace(lr=1)}), SAFE, {}),
    "half": (pt(lambda a: tensors(a, dtype=torch.float16)), HALF, {}),
    "bfloat16": (pt(lambda a: tensors(a, dtype=torch.bfloat16)), BRAIN, {}),
    "float64": (pt(lambda a: tensors(a, dtype=torch.float64)), SAFE, {}),
    "half in safetensors": (st(lambda a: tensors(a, dtype=torch.float16)), HALF, {}),
    "bfloat16 in safetensors": (st(lambda a: tensors(a, dtype=torch.bfloat16)), BRAIN, {}),
    "parameters that need gradients": (
        pt(lambda a: {name: torch.nn.Parameter(t) if t.is_floating_point() else t for name, t in tensors(a).items()}),
        SAFE, {},
    ),
    # what it is called
    ".bin": (pt(tensors, "pytorch_model.bin"), SAFE, {}),
    ".pth.tar": (pt(lambda a: {"state_dict": tensors(a)}, "model_best.pth.tar"), SAFE, {}),
    ".ckpt": (pt(tensors, "last.ckpt"), SAFE, {}),
    "without an ending": (pt(tensors, "weights"), SAFE, {}),
    "another ending": (st(tensors, "weights.pt"), SAFE, {}),
    "an archive with the ending of another": (npz(as_it_is, name="w.safetensors"), SAFE, {}),
    "before zip files": (pt(tensors, "old.pth", _use_new_zipfile_serialization=False), SAFE, {}),
    "a name with blanks": (pt(tensors, "my best weights (3).pt"), SAFE, {}),
    # several files
    "safetensors in shards": (shards("safetensors"), SAFE, {}),
    "bin in shards": (shards("bin"), SAFE, {}),
    "a folder of shards": (shards("safetensors", folder_only=True), SAFE, {}),
    # averages of TensorFlow
    "averages alone": (npz(average), SAFE, {}),
    "averages beside": (npz(average, lambda a: {name: OTHERS[name] for name in a}), SAFE, {"key": "averages"}),
    "variables beside averages": (
        npz(as_it_is, lambda a: {average(name): OTHERS[name] for name in a}), SAFE, {"key": "variables"},
    ),
    # ONNX
    "a model of ours": (model(lambda path: None), SAFE, {}),
    "a model with another format version": (model(older_ir), SAFE, {}),
    "a model that was made half": (model(in_half), HALF, {}),
    "a model with its tensors outside": (model(outside), SAFE, {}),
    "a model whose metadata were taken away": (model(own_metadata), SAFE, {}),
    "a model with a prefix": (model(prefixed), SAFE, {}),
    "a model with its tensors outside, by another spelling": (model(outside_by_dot), SAFE, {}),
    "a model of others": (foreign, SAFE, {}),
    "a model of others in bfloat16": (bfloat16, BRAIN, {}),
}  # fmt: skip


def chosen(path: Path, choice: Dict) -> Weights:
    return spinedsl.read_weights(path, **choice, hear=lambda diagnostics: None)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_whole_set(name: str, tmp_path: Path) -> None:
    write, most, choice = LAYOUTS[name]
    weights = chosen(write(tmp_path, ARRAYS), choice)
    fit = compare(PARAMETERS, weights.tensors, weights.prefix)
    assert fit.whole, fit.diagnostic("w", "Net").notes
    for parameter, array in fit.fitting().items():
        assert array.dtype == np.float32
        assert np.abs(array - ARRAYS[parameter]).max() <= most * np.abs(ARRAYS[parameter]).max(), parameter


@pytest.mark.parametrize("name", LAYOUTS)
def test_one_is_missing(name: str, tmp_path: Path) -> None:
    write, _, choice = LAYOUTS[name]
    partly = {key: array for key, array in ARRAYS.items() if key != GONE}
    weights = chosen(write(tmp_path, partly), choice)
    fit = compare(PARAMETERS, weights.tensors, weights.prefix)
    assert (fit.missing, fit.unexpected, fit.misfits, fit.unusable, fit.ways) == ((GONE,), (), {}, {}, {})


@pytest.mark.parametrize("name", LAYOUTS)
def test_converted_by_the_command(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write, _, choice = LAYOUTS[name]
    path, net, out = write(tmp_path, ARRAYS), tmp_path / "net.spine", tmp_path / "out.safetensors"
    net.write_text(NET)
    flags = [text for option, value in choice.items() for text in (f"--{option}", value)]
    assert main(["weights", "convert", str(path), str(net), "-o", str(out), *flags]) == 0
    err = capsys.readouterr().err
    assert "spine: 15 of 15 tensors of Net" in err
    assert "Traceback" not in err
    found = read(out).value
    assert found is not None
    assert found.sealed
    assert found.tensors.keys() == ARRAYS.keys()
    assert main(["compile", str(net), "--to", "onnx", "--weights", str(path), *flags, "-o", f"{out}.onnx"]) == 0


# ---- what has to be chosen ----


def refusal(path: Path, **choice: Any) -> list[str]:
    with pytest.raises(spinedsl.Mistakes) as found:
        spinedsl.load(Source.from_text(NET, "net.spine"), weights=chosen(path, choice))
    (said,) = found.value.diagnostics
    fixes = [fix.text for fix in said.fixes]
    return [f"{said.code.id} {said.message.replace(str(path), 'FILE')}", *said.notes, *fixes]


def test_which_of_several_sets_is_asked(tmp_path: Path) -> None:
    path = pt(lambda a: {"state_dict": tensors(a), "state_dict_ema": tensors(OTHERS)})(tmp_path, ARRAYS)
    count = sum(array.size for array in ARRAYS.values()) + 3
    assert refusal(path) == [
        "E0912 `FILE` holds 2 sets of tensors",
        f"`state_dict`: 18 tensors, {count:,} numbers",
        f"`state_dict_ema`: 18 tensors, {count:,} numbers",
        "choose one: `--key state_dict`",
    ]
    assert refusal(path, key="state_dict_em") == [
        "E0913 `FILE` has no set of tensors `state_dict_em`: it has `state_dict` and `state_dict_ema`",
        "did you mean `state_dict_ema`?",
    ]
    plain = pt(tensors, "plain.pt")(tmp_path, ARRAYS)
    assert refusal(plain, key="model")[0].startswith("E0913 `FILE` has no set of tensors `model`: it has one set")


def test_which_of_several_prefixes_is_asked(tmp_path: Path) -> None:
    path = pt(lambda a: {**tensors(a, "student."), **tensors(OTHERS, "teacher.")})(tmp_path, ARRAYS)
    assert refusal(path) == [
        "E0914 the names in `FILE` fit network `Net` in 2 ways",
        "names without `student.`: 15 tensors fit",
        "names without `teacher.`: 15 tensors fit",
        "say which: `--prefix student.`",
    ]


def test_names_of_others_are_mapped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def theirs(name: str) -> str:
        return name.replace("s.enter.", "stem.").replace("b.", "layer1.0.", 1)

    path = pt(lambda a: {**{theirs(name): t for name, t in tensors(a).items()}, "extra.w": torch.ones(2)})(
        tmp_path, ARRAYS
    )
    net, out, names = tmp_path / "net.spine", tmp_path / "out.safetensors", tmp_path / "names.json"
    net.write_text(NET)
    convert = ["weights", "convert", str(path), str(net), "-o", str(out)]
    assert main(convert) == 1
    assert main([*convert, "--map", "stem.*=s.enter.*", "--map", "layer1.0.*=b.*", "--map", "extra.*="]) == 0
    assert read(out).ok
    names.write_text(json.dumps({"stem.*": "s.enter.*", "layer1.0.*": "b.*", "extra.*": ""}))
    assert main([*convert, "--map", str(names)]) == 0
    capsys.readouterr()
    for pattern, said in {
        "stem.*=s.*.*": "`stem.*` has 1 `*`, and `s.*.*` has 2",
        "nothing.*=s.*": "`nothing.*` is the name of no tensor in the file",
        "*.weight=w": "",
    }.items():
        assert main([*convert, "--map", pattern]) == 2
        assert said in capsys.readouterr().err
    for pattern in ("stem", "=s", str(tmp_path / "none.json"), str(net.with_suffix(".json"))):
        with pytest.raises(SystemExit):
            main([*convert, "--map", pattern])
        assert "spine weights convert: " in capsys.readouterr().err


# ---- what is refused by name ----

HEADS: dict[str, tuple[str, bytes, str]] = {
    "Git LFS": (
        "w.safetensors",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n",
        "a pointer of Git LFS",
    ),
    "Keras": ("w.h5", b"\x89HDF\r\n\x1a\n" + bytes(64), "an HDF5 file"),
    "gzip": ("w.pt", b"\x1f\x8b\x08" + bytes(64), "compressed by gzip"),
    "one array": ("w.npz", b"\x93NUMPY\x01\x00" + bytes(64), "one array of NumPy"),
    "GGUF": ("w.bin", b"GGUF" + bytes(64), "a GGUF file"),
    "a web page": ("w.pth", b"<!DOCTYPE html><html>404</html>", "a web page"),
    "TensorFlow's index": (
        "model.ckpt.index",
        bytes(64) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb",
        "a TensorFlow checkpoint",
    ),
    "TensorFlow's data": ("model.ckpt.data-00000-of-00001", bytes(64), "a TensorFlow checkpoint"),
    "a .spine file": ("net.spine", NET.encode(), "a `.spine` file"),
    "a tar archive": ("w.pt", bytes(257) + b"ustar" + bytes(250), "a tar archive"),
    "nothing": ("weights", b"", "empty"),
    "anything": ("weights.xyz", b"hello, world", "no kind of file that is known here"),
}


@pytest.mark.parametrize("name", HEADS)
def test_other_files_are_refused_by_name(name: str, tmp_path: Path) -> None:
    file, data, what = HEADS[name]
    path = tmp_path / file
    path.write_bytes(data)
    said = refusal(path)
    assert said[0].startswith("E0902 `FILE` is no weights file: it is ")
    assert what in said[0]
    assert len(said) == 2


def test_programs_and_models_are_refused_by_name(tmp_path: Path) -> None:
    for member, what in {"model.weights.h5": "a model of Keras", "x/constants.pkl": "a program of TorchScript"}.items():
        path = tmp_path / "w.pt"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(member, b"x")
        assert what in refusal(path)[0]


BAD_INDICES: dict[str, tuple[Any, str]] = {
    "above": ({"a": "../w.safetensors"}, "it names a file that is not beside it"),
    "absolute": ({"a": "/etc/passwd"}, "it names a file that is not beside it"),
    "gone": ({"a": "none.safetensors"}, "`none.safetensors` is not beside it"),
    "itself": ({"a": "w.safetensors.index.json"}, "it names another index"),
    "a number": ({"a": 1}, "it is no index"),
    "no map": (None, "it is no index"),
}


@pytest.mark.parametrize("name", BAD_INDICES)
def test_bad_indices(name: str, tmp_path: Path) -> None:
    files, said = BAD_INDICES[name]
    path = tmp_path / "w.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": files} if files else {}))
    assert refusal(path)[0].startswith(f"E0903 `FILE` is not a valid weights file: {said}")


def test_shards_hold_what_the_index_says(tmp_path: Path) -> None:
    index = shards("safetensors")(tmp_path, ARRAYS)
    listed = json.loads(index.read_text())
    first = next(iter(listed["weight_map"]))
    listed["weight_map"]["model.more"] = listed["weight_map"][first]
    index.write_text(json.dumps(listed))
    assert "lacks `model.more`" in refusal(index)[0]
    del listed["weight_map"]["model.more"], listed["weight_map"][first]
    index.write_text(json.dumps(listed))
    assert f"holds `{first}`, which it does not list there" in refusal(index)[0]


@pytest.mark.parametrize(
    "write", [st(tensors), foreign, shards("safetensors"), shards("safetensors", folder_only=True)]
)
def test_a_key_of_what_is_one_set_is_refused(write: Writer, tmp_path: Path) -> None:
    """Nothing would read it."""
    said = refusal(write(tmp_path, ARRAYS), key="ema")
    assert said[0].startswith("E0913 ")
    assert said[0].endswith("has no set of tensors `ema`: it has one set of tensors, without a name")
    assert said[1] == "leave out the key"


# Files in a folder that somebody else has to join or dump first.
PARTS = {
    ".metadata": ("a distributed checkpoint of PyTorch", "dcp_to_torch FOLDER w.pt"),
    "zero_to_fp32.py": ("a checkpoint of DeepSpeed", "python zero_to_fp32.py . w.pt"),
    "saved_model.pb": ("a model of TensorFlow", "`spine weights convert --help` says how to dump"),
    "checkpoint": ("a folder of TensorFlow's checkpoints", "`spine weights convert --help` says how to dump"),
}


@pytest.mark.parametrize("name", PARTS)
def test_checkpoints_in_parts_are_refused_by_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"x")
    (tmp_path / "__0_0.distcp").write_bytes(b"x")
    what, repair = PARTS[name]
    said = refusal(tmp_path)
    assert said[0] == f"E0902 `FILE` is no weights file: it is {what}"
    assert repair in said[1]
    pt(tensors, "one.pt")(tmp_path, ARRAYS)  # beside what was joined already
    assert chosen(tmp_path, {}).path.endswith("one.pt")


def test_folders(tmp_path: Path) -> None:
    assert refusal(tmp_path) == [
        "E0902 `FILE` is no weights file: it is a folder without weights",
        "name a file of weights",
    ]
    pt(tensors, "one.pt")(tmp_path, ARRAYS)
    assert chosen(tmp_path, {}).path.endswith("one.pt")
    pt(tensors, "two.pt")(tmp_path, ARRAYS)
    assert refusal(tmp_path)[1] == "name the file: `one.pt` or `two.pt`"
    st(tensors, "model.safetensors")(tmp_path, ARRAYS)
    assert chosen(tmp_path, {}).path.endswith("model.safetensors")


# ---- what is said of what was taken ----


def test_what_was_taken_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = pt(lambda a: {"model": {**tensors(a, "module.backbone."), "module.head.w": torch.ones(2)}})
    path, net = content(tmp_path, ARRAYS), tmp_path / "net.spine"
    net.write_text(NET)
    out = str(tmp_path / "out")
    for command in (
        ["weights", "convert", str(path), str(net), "-o", f"{out}.safetensors"],
        ["weights", "verify", str(path), str(net)],
        ["compile", str(net), "--to", "onnx", "--weights", str(path), "-o", f"{out}.onnx"],
    ):
        assert main(command) == 0
        err = capsys.readouterr().err
        assert f"spine: {path} keeps its tensors under `model`\n" in err
        assert f"spine: {path}: names without `module.backbone.`; 1 beside it left out: `module.head.w`\n" in err


def test_a_model_that_changed_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = model(older_ir)(tmp_path, ARRAYS)
    with pytest.warns(UserWarning, match="has changed since it was written: its tensors are as they were"):
        weights = spinedsl.read_weights(path)
    assert (weights.changed, weights.sealed) == (True, False)
    assert main(["weights", "verify", str(path)]) == 0
    told = capsys.readouterr()
    assert "warning[W0902]" in told.err
    assert "changed since" in told.out
    half = model(in_half)(tmp_path, ARRAYS)
    with pytest.warns(UserWarning, match="its tensors have other names, shapes or types"):
        spinedsl.read_weights(half)


def test_damage_is_no_change(tmp_path: Path) -> None:
    """The same names and shapes with other numbers."""

    def damage(path: Path) -> None:
        held = onnx.load(path)
        raw = bytearray(held.graph.initializer[0].raw_data)
        raw[3] ^= 1
        held.graph.initializer[0].raw_data = bytes(raw)
        onnx.save(held, path)

    assert refusal(model(damage)(tmp_path, ARRAYS))[0].startswith("E0908 `FILE` is damaged")


def test_tensors_beside_a_model(tmp_path: Path) -> None:
    """They are read from an ordinary file beside it, and from nowhere else."""
    path = tmp_path / "net.onnx"
    files = spinedsl.compile(
        Source.from_text(NET, "net.spine"), to="onnx", weights=Weights("w", ARRAYS), external_data="always", optimise=0
    )
    (first, data), name = files.values(), [*files][1]
    beside = tmp_path / name
    path.write_bytes(first)
    assert f"`{name}`, with the numbers of" in refusal(path)[0]
    beside.write_bytes(data)
    assert chosen(path, {}).sealed
    beside.write_bytes(data[:-5000])
    assert "ends before the numbers of" in refusal(path)[0]
    beside.write_bytes(data[:9] + bytes([data[9] ^ 1]) + data[10:])
    assert refusal(path)[0].startswith("E0908")
    beside.unlink()
    (tmp_path / "elsewhere").write_bytes(data)
    beside.symlink_to(tmp_path / "elsewhere")
    assert "is a link or no ordinary file" in refusal(path)[0]
    beside.unlink()
    beside.hardlink_to(tmp_path / "elsewhere")
    assert "is a link or no ordinary file" in refusal(path)[0]


BESIDE = "it keeps the numbers of `s.enter.conv.weight` in a file that is not beside it"
ELSEWHERE: dict[str, tuple[str, Dict, str]] = {
    "above": ("../w.data", {}, BESIDE),
    "absolute": ("/etc/passwd", {}, BESIDE),
    "below": ("sub/w.data", {}, BESIDE),
    "below, as Windows writes it": ("sub\\w.data", {}, BESIDE),
    "nowhere": ("", {}, BESIDE),
    "the folder": (".", {}, BESIDE),
    "gone": ("none.data", {}, "`none.data`, with the numbers of `s.enter.conv.weight`, is not beside it"),
    "too long a name": ("x" * 300, {}, f"`{'x' * 60}"),
    "no name": ("a\0b", {}, "is not beside it"),
    "a folder beside it": (
        "sub",
        {},
        "`sub`, with the numbers of `s.enter.conv.weight`, is a link or no ordinary file",
    ),
    "a link": ("link.data", {}, "is a link or no ordinary file"),
    "a pipe": ("pipe.data", {}, "is a link or no ordinary file"),
    "before the beginning": ("w.data", {"offset": "-4"}, "it keeps numbers in another file, at no place there"),
    "behind the end": (
        "w.data",
        {"offset": "999999999"},
        "`w.data` ends before the numbers of `s.enter.conv.weight` do",
    ),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_tensors_that_a_tool_moved_are_no_damage(name: str, tmp_path: Path) -> None:
    """What is wrong with the place is said, and nothing there is read."""
    location, entries, reason = ELSEWHERE[name]
    path = model(outside)(tmp_path, ARRAYS)
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.data").symlink_to("w.data")
    os.mkfifo(tmp_path / "pipe.data")
    moved(path, location, **entries)
    said = refusal(path)
    assert said[0].startswith("E0903 `FILE` is not a valid weights file: ")
    assert reason in said[0]
    assert said[1:] == ["keep the files of a model together in one folder"]


# ---- what tools that make models smaller or faster leave ----


def folded(arrays: Arrays) -> Dict:
    """As after folding: convolutions with a bias, no batch norm."""
    kernels = {name: array for name, array in arrays.items() if array.ndim == 4}
    biases = {f"{name.removesuffix('weight')}bias": np.zeros(len(array), "f4") for name, array in kernels.items()}
    return {name: torch.from_numpy(np.array(array)) for name, array in {**kernels, **biases}.items()}


def quantised(arrays: Arrays) -> Dict:
    """As after rounding to 8 bits: under other names, with scales."""
    kernels = {f"{name}_quantized": torch.ones(array.shape, dtype=torch.int8)
               for name, array in arrays.items() if array.ndim == 4}  # fmt: skip
    return {**{name: tensor for name, tensor in tensors(arrays).items() if tensor.ndim < 4}, **kernels}


CAUSES: dict[str, tuple[Callable[[Arrays], Dict], str]] = {
    "folded": (
        folded,
        "it has no batch norms: where a tool folded them, take the weights from before that",
    ),
    "quantised": (quantised, "its tensors are quantised to whole numbers: take the weights from before that"),
    "neither": (lambda a: {name: t for name, t in tensors(a).items() if name != GONE}, ""),
    "a small part": (lambda a: {"s.enter.conv.bias": torch.ones(4)}, ""),
}


@pytest.mark.parametrize("name", CAUSES)
def test_what_made_weights_unfit_is_said(name: str, tmp_path: Path) -> None:
    content, cause = CAUSES[name]
    said = refusal(st(content)(tmp_path, ARRAYS))
    assert said[0].startswith("E0901 ")
    fixes = [line for line in said[1:] if not line.startswith(("missing: ", "unexpected: ", "misfit: "))]
    assert len(fixes) == bool(cause)
    assert all(fix.startswith(cause) for fix in fixes)


def test_a_long_name_is_cut(tmp_path: Path) -> None:
    said = refusal(st(lambda a: {**tensors(a), "x" * 100_000: torch.ones(3)})(tmp_path, ARRAYS))
    assert said[1] == f"unexpected: `{'x' * 200}…` (3)"


def test_a_pickle_of_something_else_says_what_to_save(tmp_path: Path) -> None:
    path = tmp_path / "w.pkl"
    path.write_bytes(pickle.dumps(dict(ARRAYS)))
    assert refusal(path) == [
        "E0904 `FILE` is not a plain state dict: it is a pickle of something else",
        "save `model.state_dict()` and nothing else, best as `.safetensors`",
    ]
