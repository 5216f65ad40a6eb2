"""Formats of exported models, as one table: how each is written, how it is run, and what it takes.

In: a trained network and what is asked of the format. Out: files in a folder, or why there are none, and a function
from pictures to outputs, by the format's own runtime. ONNX is written by our own backend, OpenVINO is made of that; the
others are made by PyTorch's exporter and the converters of their packages.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from spinedsl import checks as say
from spinedsl.backends import DEFAULT_OPSET, Options
from spinedsl.data.pictures import Pixels
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.diagnostics.plain import one_line
from spinedsl.inference.boxes import of_arrays
from spinedsl.inference.deployed import Deployed
from spinedsl.inference.engine import Decoded
from spinedsl.inference.exported import batched, in_batches, open_exported
from spinedsl.ops.detection import Limits
from spinedsl.ops.program import Program
from spinedsl.quiet import quiet
from spinedsl.record import Record, replace
from spinedsl.source import Source
from spinedsl.tasks import BOXES
from spinedsl.training.build import Trained

Run: TypeAlias = Callable[[Sequence[Pixels]], Any]  # from pictures as the model takes them; of a detector to `Boxes`


class Wanted(Record):
    """What is asked of a format. Without a `batch`, any number of images goes in at once, where the format can."""

    opset: int = DEFAULT_OPSET
    half: bool = False
    batch: int | None = None
    inside: bool = True  # images of any size are resized in the model
    limits: Limits | None = None  # of a detector, if not those that it was trained with
    optimise: int = 1  # the level of passes over the graph, of 2 for a runtime
    runtime: str = ""


class Model(Record, eq=False):
    """A trained network on its way into files, which are called after `stem`."""

    trained: Trained
    digest: str
    stem: str

    @property
    def program(self) -> Program:
        """The network for images of the size that preprocessing gives, with just the outputs of the task."""
        return self.trained.of_task

    def limits(self, wanted: Wanted) -> Limits:
        """What a detector keeps of what it finds."""
        return wanted.limits or Limits(**self.trained.limits)

    def deployed(self, wanted: Wanted) -> Deployed:
        """The network with what a model has around it."""
        trained = self.trained
        finds = trained.task.truth == BOXES
        return Deployed(
            self.program, trained.preprocessing, trained.task.kind, trained.output, wanted.inside,
            trained.reading.boxes if finds else None, self.limits(wanted) if finds else Limits(),
        )  # fmt: skip


class Format(Record, eq=False):
    """A format: its name in words, the ending of its file, the packages that write and run it, and what it can.

    `write` writes files into a folder, of which the first is the model; `run` opens that.
    """

    title: str
    ending: str
    packages: tuple[str, ...]
    write: Callable[[Model, Wanted, Path], Outcome[tuple[str, ...]]]
    run: Callable[[Path, Wanted], Run]
    resizes: bool = False  # images of any size go in
    finds: bool = False  # boxes
    takes: tuple[str, ...] = ("batch",)  # of what is asked
    imports: str = ""  # what the lines of a card import for it
    usage: str = ""  # lines of a card: from an array of pixels to the result


# ---- ONNX ----


def onnx_of(model: Model, wanted: Wanted) -> Outcome[dict[str, bytes]]:
    """The files of the ONNX model, by name."""
    from onnx import checker  # noqa: PLC0415  only where it is needed

    from spinedsl.backends import onnx as backend  # noqa: PLC0415

    program, trained = model.program, model.trained
    deployed = model.deployed(wanted)
    is_open = wanted.batch is None and "batch" not in program.static_axes
    options = Options(
        weights={name: tensor.detach().cpu().numpy() for name, tensor in trained.module.state_dict().items()},
        origin=f"a training, step {trained.about['step']}",
        dynamic=frozenset({"batch"} if is_open else ()),
        opset=wanted.opset, half=wanted.half, batch=wanted.batch or 1, optimise=wanted.optimise, runtime=wanted.runtime,
    )  # fmt: skip
    more = deployed.metadata(trained, model.digest)
    made = backend.emit(program, options, around=deployed.around, more=more)
    if made.value is None:
        return made
    main, *others = made.value.items()
    if not others:  # what stands in two files is checked where they are
        checker.check_model(main[1], full_check=True)
    return Outcome({f"{model.stem}.onnx": main[1], **dict(others)}, made.diagnostics)


def _write_onnx(model: Model, wanted: Wanted, folder: Path) -> Outcome[tuple[str, ...]]:
    from onnx import checker  # noqa: PLC0415

    made = onnx_of(model, wanted)
    if made.value is None:
        return Outcome(None, made.diagnostics)
    for name, data in made.value.items():
        (folder / name).write_bytes(data)
    names = tuple(made.value)
    if len(names) > 1:
        checker.check_model(str(folder / names[0]), full_check=True)
    return Outcome(names, made.diagnostics)


def _run_onnx(path: Path, wanted: Wanted) -> Run:
    opened = open_exported(path)
    assert opened.value is not None, opened.diagnostics
    engine, find = opened.value, opened.value.find
    return engine.compute if find is None else lambda pictures: find(pictures, {})


# ---- OpenVINO ----


def _write_openvino(model: Model, wanted: Wanted, folder: Path) -> Outcome[tuple[str, ...]]:
    import openvino  # noqa: PLC0415

    own = "openvino" if wanted.optimise > 1 else ""
    made = onnx_of(model, replace(wanted, opset=DEFAULT_OPSET, half=False, inside=False, runtime=own))
    if made.value is None:
        return Outcome(None, made.diagnostics)
    with _quiet():
        read = openvino.Core().read_model(next(iter(made.value.values())))
        openvino.save_model(read, folder / f"{model.stem}.xml", compress_to_fp16=wanted.half)
    return Outcome((f"{model.stem}.xml", f"{model.stem}.bin"))


def _run_openvino(path: Path, wanted: Wanted) -> Run:
    import openvino  # noqa: PLC0415

    # By default it computes in 16 bits on processors that can.
    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(images: Pixels) -> Any:
        found = [np.array(one) for one in compiled(images).to_tuple()]
        return found[0] if len(found) == 1 else of_arrays(*found)

    if len(compiled.outputs) > 1:
        return lambda pictures: in_batches(run, pictures, wanted.batch)
    return lambda pictures: batched(run, pictures, wanted.batch)


# ---- what PyTorch exports to ----


def _exported(model: Model, wanted: Wanted, *, any_batch: bool) -> Any:
    """PyTorch's own form of the whole, for images of the network's size."""
    import torch  # noqa: PLC0415

    from spinedsl.inference.deployed import module_of  # noqa: PLC0415

    pre = model.trained.preprocessing
    is_open = any_batch and wanted.batch is None and "batch" not in model.program.static_axes
    images = torch.zeros((2 if is_open else wanted.batch or 1, pre.height, pre.width, pre.channels), dtype=torch.uint8)
    shapes = ({0: torch.export.Dim("batch", max=4096)},) if is_open else None
    return torch.export.export(module_of(model.trained), (images,), dynamic_shapes=shapes)


def _write_torch(model: Model, wanted: Wanted, folder: Path) -> Outcome[tuple[str, ...]]:
    import torch  # noqa: PLC0415

    name = f"{model.stem}.pt2"
    torch.export.save(_exported(model, wanted, any_batch=True), folder / name)
    return Outcome((name,))


def _run_torch(path: Path, wanted: Wanted) -> Run:
    import torch  # noqa: PLC0415

    module = torch.export.load(path).module()

    def run(images: Pixels) -> Decoded:
        with torch.inference_mode():
            return np.asarray(module(torch.from_numpy(images)))

    return lambda pictures: batched(run, pictures, wanted.batch)


def _write_executorch(model: Model, wanted: Wanted, folder: Path) -> Outcome[tuple[str, ...]]:
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner  # noqa: PLC0415
    from executorch.exir import to_edge_transform_and_lower  # noqa: PLC0415

    exported = _exported(model, wanted, any_batch=False)
    lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()]).to_executorch()
    (folder / f"{model.stem}.pte").write_bytes(lowered.buffer)
    return Outcome((f"{model.stem}.pte",))


def _run_executorch(path: Path, wanted: Wanted) -> Run:
    import torch  # noqa: PLC0415
    from executorch.runtime import Runtime  # noqa: PLC0415

    method = Runtime.get().load_program(path).load_method("forward")

    def run(images: Pixels) -> Decoded:
        return np.array(method.execute([torch.from_numpy(images)])[0])

    return lambda pictures: batched(run, pictures, wanted.batch or 1)


def _write_litert(model: Model, wanted: Wanted, folder: Path) -> Outcome[tuple[str, ...]]:
    import litert_torch  # noqa: PLC0415
    import torch  # noqa: PLC0415

    from spinedsl.inference.deployed import module_of  # noqa: PLC0415

    pre = model.trained.preprocessing
    images = torch.zeros((wanted.batch or 1, pre.height, pre.width, pre.channels), dtype=torch.uint8)
    litert_torch.convert(module_of(model.trained), (images,)).export(str(folder / f"{model.stem}.tflite"))
    return Outcome((f"{model.stem}.tflite",))


def _run_litert(path: Path, wanted: Wanted) -> Run:
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    (given,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(images: Pixels) -> Decoded:
        interpreter.set_tensor(given["index"], images)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(result["index"]))

    return lambda pictures: batched(run, pictures, wanted.batch or 1)


# ---- the table ----

FORMATS: Mapping[str, Format] = {
    "onnx": Format(
        "ONNX", ".onnx", ("onnx", "onnxruntime"), _write_onnx, _run_onnx, resizes=True, finds=True,
        takes=("opset", "half", "batch", "resize"),
        imports="onnxruntime",
        usage='session = onnxruntime.InferenceSession({file})\n'
        '{results} = session.run(None, {{"{images}": {array}}})',
    ),
    "openvino": Format(
        "OpenVINO", ".xml", ("onnx", "openvino"), _write_openvino, _run_openvino, finds=True,
        takes=("half", "batch"),
        imports="openvino",
        usage='model = openvino.Core().compile_model({file}, "CPU", {{"INFERENCE_PRECISION_HINT": "f32"}})\n'
        "{results} = model({array}).to_tuple()",
    ),
    "executorch": Format(
        "ExecuTorch", ".pte", ("executorch",), _write_executorch, _run_executorch,
        imports="executorch.runtime, torch",
        usage='program = executorch.runtime.Runtime.get().load_program({file})\n'
        '{result} = program.load_method("forward").execute([torch.from_numpy({array})])[0].numpy()',
    ),
    "litert": Format(
        "LiteRT", ".tflite", ("litert_torch", "ai_edge_litert"), _write_litert, _run_litert,
        imports="ai_edge_litert.interpreter",
        usage='model = ai_edge_litert.interpreter.Interpreter({file}).get_signature_runner()\n'
        "({result},) = model(args_0={array}).values()",
    ),
    "torch": Format(
        "PyTorch", ".pt2", (), _write_torch, _run_torch,
        imports="torch",
        usage='module = torch.export.load({file}).module()\n'
        "{result} = module(torch.from_numpy({array})).detach().numpy()",
    ),
}  # fmt: skip


def written(name: str, model: Model, wanted: Wanted, folder: Path) -> Outcome[tuple[str, ...]]:
    """The names of the files of a format, which is written into a folder; or why it cannot be."""
    format_ = FORMATS[name]
    if (found := unfit(name, model.trained)) is not None:
        return Outcome(None, (found,))
    try:
        with _quiet():
            return format_.write(model, wanted, folder)
    except (MemoryError, OSError, ModuleNotFoundError):
        raise
    except Exception as error:  # a converter raises whatever it comes to
        if name == "onnx":
            raise  # an internal error: every network has an ONNX model
        reason = f"{type(error).__name__}: {one_line(str(error))[:200]}".rstrip(": ")
        failed = _not_exportable(model.program.name, format_, reason)
        return Outcome(None, (failed.with_fix("`--to onnx` has every network"),))


def unfit(name: str, trained: Trained) -> Diagnostic | None:
    """Why a network cannot be in a format, whatever its converter knows; None where it may."""
    if trained.task.truth != BOXES or FORMATS[name].finds:
        return None
    reason = "how many boxes stay is known only when it runs, and what is converted has no loop for that"
    found = _not_exportable(trained.program.name, FORMATS[name], reason)
    others = "`--to onnx` and `--to openvino` find boxes in the model"
    return found.with_fix(f"{others}; `spine compile --to torch --detect` writes a PyTorch file with a method `detect`")


def _not_exportable(network: str, format_: Format, reason: str) -> Diagnostic:
    found: Diagnostic = say.NOT_EXPORTABLE.at(
        Source("", "").span(0, 0), network=network, format=format_.title, reason=reason
    )
    return found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what converters print and log on their way."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), quiet():
        warnings.simplefilter("ignore")
        yield
