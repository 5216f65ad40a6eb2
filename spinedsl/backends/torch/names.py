"""The one way for a name or a text of a `.spine` file into generated code.

In: a name as the file has it, and the names already taken where it will stand. Out: a Python identifier that clashes
with nothing. Text (comments, file names) comes through `prose`, which leaves nothing that could end a docstring.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Container
from pathlib import PurePath

from spinedsl.ops.types import Loc

# What the head of a generated file defines, and the definitions that it may copy from `helpers.py`.
MODULE_NAMES = frozenset(
    """
    F OrderedDict Tensor crc32 functools math nn self torch warnings
    ChannelConv1d Constant LayerNorm2d Looped Repeated RepeatedAtSizes SameConv2d SamePaddedConv2d ScaledConv2d
    StandardisedConv2d Trainable
    add_up average_pool chain check_fixed check_size concat crop crop_to hashed leave_out level_sizes resize_nearest
    same_average_pool same_pad same_padding stochastic_depth truncated_normal uniform
    """.split()
)
_RESERVED = MODULE_NAMES | frozenset(keyword.kwlist) | frozenset(dir(builtins)) | {"l", "O", "I"}  # easily misread


def python_name(name: str, taken: Container[str] = ()) -> str:
    """`name` as an identifier that is no keyword, builtin or name of the module; `_` is added until it is free."""
    if not (name.isascii() and name.isidentifier()):
        raise ValueError(f"not an identifier: {name!r}")
    if name.startswith("__") or name == "_":  # inside a class Python would make `_Class__name` of it
        name = f"_{name.strip('_') or 'x'}"
    while name in _RESERVED or name in taken:
        name += "_"
    return name


def class_name(name: str) -> str:
    """`resnet_stem` as `ResnetStem`."""
    camel = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    return camel if camel.isidentifier() else f"Block{camel}"


def attribute(name: str) -> str:
    """`name` itself, for a submodule: checking refused those that cannot be one."""
    if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name):
        raise ValueError(f"not an identifier: {name!r}")
    return name


def member(name: str) -> str:
    """The place of a row's submodule: that of a row of a part, `n1.P4`, is in the submodule of the part."""
    return ".".join(map(attribute, name.split(".")))


def place(loc: Loc) -> str:
    """A line of a file, whatever folder the file was read from; of the prelude, with its module."""
    return f"{prose(file_name(loc.file))}:{loc.line}"


def file_name(name: str) -> str:
    """A file without its folder, so that the same program gives the same text wherever it is compiled."""
    return prose(name if name.startswith("std/") else PurePath(name.replace("\\", "/")).name)


def prose(text: str, limit: int = 100) -> str:
    """`text` as a part of a docstring: printable ASCII on one line, without double quotes or backslashes."""
    readable = text.replace("\\", "/").replace('"', "'")
    line = re.sub(r"\s+", " ", re.sub(r"[^\x20-\x7e]", " ", readable)).strip()
    if len(line) <= limit:
        return line
    kept = line[: limit - 3]
    return (kept.rpartition(" ")[0].rstrip(" ,;") or kept) + "..."
