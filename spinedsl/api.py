"""The Python interface: the same stages as the command line, for programs.

`parse` and `check` return an `Outcome`: a value and all diagnostics. `program`, `compile`, `verify` and `load` need a
faultless file and raise `Mistakes`, which reads as the command line prints it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, TypeVar, Unpack, cast

from spinedsl import checks, driver, extras
from spinedsl.backbone import Backbone
from spinedsl.backends import BACKENDS, Adapter, Axis, External, Options, Runtime, Target, declared
from spinedsl.backends.choose import options_of, wrong
from spinedsl.brief import Table
from spinedsl.checks.switches import LEVELS, Layer, Switches
from spinedsl.diagnostics import Default, Diagnostic, Diagnostics, Outcome
from spinedsl.diagnostics.render import render, summary
from spinedsl.given import File, name_of, names_of, path_of, settings_of, size_of, sizes_of, source_of, whole
from spinedsl.ir.typed import InputSize
from spinedsl.notebook import Program
from spinedsl.ops import program as ops
from spinedsl.ops.graph import flatten
from spinedsl.record import replace
from spinedsl.refusals import NetworkChoice, OutputChoice, Refusal
from spinedsl.source import Source
from spinedsl.syntax import tree
from spinedsl.syntax.parse import parse as parse_source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from spinedsl.agreement import Report
    from spinedsl.weights import Weights


T = TypeVar("T")

__all__ = ["NetworkChoice", "OutputChoice", "Refusal"]  # raised here as well


class Mistakes(Refusal):
    """A file, or what goes with it, has mistakes: `diagnostics` has them all."""

    alone = False  # of several processes that train, this one may be the only one that has met them

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = Diagnostics(diagnostics)
        super().__init__(f"{summary(self.diagnostics)}\n\n{render(self.diagnostics)}")

    def __reduce__(self) -> tuple[type[Mistakes], tuple[Diagnostics]]:
        return Mistakes, (self.diagnostics,)

    def _repr_html_(self) -> str:
        return self.diagnostics._repr_html_()


def valued(outcome: Outcome[T]) -> T:
    """The value of an outcome without mistakes.

    Raises:
        Mistakes: it has some.
    """
    if outcome.value is None or not outcome.ok:
        raise Mistakes(outcome.diagnostics)
    return outcome.value


class Disagreement(Refusal):
    """What was compiled does not give the same numbers everywhere: `report` has them all."""

    def __init__(self, report: Report) -> None:
        self.report = report
        super().__init__(f"the engines do not agree on {report.network}: {report.reason}")

    def __reduce__(self) -> tuple[type[Disagreement], tuple[Report]]:
        return Disagreement, (self.report,)


class TooFewWitnesses(Refusal):
    """No engine is installed, so there is nothing to compare the reference interpreter with."""

    def __init__(self, report: Report) -> None:
        self.report, self.missing = report, report.missing
        missing = "; ".join(f"{one.witness} needs {one.install}" for one in report.missing)
        super().__init__(f"no engine is installed to compare the reference interpreter with: {missing}")

    def __reduce__(self) -> tuple[type[TooFewWitnesses], tuple[Report]]:
        return TooFewWitnesses, (self.report,)


class OptionChoice(Refusal, ValueError):
    """An option is given that nothing would read, or that is none: `option` names it, and `reason` says what to do."""

    def __init__(self, option: str, reason: str) -> None:
        self.option, self.reason = option, reason
        super().__init__(f"`{option}` {reason}")

    def __reduce__(self) -> tuple[type[OptionChoice], tuple[str, str]]:
        return OptionChoice, (self.option, self.reason)


class Given(TypedDict, total=False):
    """What may be given for a backend: the names of `OPTIONS`, as `compile` takes them."""

    weights: str | PathLike[str] | Weights | None
    seed: int | None
    dynamic: Iterable[str]
    opset: int | None
    batch: int | None
    half: bool
    external_data: str | None
    optimise: int | None
    runtime: str | None
    adapter: str | None
    inference: bool
    detect: bool
    task: str | None
    score: float | None
    top: int | None
    overlap: float | None
    max_detections: int | None
    verify: bool


def source(file: File) -> Source:
    """A file, read. Raises `Mistakes` where it cannot be."""
    outcome = source_of(file)
    if outcome.value is None:
        raise Mistakes(outcome.diagnostics)
    return outcome.value


def parse(file: File) -> Outcome[tree.File]:
    """The syntax tree of a file, and every mistake of form. A path, or a `Source` for text that is no file."""
    return source_of(file).then(parse_source)


def check(
    file: File,
    *,
    size: tuple[int, int] | None = None,
    network: str | None = None,
    warn: Iterable[str] = (),
    allow: Iterable[str] = (),
    deny: Iterable[str] = (),
    settings: Mapping[str, Mapping[str, int]] | None = None,
) -> Outcome[driver.Analysis]:
    """Check every network of a file, or only `network`, and report every mistake.

    Args:
        file: path of a `.spine` file, or a `Source`. No configuration is read: what is switched is given here.
        size: (height, width) of the input in pixels, instead of the file's.
        network: which network, where not all are checked.
        warn: codes of lints to show, or beginnings of codes; by its own code also one that is off by default.
        allow: lints not to show.
        deny: lints that count as errors.
        settings: numbers by the code of a lint, as in `{"W0702": {"levels": 4}}`.

    Raises:
        NetworkChoice: the file has no such network, and nothing is wrong with what it has.
        OptionChoice: a code or a setting is none of a lint.
    """
    given, only = size_of(size), name_of(network, "network")
    asked = {"warn": warn, "allow": allow, "deny": deny}
    switches = switches_of({name: names_of(codes, name, "('W0702',)") for name, codes in asked.items()}, settings)
    outcome = source_of(file).then(lambda source: driver.analyse(source, given, only, switches))
    if only is not None and outcome.value is not None and outcome.ok and only not in outcome.value.networks:
        raise NetworkChoice.among(outcome.value.source.name, only, tuple(outcome.value.networks))
    return outcome


def program(
    file: File,
    *,
    network: str | None = None,
    size: tuple[int, int] | None = None,
    outputs: Iterable[str] | None = None,
) -> Program:
    """The op program of a network: of the only one of the file, or of `network`.

    With `outputs`, only what these need; `dropped` of the program then names the rows that are left out.

    Raises:
        Mistakes: the file has mistakes.
        NetworkChoice: several networks and none chosen, or an unknown one.
        OutputChoice: an output that the network does not have.
    """
    return Program.of(made(file, network=network, size=size, outputs=outputs).program)


def made(
    file: File | driver.Loaded,
    *,
    network: str | None = None,
    size: tuple[int, int] | None = None,
    outputs: Iterable[str] | None = None,
    switches: Switches = driver.USUAL,
) -> driver.Made:
    """The same with the network as it is written. A file that was loaded before is not read again."""
    asked = _asked(network, size, outputs)
    outcome = driver.program(file if isinstance(file, driver.Loaded) else source(file), *asked, switches)
    if outcome.value is None:
        raise Mistakes(outcome.diagnostics)
    return outcome.value


def switches_of(levels: Mapping[str, Sequence[str]], settings: object) -> Switches:
    """What is asked of lints, as switches.

    Raises:
        OptionChoice: a code or a setting is none of a lint, or two levels are given to one.
    """
    found: dict[str, Default] = {}
    for name, code in ((name, checks.spelt(code)) for name, given in levels.items() for code in given):
        if (reason := checks.refused(code)) is not None:
            raise OptionChoice(name, f"switches lints: {reason}")
        if found.setdefault(code, LEVELS[name]) is not LEVELS[name]:
            raise OptionChoice(
                name, f"has {code}, which another of `warn`, `allow` and `deny` has too: keep one of them"
            )
    numbers = settings_of(settings)
    for code, name, number in (
        (code, name, number) for code, given in numbers.items() for name, number in given.items()
    ):
        if (reason := checks.refused_setting(code, name)) is not None:
            raise OptionChoice("settings", f"holds numbers of lints: {reason}")
        (setting,) = (one for one in checks.rule(code).settings if one.name == name)
        if not setting.least <= number <= setting.most:
            raise OptionChoice("settings", f"has {code}.{name} from {setting.least} to {setting.most}, not {number}")
    switches = Switches((Layer("by the caller", found, numbers),) if found or numbers else ())
    for code in numbers:
        if switches.level(checks.rule(code)) is Default.OFF:
            raise OptionChoice("settings", f"counts for nothing: {code} is off, and `warn` switches it on")
    return switches


def _asked(
    network: object, size: object, outputs: object
) -> tuple[str | None, InputSize | None, tuple[str, ...] | None]:
    """What is asked for, in its one form."""
    given = size_of(size)
    named = name_of(network, "network")
    if isinstance(outputs, str):
        raise OutputChoice(f"outputs are a collection of names, as in `({outputs!r},)`")
    return named, given, None if outputs is None else names_of(outputs, "outputs", "('P3',)")


def compile(  # noqa: A001  the verb of the command line; inside this module nothing needs the builtin
    file: File,
    *,
    to: Target,
    network: str | None = None,
    size: tuple[int, int] | None = None,
    weights: str | PathLike[str] | Weights | None = None,
    seed: int | None = None,
    dynamic: Iterable[Axis] = (),
    opset: int | None = None,
    batch: int | None = None,
    half: bool = False,
    external_data: External | None = None,
    optimise: int | None = None,
    runtime: Runtime | None = None,
    outputs: Iterable[str] | None = None,
    adapter: Adapter | None = None,
    inference: bool = False,
    detect: bool = False,
    task: str | None = None,
    score: float | None = None,
    top: int | None = None,
    overlap: float | None = None,
    max_detections: int | None = None,
    verify: bool = False,
) -> dict[str, bytes]:
    """Compile a network: `to` is `torch` (a Python file) or `onnx` (a model). Returns {file name: contents}.

    Args:
        file: path of a `.spine` file, or a `Source`.
        to: name of a backend.
        network: which network, where the file has several.
        size: (height, width) of the input in pixels, instead of the file's.
        weights: a file that `read_weights` reads, for the ONNX model, or one that was read; without it, values
            made from `seed`.
        seed: seed of the values, 0 where none is given; each tensor's depend on it and on the tensor's name alone.
        dynamic: axes of the ONNX model that stay open: any of `batch`, `height`, `width`.
        opset: version of ONNX's operators, from 13 to 23, or 18 where none is given; older runtimes need older ones.
        batch: images at once that the ONNX model takes, where `batch` is not among `dynamic`.
        half: the ONNX model's tensors, input and outputs are float16.
        external_data: whether the ONNX model's tensors stand in a second file, the other of the two that come back:
            `auto` (where they are over 2 GB), `always` or `never`.
        optimise: level of exact passes over the ONNX model's graph: 0, as written, 1, which folds norms and leaves less
            to compute, as where none is given, or 2, with what else pays for a `runtime`. Outputs stay the same up to
            rounding; tensors get other names.
        runtime: what will run the ONNX model of level 2: `onnxruntime` or `openvino`.
        outputs: only these of the network's outputs, and what they need. Weights of the whole network still fit.
        adapter: a host that the PyTorch file shall fit into: `timm`, `torchvision`, `transformers`, `detectron2` or
            `mmdet`.
        inference: the PyTorch file is not to be trained: norms are folded, channels last, and as little memory is held
            as can be. Its module takes the state dict of the network as it is trained.
        detect: find boxes, by the network's detection task: the PyTorch file has a method `detect` too, and the ONNX
            model gives `boxes`, `scores`, `labels` and `count` instead of the network's outputs.
        task: which detection task, where the network has several.
        score: with `detect`, the threshold that a score has to be above, 0.05 where none is given. In the PyTorch file
            this and the following are what the method takes where it is not told otherwise.
        top: with `detect`, how many candidates of each level are kept, 1000 where none is given.
        overlap: with `detect`, the IoU above which the lower one of two boxes of a class goes, 0.5 where none is given.
        max_detections: with `detect`, how many boxes an image can have, 100 where none is given.
        verify: compare by every engine that is installed, as the function `verify` does, and say so in the file.

    Raises:
        Mistakes: the file or the weights have mistakes.
        NetworkChoice: several networks and none chosen, or an unknown one.
        OutputChoice: an output that the network does not have.
        OptionChoice: an option that this backend does not take, or an axis, a host or a backend that there is not.
        Disagreement: the engines do not agree, where that was asked.
        TooFewWitnesses: no engine is installed, where that was asked.
        MissingPackage: packages are not installed that this needs; it is an `ImportError`.
    """
    axes = dynamic if isinstance(dynamic, str) else names_of(dynamic, "dynamic", "('batch',)")
    given = Given(
        weights=weights, seed=seed, dynamic=axes, opset=opset, batch=batch, half=half, external_data=external_data,
        optimise=optimise, runtime=runtime, adapter=adapter, inference=inference, detect=detect, task=task,
        score=score, top=top, overlap=overlap, max_detections=max_detections, verify=verify,
    )  # fmt: skip
    chosen(to, given)  # what is wrong with these is reported before a file is read
    extras.require(*_to_emit(to, weights, verify=verify), *(("numpy",) if inference else ()))
    asked = _asked(network, size, outputs)
    outcome = driver.compile(source(file), to, lambda made: _options(made, to, given), *asked)
    return _files(outcome)


def emit(made: ops.Program, *, to: str, **given: Unpack[Given]) -> dict[str, bytes]:
    """Compile a program that was made before: the last stage of `compile`, with the same options."""
    return _files(driver.emit(made, to, _options(made, to, given)))


def chosen(to: str, given: Given) -> Options:
    """The options of a backend, but for the tensors.

    Raises:
        OptionChoice: one of them is not taken by this backend, says nothing beside another, or has no such value.
    """
    if (found := wrong(to, given)) is not None:
        raise OptionChoice(*found)
    return options_of(to, given)


def _options(made: ops.Program, to: str, given: Given) -> Options:
    """The options of a backend for a program, with its tensors, and what was found to agree where that is asked."""
    options, weights = chosen(to, given), given.get("weights")
    extras.require(*_to_emit(to, weights, verify=given.get("verify", False)))
    extras.require(*(("numpy",) if options.inference else ()))
    if weights is not None:
        found = read_weights(weights)
        options = replace(options, weights=tensors_of(made, found), origin=Path(found.path).name)
        if to == "onnx" and options.detect:
            from spinedsl.backends.onnx.boxes import output_names  # noqa: PLC0415  onnx is only needed here
            from spinedsl.data.use import use_of_compiled  # noqa: PLC0415  as above

            names = output_names(made.input_name)
            options = replace(options, properties=use_of_compiled(made, found, options, names))
    if given.get("verify"):
        _files(driver.emit(made, to, options))  # what cannot be written is not worth comparing
        options = replace(options, verified=_verified(made, options, to))
    return options


def _files(outcome: Outcome[dict[str, bytes]]) -> dict[str, bytes]:
    if outcome.value is None or not outcome.ok:
        raise Mistakes(outcome.diagnostics)
    return Table(outcome.value)


def _to_emit(to: str, weights: object, *, verify: bool) -> tuple[str, ...]:
    """The packages that it takes to compile."""
    return (
        *(declared(to).packages if to in BACKENDS else ()),
        *_of_weights(weights),
        *(_to_compare() if verify else ()),
    )


def _to_compare() -> Sequence[str]:
    """The packages that it takes to compare engines; where only the engines are missing, `TooFewWitnesses` says so."""
    return extras.to_compare() if extras.missing(["numpy"]) else ()


def _of_weights(weights: object) -> Sequence[str]:
    """The packages that it takes to read weights, where they are still to be read."""
    return extras.of_weights(fspath(weights)) if isinstance(weights, str | PathLike) else ()


def _verified(made: ops.Program, options: Options, to: str) -> str:
    """The sentence that a verified file carries."""
    from spinedsl.agreement import INFERENCE, Failure, agree, witnesses_of  # noqa: PLC0415  numpy is only needed here

    witnesses = witnesses_of(options.opset, options.optimise, options.runtime)
    witnesses += (INFERENCE,) if options.inference else ()
    report = agree(made, seed=options.seed, weights=options.weights, origin=options.origin, witnesses=witnesses)
    if not report.witnesses:
        raise TooFewWitnesses(report)
    if not report.agrees:
        raise Disagreement(report)
    if not options.detect:
        return report.stamp
    if lacking := extras.missing(("torch", *(("onnxruntime",) if to == "onnx" else ()))):
        return f"{report.stamp}; boxes were not compared, without {' and '.join(lacking)}"
    from spinedsl.tasks.detection.verified import verified  # noqa: PLC0415  torch is only needed here

    boxes = verified(made, options, to)
    if boxes.odd:
        reason = f"{len(boxes.odd)} of {boxes.boxes} boxes are not those of its heads: {boxes.odd[0]}"
        failed = Failure("ONNX Runtime" if to == "onnx" else "PyTorch", reason)
        raise Disagreement(replace(report, failures=(*report.failures, failed)))
    return f"{report.stamp}; {boxes.stamp}"


def verify(
    file: File | driver.Loaded,
    *,
    network: str | None = None,
    sizes: Iterable[tuple[int, int]] = (),
    outputs: Iterable[str] | None = None,
    weights: str | PathLike[str] | Weights | None = None,
    seed: int = 0,
    say: Callable[[str], None] = lambda text: None,
) -> Report:
    """Run a network by PyTorch, ONNX Runtime and OpenVINO, as far as installed, and by the reference interpreter.

    Args:
        file: path of a `.spine` file, or a `Source`.
        network: which network, where the file has several.
        sizes: (height, width) of further inputs in pixels, beside a few small ones.
        outputs: which outputs, with what they need; all by default.
        weights: a file that `read_weights` reads, or one that was read; without it, values made from `seed`.
        seed: seed of the images, and of the values.
        say: is told what is being compared, in a few words, as it begins.

    Raises:
        Mistakes: the file or the weights have mistakes, or the network does not take one of the sizes.
        NetworkChoice: several networks and none chosen, or an unknown one.
        OutputChoice: an output that the network does not have.
        MissingPackage: packages are not installed that this needs; it is an `ImportError`.
        TooFewWitnesses: no engine is installed.
    """
    extras.require(*_to_compare(), *_of_weights(weights))
    from spinedsl.agreement import Size, agree, usual_sizes  # noqa: PLC0415  numpy is only needed here

    tried = [(size.height, size.width) for size in sizes_of(sizes)]
    whole(seed, "seed")
    parts = outputs if outputs is None or isinstance(outputs, str) else tuple(outputs)
    loaded = file if isinstance(file, driver.Loaded) else driver.load(source(file))
    first = made(loaded, network=network, outputs=parts).program
    read = None if weights is None else read_weights(weights)
    small = list(usual_sizes(first))
    asked = [Size(1, *size) for size in dict.fromkeys(tried)]
    resized = {
        size: made(loaded, network=network, size=(size.height, size.width), outputs=parts).program for size in asked
    }
    # Where a definition reads the height or width, another size is another network.
    runs = [(resized[size], [size]) for size in asked] if first.static_axes else []
    report: Report | None = None
    for each, its_sizes in [(first, small if runs else list(dict.fromkeys(small + asked))), *runs]:
        given, origin = (tensors_of(each, read), Path(read.path).name) if read is not None else (None, "")
        found = agree(each, its_sizes, seed=seed, weights=given, origin=origin, say=say)
        report = found if report is None else report.joined(found)
    assert report is not None
    if not report.witnesses:
        raise TooFewWitnesses(report)
    return report


def read_weights(
    weights: str | PathLike[str] | Weights,
    *,
    key: str | None = None,
    prefix: str | None = None,
    renames: Mapping[str, str] | None = None,
    hear: Callable[[Sequence[Diagnostic]], None] | None = None,
) -> Weights:
    """Weights that a trainer, a host or another code saved; what is in the file decides, not what it is called.

    Read are safetensors, what PyTorch saves (whose pickles are not run), `.npz`, ONNX models, an index of several files
    and a folder as `save_pretrained` writes. Of what we wrote every bit is checked.

    Args:
        weights: the path, or weights that were read, for which all but `key` may still be given.
        key: which set of tensors, where a checkpoint holds several, such as `ema` or `model.module`.
        prefix: what stands before the names of the network's tensors, such as `module.`; without it, what fits most.
        renames: old names to new ones, with `*` for any letters, applied before the prefix goes; an empty new name
            leaves a tensor out.
        hear: is told what is worth a word; without it, that is a `UserWarning`.

    Raises:
        Mistakes: it cannot be read, is damaged, or holds something other than tensors, or several sets of them.
        OptionChoice: `renames` cannot be applied, or a `key` is given for what was read.
        MissingPackage: what reads such a file is not installed; it is an `ImportError`.
    """
    extras.require("numpy", *_of_weights(weights))
    from spinedsl.weights import Weights, read  # noqa: PLC0415  numpy is only needed here

    if isinstance(weights, Weights):
        if key is not None:
            raise OptionChoice("key", f"says which tensors of a file to read: these were read from {weights.path}")
        found = weights
    else:
        hint = "; a state dict goes to `load_state_dict` of the loaded module" if isinstance(weights, Mapping) else ""
        path = path_of(weights, "a weights file", f"what `spinedsl.read_weights` returned{hint}")
        outcome = read(Path(path), key)
        if outcome.value is None:
            raise Mistakes(outcome.diagnostics)
        found = outcome.value
        if outcome.diagnostics and hear is not None:
            hear(outcome.diagnostics)
        elif outcome.diagnostics:
            warnings.warn("; ".join(one.message for one in outcome.diagnostics), stacklevel=2)
    if renames:
        from spinedsl.weights.spelling import BadPattern, renamed  # noqa: PLC0415  numpy is only needed here

        try:
            found = replace(found, tensors=renamed(found.tensors, list(renames.items())))
        except BadPattern as bad:
            raise OptionChoice("renames", f"cannot be applied: {bad}") from None
    return found if prefix is None else replace(found, prefix=prefix)


def tensors_of(made: ops.Program, weights: Weights) -> dict[str, NDArray[np.float32]]:
    """The tensors of a weights file, which are just those of the program."""
    from spinedsl.weights import match  # noqa: PLC0415  numpy is only needed here

    outcome = match(flatten(made).parameters, weights, made.name, made.dropped)
    if outcome.value is None:
        raise Mistakes(outcome.diagnostics)
    return outcome.value


def load(
    file: File,
    *,
    network: str | None = None,
    size: tuple[int, int] | None = None,
    outputs: Iterable[str] | None = None,
    weights: str | PathLike[str] | Weights | None = None,
    detect: bool = False,
    task: str | None = None,
) -> Backbone:
    """A network as a PyTorch module, with `weights` or values from seed 0. Its code is the file that `compile` gives.

    The module takes images of shape (batch, channels, height, width), float32, whose height and width its
    `size_divisor` divides, and returns an `OrderedDict` of feature maps from fine to coarse. With `outputs` it has only
    what these need, and takes state dicts of the whole network as well. With `detect` it has a method of that name,
    which finds boxes by the network's detection task; where it has several, `task` names one.

    Raises:
        Mistakes: the file or the weights have mistakes.
        NetworkChoice: several networks and none chosen, or an unknown one.
        OutputChoice: an output that the network does not have.
        OptionChoice: a `task` without `detect`.
        MissingPackage: torch, or what reads the weights, is not installed; it is an `ImportError`.
    """
    extras.require(*extras.MODULE, *_of_weights(weights))
    from spinedsl.backends.torch import build, filled  # noqa: PLC0415  torch is only needed here

    options = chosen("torch", Given(detect=detect, task=task))
    found = program(file, network=network, size=size, outputs=outputs)
    (data,) = _files(driver.emit(found, "torch", options)).values()
    code = data.decode()
    module = build(found, code) if weights is None else filled(code, found, tensors_of(found, read_weights(weights)))
    return cast("Backbone", module)


def fuse(module: nn.Module) -> nn.Module:
    """A module that `load` gave as one that only runs: batch norms are parts of convolutions, channels stand last.

    It is a copy, in evaluation mode and without gradients, and gives the same up to rounding (1e-5). It has the same
    submodules by the same names; where a norm was, there is `nn.Identity`. A norm stays where it or the convolution
    beside it was replaced, shared or set otherwise, where a hook stands between, and where its factors are too large
    for the numbers of the module. A module that holds such modules is copied
    with them. `compile` with `inference` gives more: a file that also holds less memory.

    Raises:
        OptionChoice: no part of it is what `load` gave in this process.
        MissingPackage: torch is not installed; it is an `ImportError`.
    """
    extras.require(*extras.MODULE)
    from spinedsl.backends.torch.fuse import NotOurs, fused  # noqa: PLC0415  torch is only needed here

    try:
        return fused(module)
    except NotOurs:
        raise OptionChoice(
            "module", "is what `spinedsl.load` gives, or holds that: of a file, compile one that only runs instead, by"
            ' `spinedsl.compile(…, to="torch", inference=True)`',
        ) from None  # fmt: skip
