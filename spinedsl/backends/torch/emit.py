"""Emit: from a `Program` to one Python file that needs only PyTorch.

In: a program, and perhaps a host. Out: the bytes of the file, the same for the same program; for a host, one that needs
the host too. Templates hold the layout; the lines come from `classes` (the definitions), `network` (the rows),
`helpers.py` (copied as it stands) and `adapters` (the host).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from functools import cache
from textwrap import dedent, wrap
from typing import TYPE_CHECKING

from spinedsl.backends.torch.adapters import ADAPTERS, STANDARD, fields, imported, narrowed, reserved_names
from spinedsl.backends.torch.classes import classes_of
from spinedsl.backends.torch.copied import FOLDING, definitions_in
from spinedsl.backends.torch.detect import BOXES, write_detect
from spinedsl.backends.torch.initial import Rules
from spinedsl.backends.torch.layout import WIDTH
from spinedsl.backends.torch.names import file_name, prose, python_name
from spinedsl.backends.torch.network import write_network
from spinedsl.backends.torch.parts import parts_of
from spinedsl.ops.detection import Detector, Limits
from spinedsl.ops.program import Program

if TYPE_CHECKING:
    from jinja2 import Environment

_IMPORTS = (  # a line is written if one of its names is used
    ("import functools", ("functools",)),
    ("import math", ("math",)),
    ("import warnings", ("warnings",)),
    ("from collections import OrderedDict", ("OrderedDict",)),
    ("from zlib import crc32", ("crc32",)),
)
_TORCH_IMPORTS = (
    ("import torch", ("torch",)),
    ("import torch.nn.functional as F", ("F",)),
    ("from torch import Tensor, nn", ("Tensor", "nn")),
)


HELPERS = "helpers.py"
_LAST = ("hashed", "uniform", "truncated_normal")  # what `reset` needs stands after the network


def emit_module(
    program: Program, *, adapter: str = "", verified: str = "", finding: tuple[Detector, Limits] | None = None
) -> bytes:
    """The network as the text of a Python module, in UTF-8.

    For a host, with a sentence of what was verified, and with a method `detect` of what is to be found.
    """
    taken = reserved_names(adapter) if adapter else set()
    detect = [*write_detect(*finding)] if finding else []
    if detect:
        taken |= {*definitions_in(BOXES)}
    name = python_name(program.name, taken)
    taken.add(name)
    filled = fields(program, adapter, name, taken) if adapter else {}
    taken.update(filled[key] for key in (ADAPTERS[adapter].defines if adapter else ()))
    rules = Rules.of(program)
    classes = classes_of(program, rules, taken)
    method = ADAPTERS[adapter].method if adapter else ""
    parts, around = parts_of(program, classes, taken)
    network = write_network(around, name, rules, method=method)
    network += ["", *detect] if detect else []
    blocks = [c.text for c in classes if c.is_function] + [c.text for c in classes if not c.is_function]
    blocks += [*(part.text for part in parts), network]
    used = _names_in("\n".join("\n".join(block) for block in blocks))
    helpers = _helpers_for(used, HELPERS)
    used = used.union(*(_names_of_helper(name, HELPERS) for name in helpers))
    if detect:
        finds = _helpers_for(_names_in(dedent("\n".join(detect))), BOXES)
        used = used.union(*(_names_of_helper(name, BOXES) for name in finds))
        blocks = [*finds.values(), *blocks]
    blocks = [
        *(text for name, text in helpers.items() if name not in _LAST),
        *blocks,
        *(text for name, text in helpers.items() if name in _LAST),
    ]
    environment = _templates()
    if adapter:
        below = environment.get_template(f"adapters/{adapter}.jinja").render(filled)
        blocks.append(below.splitlines())
        used |= _names_in(below)
    standard = [(narrowed(line, used), imported(line)) for line in STANDARD]
    hosts = [(line, imported(line)) for line in ADAPTERS[adapter].imports] if adapter else []
    return _file(
        program, name, blocks, verified, f"torch and {adapter}" if adapter else "only torch",
        (*_IMPORTS, *standard), (*_TORCH_IMPORTS, *hosts), used,
    ).encode()  # fmt: skip


def emit_inference(program: Program, *, verified: str = "", finding: tuple[Detector, Limits] | None = None) -> bytes:
    """The network for inference, as `inference` says, as the text of a Python module."""
    from spinedsl.backends.torch.inference import write_inference  # noqa: PLC0415  its passes need NumPy

    detect = [*write_detect(*finding)] if finding else []
    name = python_name(program.name, {*definitions_in(FOLDING), *definitions_in(BOXES)})
    network = write_inference(program, name) + (["", *detect] if detect else [])
    used = _names_in("\n".join(network))
    copied: dict[str, list[str]] = {}
    for file in (HELPERS, FOLDING, *((BOXES,) if finding else ())):
        found = _helpers_for(used, file)
        used = used.union(*(_names_of_helper(one, file) for one in found))
        copied |= found
    after = {*definitions_in(FOLDING)} - {"Folded"}  # what makes tensors stands after the network
    blocks = [*(text for one, text in copied.items() if one not in after), network]
    blocks += [text for one, text in copied.items() if one in after]
    return _file(program, name, blocks, verified, "only torch", _IMPORTS, _TORCH_IMPORTS, used).encode()


def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    return Environment(
        loader=PackageLoader("spinedsl.backends.torch"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - it is Python, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _file(
    program: Program,
    name: str,
    blocks: Sequence[Sequence[str]],
    verified: str,
    needs: str,
    imports: Iterable[tuple[str, Sequence[str]]],
    torch_imports: Iterable[tuple[str, Sequence[str]]],
    used: set[str],
) -> str:
    """The text of a module: its head, what it imports of what `used` names, and its definitions."""
    return (
        _templates()
        .get_template("model.py.jinja")
        .render(
            name=name,
            source=file_name(program.loc.file),
            input=f"{prose(program.input_name)}: {program.input_type.channels} channels, {_sizes(program)}",
            verified=wrap(f"Verified: {prose(verified, limit=1000)}.", WIDTH) if verified else [],
            needs=needs,
            imports=_sorted(line for line, names in imports if used.intersection(names)),
            torch_imports=_sorted(line for line, names in torch_imports if used.intersection(names)),
            blocks=blocks,
        )
    )


def _sorted(imports: Iterable[str]) -> list[str]:
    """As import sorters want them: whole modules first, each group by module."""
    return sorted(imports, key=lambda line: (line.startswith("from "), line.split()[1]))


def _sizes(program: Program) -> str:
    """The legal sizes of the input."""
    axes = {"height": program.input_type.height, "width": program.input_type.width}
    sizes = [f"{axis} {size}" for axis, size in axes.items() if axis in program.static_axes]
    free = [axis for axis in axes if axis not in program.static_axes]
    if free:
        axes_left = " and ".join(free)
        sizes.append(f"any {axes_left}" if program.any_size else f"{axes_left} divisible by {program.divisor}")
    made_for = "" if not free else f" (written for {program.input_type.size})"
    return ", ".join(sizes) + made_for


def _names_in(text: str) -> set[str]:
    """Every name that some Python reads or writes."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


@cache
def _names_of_helper(name: str, file: str) -> frozenset[str]:
    """The names that a helper of a file reads or writes."""
    return frozenset(_names_in("\n".join(definitions_in(file)[name])))


def _helpers_for(names: set[str], file: str) -> dict[str, list[str]]:
    """The definitions of a file behind some names, and those that these need."""
    helpers = definitions_in(file)
    found: set[str] = set()
    while more := {name for name in names if name in helpers} - found:
        found |= more
        names = set().union(*(_names_of_helper(name, file) for name in more))
    return {name: text for name, text in helpers.items() if name in found}
