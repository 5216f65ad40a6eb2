"""What generated Python may consist of. Anything else in it, however it came there, is said."""

from __future__ import annotations

import ast
import builtins
import io
import re
import tokenize
from collections.abc import Iterator

NODES = frozenset(
    """
    Add And AnnAssign Assign Attribute AugAssign BinOp BitAnd BitOr BitXor BoolOp Call ClassDef Compare Constant
    Dict DictComp Div Eq Expr FloorDiv For FormattedValue FunctionDef GeneratorExp Gt GtE If IfExp ImportFrom Import
    Invert Is IsNot JoinedStr List ListComp Load LShift Lt LtE Mod Module Mult Name Not NotEq NotIn Or Pow RShift
    Raise Return Slice Starred Store Delete Del In Sub Subscript Tuple USub UnaryOp While With alias arg arguments
    comprehension keyword withitem
    """.split()
)
IMPORTS = frozenset(
    {
        "import functools",
        "import math",
        "import warnings",
        "from collections import OrderedDict",
        "from collections.abc import Iterator",
        "from zlib import crc32",
        "import torch",
        "import torch.nn.functional as F",
        "from torch import Tensor, nn",
    }
)
BUILTINS = frozenset(
    "ValueError all bool dict enumerate float getattr hasattr int isinstance iter len list max min object range str "
    "super tuple zip".split()
)
# What may be read of a module, by its whole name.
OF_MODULES = frozenset(
    """
    functools.partial math.inf math.log math.sqrt warnings.warn torch.Size torch.amax torch.arange torch.cat
    torch.channels_last torch.clamp torch.empty torch.exp torch.flatten torch.float32 torch.float64 torch.full
    torch.int32 torch.isfinite torch.jit torch.jit.export torch.long torch.maximum torch.mean torch.minimum
    torch.narrow torch.no_grad torch.ones torch.ones_like torch.permute torch.rand torch.reshape torch.sigmoid
    torch.softmax torch.sqrt torch.stack torch.sum torch.tensor torch.transpose torch.unflatten torch.where torch.zeros
    torch.zeros_like F.adaptive_avg_pool2d F.avg_pool2d F.conv2d F.conv_transpose2d F.dropout F.gelu F.hardsigmoid
    F.hardswish F.interpolate F.layer_norm F.max_pool2d F.normalize F.pad F.pixel_shuffle F.pixel_unshuffle F.relu
    F.relu6 F.silu nn.ConstantPad2d nn.ModuleDict nn.ModuleList nn.AdaptiveAvgPool2d nn.AvgPool2d nn.BatchNorm2d
    nn.Conv1d nn.Conv2d nn.ConvTranspose2d nn.Dropout nn.Flatten nn.GELU nn.GroupNorm nn.Hardsigmoid nn.Hardswish
    nn.Identity nn.LayerNorm nn.Linear nn.MaxPool2d nn.Module nn.Parameter nn.PixelShuffle nn.PixelUnshuffle nn.ReLU
    nn.ReLU6 nn.Sequential nn.SiLU nn.Sigmoid nn.Softmax nn.Upsample nn.ZeroPad2d nn.init nn.init.constant_
    nn.BatchNorm1d
    """.split()
)
MODULES = frozenset({"F", "functools", "math", "nn", "torch", "warnings"})
# What may be called on anything but a module or `self`.
METHODS = frozenset(
    """
    __init__ _numbered add_ add_module all amax append argsort children clamp copy_ dim div_ double encode endswith
    eval exp expand fill_ flatten float fold forward gather get items join kernel masked_fill mean modules mul mul_
    named_modules narrow new_full new_zeros nonzero numel permute register_buffer register_load_state_dict_pre_hook
    requires_grad_ reset reset_parameters reshape sigmoid sort sqrt startswith state_dict sum to transpose values
    view zero_
    """.split()
)
TEXT = re.compile(r"[\x20-\x7e]*")
WORD = re.compile(r"[A-Za-z0-9_./]*|the (?:height|width) of the input is [0-9]+")


