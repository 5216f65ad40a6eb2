"""spinedsl: a language and a compiler for scale-permuted networks.

    import spinedsl
    outcome = spinedsl.check("examples/spinenet.spine")       # every mistake at once
    print(outcome)                                            # as the command line says them
    program = spinedsl.program("net.spine")                   # rows, operations; a figure in notebooks
    files = spinedsl.compile("net.spine", to="onnx")          # {name: bytes}
    model = spinedsl.load("net.spine", network="SpineNet49")  # a torch.nn.Module
    source = spinedsl.Source.from_text("network A { … }")     # a text instead of a path, for all of these

A file to its parts, and to what runs; each function takes a path or a `Source`:

    parse          the syntax tree, and all mistakes of form
    check          every network checked, and all mistakes
    program        the operations of a network
    compile        a network as a PyTorch file, an ONNX model, or a chart
    load           a network as a PyTorch module
    fuse           such a module as one that only runs, without batch norms
    train          a network trained on images, as a configuration says
    bench          how long a network takes in each engine
    quantize       a network as an int8 ONNX model, and the error of each row
    verify         a network by all engines against the reference interpreter
    read_weights   tensors of a .safetensors, .npz, .pt or .onnx file

What they give and take:

    Source         a text with a name
    Outcome        a value and diagnostics: `ok`, `value`, `diagnostics`
    Diagnostic     a mistake: code, place, message, repairs
    Analysis       a checked file: its networks
    Program        a network's rows, inputs and outputs
    Backbone       what `load` returns, for type checkers and `isinstance`
    FeatureInfo    an entry of its `feature_info`
    Report         what `verify` found
    Weights        what `read_weights` found
    Bench          what `bench` measured: a table
    Quantized      what `quantize` made: the model, and a table
    Result         what `train` came to: its figures and checkpoints

What they raise:

    Mistakes         the file has mistakes: `diagnostics`
    NetworkChoice    the file has several networks, or not the one that was asked for
    OptionChoice     an option that nothing would read, or that has no such value
    OutputChoice     the network does not have that output
    Disagreement     engines differ: `report`
    TooFewWitnesses  no engine is installed to compare with
    MissingPackage   what was asked for needs packages that are not installed

Modules:

    data           pictures, labels, preprocessing and batches; needs `pip install 'spinedsl[train]'`
    edit           edits of a network as values
    inference      what trained networks are for: evaluate, predict, galleries; needs `pip install 'spinedsl[train]'`
    tasks          losses, decoding and figures of what outputs mean; needs `pip install 'spinedsl[torch]'`
    testing        Hypothesis strategies and laws; needs `pip install 'spinedsl[testing]'`

Importing this imports nothing else: each name is looked up where it lives when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spinedsl import data as data
    from spinedsl import edit
    from spinedsl import inference as inference
    from spinedsl import tasks as tasks
    from spinedsl import testing as testing
    from spinedsl.agreement import Report
    from spinedsl.api import (
        Disagreement,
        Mistakes,
        NetworkChoice,
        OptionChoice,
        OutputChoice,
        TooFewWitnesses,
        check,
        compile,  # noqa: A004  the verb of the command line
        fuse,
        load,
        parse,
        program,
        read_weights,
        verify,
    )
    from spinedsl.backbone import Backbone, FeatureInfo
    from spinedsl.diagnostics import Diagnostic, Outcome
    from spinedsl.driver import Analysis
    from spinedsl.extras import MissingPackage
    from spinedsl.notebook import Program
    from spinedsl.performance.bench import bench
    from spinedsl.performance.quantize import Quantized, quantize
    from spinedsl.source import Source
    from spinedsl.timing.report import Bench
    from spinedsl.training.loop import Result, train
    from spinedsl.weights import Weights

__version__ = "0.1.0"
__all__ = [
    "Analysis",
    "Backbone",
    "Bench",
    "Diagnostic",
    "Disagreement",
    "FeatureInfo",
    "MissingPackage",
    "Mistakes",
    "NetworkChoice",
    "OptionChoice",
    "Outcome",
    "OutputChoice",
    "Program",
    "Quantized",
    "Report",
    "Result",
    "Source",
    "TooFewWitnesses",
    "Weights",
    "__version__",
    "bench",
    "check",
    "compile",
    "edit",
    "fuse",
    "load",
    "parse",
    "program",
    "quantize",
    "read_weights",
    "train",
    "verify",
]

# Where each name lives; type checkers read the imports above, and know of no other names.
_HOMES = {
    "Analysis": "driver",
    "Backbone": "backbone",
    "Bench": "timing.report",
    "Diagnostic": "diagnostics",
    "FeatureInfo": "backbone",
    "MissingPackage": "extras",
    "Outcome": "diagnostics",
    "Program": "notebook",
    "Quantized": "performance.quantize",
    "Report": "agreement",
    "Result": "training.loop",
    "Source": "source",
    "bench": "performance.bench",
    "quantize": "performance.quantize",
    "train": "training.loop",
    "Weights": "weights",
}
_MODULES = {
    "data": ("numpy", "PIL"),
    "edit": (),
    "inference": ("torch", "numpy", "PIL", "safetensors"),
    "tasks": ("torch",),
    "testing": ("hypothesis",),
}  # with the packages that each needs

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            import_module("spinedsl.extras").require(*_MODULES[name])
            return import_module(f"spinedsl.{name}")
        if name in __all__:
            return getattr(import_module(f"spinedsl.{_HOMES.get(name, 'api')}"), name)
        hint = ""
        if not name.startswith("_") and not _is_module(name):
            from spinedsl.diagnostics.suggest import nearest  # noqa: PLC0415  only a mistake needs it

            near = nearest(name, [*__all__, *_MODULES])
            hint = f". Did you mean: {near!r}?" if near else "; help(spinedsl) lists what it has"
        raise AttributeError(f"module 'spinedsl' has no attribute {name!r}{hint}")

    def _is_module(name: str) -> bool:
        """Whether that is a module of ours: `from spinedsl import driver` asks here first, then imports it."""
        return PathFinder.find_spec(f"spinedsl.{name}", __path__) is not None

    def __dir__() -> list[str]:
        return sorted({*__all__, *_MODULES, *(name for name in globals() if name.startswith("__"))})
