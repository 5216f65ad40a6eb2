"""Backends: from a `Program` to files. Each is a folder, named here, and imported only when it is asked for.

A backend's folder has `emit(program, options) -> Outcome[{file name: bytes}]` and, where it writes operations, a table
keyed by the names of the primitives; a test asks it for every one. None knows another, and all see `ops` only, never
the language. Its file in `tables/` says which options it takes, with their values and help, and what to do instead of
giving it another: Python and the command line take them from there, and refuse by that.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast, get_args

from spinedsl.backends.option import Declared
from spinedsl.diagnostics import Outcome
from spinedsl.ops.detection import MOST, OVERLAP, SCORE, TOP
from spinedsl.ops.program import Program
from spinedsl.ops.types import Loc
from spinedsl.record import Record
from spinedsl.source import Source, Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

Target: TypeAlias = Literal["torch", "onnx", "mermaid"]
Axis: TypeAlias = Literal["batch", "height", "width"]
Runtime: TypeAlias = Literal["onnxruntime", "openvino"]
External: TypeAlias = Literal["auto", "always", "never"]
Adapter: TypeAlias = Literal["timm", "torchvision", "transformers", "detectron2", "mmdet"]

AXES: tuple[Axis, ...] = get_args(Axis)
OPSETS = range(13, 24)  # versions of ONNX's operators that a model can be written in
DEFAULT_OPSET = 18
OPTIMISE = (0, 1, 2)  # levels of exact passes over the graph of a model
RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)  # what a model of level 2 can be for
EXTERNAL: tuple[External, ...] = get_args(External)  # whether the tensors of a model stand in a second file
ADAPTERS: tuple[Adapter, ...] = get_args(Adapter)


class Options(Record):
    """What may be asked of a backend: tensors by canonical name or a seed for them, and the axes that stay open.

    `opset`, `batch`, `half` and `external_data` say what an ONNX model is written for, `optimise` which passes its
    graph goes through, and `runtime` what the last of these are for. `adapter` is a host that the PyTorch file shall
    fit into, `inference` says that it is not to be trained. With `detect` what is compiled finds
    boxes: `task` says by which task of the network, `score`, `top`, `overlap` and `max_detections` what is kept, as
    `ops.detection.Limits` has it. `origin` says where the tensors come from, and `verified` what was found to agree,
    for the record. `properties` are what else an ONNX model says of itself.
    """

    weights: Mapping[str, NDArray[Any]] | None = None
    origin: str = ""
    seed: int = 0
    dynamic: frozenset[str] = frozenset()
    adapter: str = ""
    inference: bool = False
    verified: str = ""
    properties: Mapping[str, str] = {}
    opset: int = DEFAULT_OPSET
    batch: int = 1
    half: bool = False
    external_data: str = "auto"
    optimise: int = 0
    runtime: str = ""
    detect: bool = False
    task: str = ""
    score: float = SCORE
    top: int = TOP
    overlap: float = OVERLAP
    max_detections: int = MOST


class Backend(Protocol):
    """What a backend's folder offers."""

    def emit(self, program: Program, options: Options) -> Outcome[dict[str, bytes]]:
        """The files of a network."""


BACKENDS: tuple[Target, ...] = get_args(Target)  # each a folder here
IN_VERIFYING = ("weights", "seed")  # options that are also read by what `verify` runs


def declared(name: str) -> Declared:
    """What a backend says of itself. Nothing heavy is imported for it."""
    found = import_module(f"{__name__}.tables.{name}").DECLARED
    assert isinstance(found, Declared)
    return found


def backend(name: str) -> Backend:
    """The backend of that name."""
    return cast(Backend, import_module(f"{__name__}.{name}"))


def line_of(program: Program, loc: Loc) -> Span:
    """A line of a file that the program was made from, to say something of it."""
    text = next((source.text for source in program.sources if source.name == loc.file), "")
    source = Source(loc.file, text)
    line = min(loc.line, len(source.line_starts))
    start, content = source.line_starts[line - 1], source.line_text(line)
    return source.span(start + len(content) - len(content.lstrip()), start + len(content.rstrip()))