def strange(text: str) -> list[str]:
    """Everything in a module that no generated module has."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        return [f"no Python: {error}"]
    return [*_Reader(tree).found(), *_of_text(text)]


def _of_text(text: str) -> Iterator[str]:
    for row in text.split("\n"):
        if not TEXT.fullmatch(row):
            yield f"characters: {row!r}"
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and "coding" in token.string:
            yield f"an encoding: {token.string!r}"


class _Reader:
    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.nodes = list(ast.walk(tree))
        self.docstrings = {
            id(node.body[0].value)
            for node in self.nodes
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        self.parts = {name for node in self.nodes for name in _part(node)}
        self.bound = {name for node in self.nodes for name in _binds(node)}

    def found(self) -> Iterator[str]:
        for statement in self.tree.body:
            docstring = isinstance(statement, ast.Expr) and id(statement.value) in self.docstrings
            if not (docstring or isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)):
                yield f"at the top: {ast.unparse(statement)}"
        for node in self.nodes:
            if type(node).__name__ not in NODES:
                yield f"node: {type(node).__name__}"
            if isinstance(node, ast.Raise) and not _says_what_is_wrong(node):
                yield f"raise: {ast.unparse(node)}"
            for said in self.of(node):
                yield f"{said}: {ast.unparse(node)}"

    def of(self, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import | ast.ImportFrom):
            if ast.unparse(node) not in IMPORTS:
                yield "import"
        elif isinstance(node, ast.Name):
            if node.id not in self.bound and node.id not in BUILTINS:
                yield "builtin" if node.id in dir(builtins) else "unknown name"
            if node.id.startswith("__"):
                yield "private name"
        elif isinstance(node, ast.Attribute):
            yield from self.attribute(node)
        elif isinstance(node, ast.Call):
            yield from self.call(node)
        elif isinstance(node, ast.withitem) and ast.unparse(node) != "torch.no_grad()":
            yield "context"
        elif isinstance(node, ast.Constant):
            yield from self.constant(node)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                if ast.unparse(decorator) not in ("torch.no_grad()", "torch.jit.export"):
                    yield "decorator"

    def attribute(self, node: ast.Attribute) -> Iterator[str]:
        if node.attr.startswith("__") and not (node.attr == "__init__" and ast.unparse(node.value) == "super()"):
            yield "private attribute"
        written = _dotted(node)
        if written.split(".")[0] in MODULES and written not in OF_MODULES:
            yield "of a module"

    def call(self, node: ast.Call) -> Iterator[str]:
        function = node.func
        if isinstance(function, ast.Name):
            if function.id in ("getattr", "hasattr") and not _plain_attribute(node.args[1]):
                yield "attribute by text"
        elif isinstance(function, ast.Attribute):
            root = _dotted(function).split(".")[0]
            if root not in MODULES and root != "self" and function.attr not in METHODS | self.parts:
                yield "method"
        else:
            yield "call"

    def constant(self, node: ast.Constant) -> Iterator[str]:
        value = node.value
        if not isinstance(value, str | int | float | bool | None) and value is not ...:
            yield "constant"
        if isinstance(value, str):
            limit = TEXT if id(node) in self.docstrings else WORD
            if not all(limit.fullmatch(row) for row in value.split("\n")) and value not in PHRASES:
                yield "text"


def _says_what_is_wrong(node: ast.Raise) -> bool:
    """A `ValueError` of one text, and nothing else is ever raised."""
    error = node.exc
    return (
        node.cause is None
        and isinstance(error, ast.Call)
        and ast.unparse(error.func) == "ValueError"
        and len(error.args) == 1
        and isinstance(error.args[0], ast.JoinedStr)
        and not error.keywords
    )


PHRASES = frozenset(
    {
        "1 tensor", " tensors", " of rows that are left out: ", ", ", "-inf",
        "height and width must divide by ", ", got ", ": pad images to ",
        "these are not the tensors of the network: there is no ",
        " would not be finite: these norms cannot be folded, keep the file with norms",
        "a norm of ", " channels stands behind a kernel with ",
        "modules may be replaced, not taken out or moved: ", "the network was compiled for a ", " of ",
    }
)  # fmt: skip


def _plain_attribute(node: ast.expr) -> bool:
    """`"init_scale"`, or `"rep0"`."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and not node.value.startswith("_")


def _part(node: ast.AST) -> Iterator[str]:
    """Names that submodules get: `self.x = …`, `shared.x = …`, `chain(x=…)` and `{"x": …}`."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
        yield node.attr
    elif isinstance(node, ast.keyword) and node.arg is not None:
        yield node.arg
    elif isinstance(node, ast.Dict):
        yield from (key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


def _dotted(node: ast.expr) -> str:
    """`torch.nn.init` of names and dots alone; empty of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    base = _dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{base}.{node.attr}" if base and isinstance(node, ast.Attribute) else ""


def _binds(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.alias):
        yield node.asname or node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
