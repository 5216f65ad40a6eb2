"""Packages that are not always installed: which work needs them, and what installs them.

What a piece of work needs is asked for at once and before it begins, by the command line and by Python programs alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path, PurePath

from spinedsl import contents

EXTRAS = {
    "torch": "torch",
    "numpy": "onnx",
    "onnx": "onnx",
    "onnxruntime": "all",
    "safetensors": "all",
    "resvg_py": "draw",
    "shtab": "completion",
    "hypothesis": "testing",
    "PIL": "train",
    "yaml": "train",
    "rich": "train",
    "tensorboard": "train",
    "faster_coco_eval": "detection",
    "optuna": "search",
    "psycopg": "search",
    "scipy": "search",
    "openvino": "openvino",
    "executorch": "executorch",
    "litert_torch": "litert",
    "ai_edge_litert": "litert",
    "nncf": "nncf",
}  # packages by what brings them
CONTENTS = {
    "onnx": {"onnx", "numpy"},
    "torch": {"torch", "numpy"},
    "draw": {"resvg_py"},
    "completion": {"shtab"},
    "testing": {"hypothesis"},
    "train": {"torch", "numpy", "PIL", "yaml", "safetensors", "rich", "tensorboard"},
    "detection": {"torch", "numpy", "faster_coco_eval"},
    "search": {"optuna", "psycopg", "rich", "scipy"},
    "all": {
        "torch", "numpy", "onnx", "onnxruntime", "safetensors", "resvg_py", "shtab", "hypothesis",
        "PIL", "yaml", "rich", "tensorboard", "faster_coco_eval", "optuna", "psycopg", "scipy",
    },
    "openvino": {"openvino"},
    "executorch": {"executorch"},
    "litert": {"litert_torch", "ai_edge_litert"},
    "nncf": {"nncf"},
}  # fmt: skip  # of each extra, as in pyproject.toml; of two that would do, the smaller one stands first

APART = ("openvino", "executorch", "litert", "nncf")  # extras that `all` leaves out: large, or each for a few
FIGURES = {"png": ("resvg_py",)}  # by the kind of figure
MODULE = ("torch",)  # to load what was compiled
ENGINE_CHOICE = (("torch",), ("onnx", "onnxruntime"), ("onnx", "openvino"))  # one of these is enough to compare with
ENGINES = ("numpy", "torch", "onnx", "onnxruntime")  # to run a network by all that are compared
INFERENCE = ("torch", "numpy", "PIL", "safetensors")  # to use a checkpoint
TRAIN = ("torch", "numpy", "PIL", "safetensors", "rich")
SEARCH = ("optuna",)
RANK = (*SEARCH, "scipy")  # to compare figures with training
LAWS = ("hypothesis", *ENGINES)
WEIGHTS = {
    contents.SAFETENSORS: ("numpy", "safetensors"),
    contents.NPZ: ("numpy",),
    contents.ONNX: ("numpy", "onnx"),
    contents.PYTORCH: ("numpy", "torch"),
}  # by the kind of what is read


class MissingPackage(ModuleNotFoundError):
    """Packages are missing that what was asked for needs: `packages` names all of them."""

    def __init__(self, packages: Sequence[str]) -> None:
        self.packages = tuple(packages)
        *others, last = packages
        names = f"{', '.join(others)} and {last}" if others else last
        super().__init__(f"this needs {names}: {install(packages)}", name=packages[0])

    def __reduce__(self) -> tuple[type[MissingPackage], tuple[tuple[str, ...]]]:
        return MissingPackage, (self.packages,)


def require(*packages: str) -> None:
    """See that all packages are there, without importing one.

    Raises:
        MissingPackage: some are not; it names every one of them.
    """
    if lacking := missing(packages):
        raise MissingPackage(lacking)


def missing(packages: Iterable[str]) -> list[str]:
    """Those that are not installed, each once."""
    return [package for package in dict.fromkeys(packages) if not _is_there(package)]


def to_compare() -> tuple[str, ...]:
    """What it takes to compare a network by several engines: NumPy, and where there is none, the usual ones."""
    return ENGINES[:1] if any(not missing(engine) for engine in ENGINE_CHOICE) else ENGINES


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def install(packages: Iterable[str]) -> str:
    """The one command that installs all of them."""
    wanted = set(packages)
    own = [extra for extra in APART if wanted & CONTENTS[extra]]
    rest = wanted.difference(*(CONTENTS[extra] for extra in own))
    usual = (extra for extra, brings in CONTENTS.items() if extra not in APART and rest <= brings)
    return f"pip install 'spinedsl[{','.join([*([next(usual, 'all')] if rest else []), *own])}]'"


def of_weights(path: str | PurePath) -> Sequence[str]:
    """What reading weights takes; of an unknown kind NumPy, to say what it is instead."""
    try:
        kind = contents.kind_of(path)
        if kind == contents.FOLDER:
            found = contents.in_folder(Path(path))
            return of_weights(found) if found is not None else ("numpy",)
    except contents.Unknown:
        return ("numpy",)
    except (OSError, ValueError):  # there is none: what it is called says what it would be
        kind = contents.ENDINGS.get(Path(path).suffix.lower(), "")
    if kind == contents.INDEX:
        kind = contents.PYTORCH if ".bin." in Path(path).name else contents.SAFETENSORS
    return WEIGHTS.get(kind, ("numpy",))
