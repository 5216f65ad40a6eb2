"""What a file of weights is, by its first bytes: endings are names that people give.

In: a path. Out: the kind of the file, one of `KINDS`, or the words for what it is instead. Nothing is imported that
would have to be installed, and at most a few kilobytes are read. Of bytes that were named instead of a text, words too.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

SAFETENSORS, NPZ, ONNX, PYTORCH, INDEX, FOLDER = "safetensors", "npz", "onnx", "pytorch", "index", "folder"
KINDS = (SAFETENSORS, NPZ, ONNX, PYTORCH, INDEX, FOLDER)

# By the ending, where the first bytes do not tell: a damaged file is still reported as what its name says.
ENDINGS: Mapping[str, str] = {
    ".safetensors": SAFETENSORS,
    ".npz": NPZ,
    ".onnx": ONNX,
    ".pt": PYTORCH,
    ".pth": PYTORCH,
    ".ckpt": PYTORCH,
    ".bin": PYTORCH,
    ".tar": PYTORCH,
    ".index.json": INDEX,
}
HEAD = 512  # bytes that tell

# What people mistake for weights, or save them in: how it begins, and what to say.
_DUMP = "`spine weights convert --help` says how to dump its variables to `.npz`"
_UNPACK = "unpack it first"
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "fetch it with `git lfs pull`"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes them", _DUMP),
    (b"\x1f\x8b", "compressed by gzip", _UNPACK),
    (b"BZh", "compressed by bzip2", _UNPACK),
    (b"\xfd7zXZ", "compressed by xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", _UNPACK),
    (b"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (b"\x93NUMPY", "one array of NumPy, which has no name", 'save it in an archive: `numpy.savez("w.npz", **arrays)`'),
    (b"GGUF", "a GGUF file", "save the tensors as `.safetensors`"),
    (b"<!DOCTYPE", "a web page, perhaps of an error", "fetch the file again, and look at what comes"),
    (b"<!doctype", "a web page, perhaps of an error", "fetch the file again, and look at what comes"),
    (b"<html", "a web page, perhaps of an error", "fetch the file again, and look at what comes"),
    (b"spine ", "a `.spine` file", "give the weights first, and then the network"),
)
# The same of what is no weights either.
_NO_TEXTS: tuple[tuple[bytes, str], ...] = (
    (b"SQLite format 3", "an SQLite database: `--study` takes those"),
    (b"PK\x03\x04", "a zip archive, as PyTorch writes weights"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)
_TABLE = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"  # ends the index of a TensorFlow checkpoint
_MODEL = tuple(bytes([field]) for field in b"\x12\x1a\x22\x3a\x42\x72")  # of ONNX, after its `ir_version`
_TENSORFLOW = "part of a TensorFlow checkpoint"


# What `save_pretrained` writes, the first that is there.
_USUAL = ("model.safetensors.index.json", "model.safetensors", "pytorch_model.bin.index.json", "pytorch_model.bin")
INDEX_END = ".index.json"


# Folders of checkpoints in parts, which the tool that wrote them joins: a file in it, what it is, and what to do.
_IN_PARTS = (
    (
        ".metadata",
        "a distributed checkpoint of PyTorch",
        "join it: `python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER w.pt`",
    ),
    ("zero_to_fp32.py", "a checkpoint of DeepSpeed", "join it: `python zero_to_fp32.py . w.pt` in that folder"),
    ("saved_model.pb", "a model of TensorFlow", _DUMP),
    ("checkpoint", "a folder of TensorFlow's checkpoints", _DUMP),
)


class Unknown(Exception):
    """The file is none of the kinds: `what` it is, and what to do."""

    def __init__(self, what: str, repair: str) -> None:
        self.what, self.repair = what, repair
        super().__init__(f"{what}: {repair}")


def kind_of(path: str | os.PathLike[str]) -> str:
    """The kind of a weights file.

    Raises:
        Unknown: it is of none.
        OSError: it cannot be opened.
    """
    file = Path(path)
    mode = file.stat().st_mode
    if stat.S_ISDIR(mode):
        return FOLDER
    named = ENDINGS.get(".index.json" if file.name.endswith(".index.json") else file.suffix.lower())
    if not stat.S_ISREG(mode):  # a pipe or a device, which may never end: the reader says so
        return named or PYTORCH
    with file.open("rb") as opened:
        head, size = opened.read(HEAD), os.fstat(opened.fileno()).st_size
        opened.seek(max(size - len(_TABLE), 0))
        tail = opened.read(len(_TABLE))
    for beginning, what, repair in _OTHERS:
        if head.startswith(beginning):
            raise Unknown(what, repair)
    if tail == _TABLE or ".data-0000" in file.name:
        raise Unknown(_TENSORFLOW, _DUMP)
    found = _by_head(file, head, size)
    if found is None and named is None:
        known = "`.safetensors`, `.npz`, `.onnx`, or what PyTorch saves"
        raise Unknown("empty" if not head else "no kind of file that is known here", f"weights are {known}")
    return found or named or PYTORCH


def seems(head: bytes) -> str:
    """What a file seems to be that is no text, in words, by how it begins; empty if nothing is known."""
    if _is_model(head):
        return "an ONNX model"
    if head[8:9] == b"{":
        return "a `.safetensors` file"
    known = (*_NO_TEXTS, *((beginning, what) for beginning, what, _ in _OTHERS))
    return next((what for beginning, what in known if head.startswith(beginning)), "")


def in_folder(folder: Path) -> Path | None:
    """The weights in a folder: what `save_pretrained` writes, or the only file of weights there; None if not one."""
    for name in _USUAL:
        if (folder / name).is_file():
            return folder / name
    found = weights_in(folder)
    return found[0] if len(found) == 1 else None


def in_parts(folder: Path) -> Unknown | None:
    """What a folder is that somebody else has to join or dump first; None if it is none of those."""
    found = ((what, repair) for name, what, repair in _IN_PARTS if (folder / name).is_file())
    return next((Unknown(what, repair) for what, repair in found), None)


def weights_in(folder: Path) -> list[Path]:
    """The files of a folder that are called as weights are; where there are indices, those alone."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    indices = [file for file in files if file.name.endswith(INDEX_END)]
    return indices or [file for file in files if file.suffix.lower() in ENDINGS]


def _by_head(file: Path, head: bytes, size: int) -> str | None:
    """What the bytes say; None if nothing."""
    if head.startswith(b"PK\x03\x04"):
        return _archive(file)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= size - 8:
        return SAFETENSORS
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return PYTORCH  # a pickle
    if head[257:262] == b"ustar":
        raise Unknown("a tar archive", "unpack it first; PyTorch's own before 0.2 are to be loaded and saved again")
    if head.lstrip()[:1] == b"{":
        return INDEX if b"weight_map" in head or file.name.endswith(".index.json") else None
    return ONNX if _is_model(head) else None


def _is_model(head: bytes) -> bool:
    return head[:1] == b"\x08" and b"\0" < head[1:2] < b"@" and head[2:3] in _MODEL


def _archive(file: Path) -> str | None:
    """PyTorch and NumPy both write zip archives; so does Keras."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    if any(name.endswith(".weights.h5") for name in names):
        raise Unknown("a model of Keras", _DUMP)
    if any(name.rpartition("/")[2] == "constants.pkl" for name in names):
        raise Unknown("a program of TorchScript, which is code", "save `model.state_dict()` instead")
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        return PYTORCH
    return NPZ if any(name.endswith(".npy") for name in names) else None
