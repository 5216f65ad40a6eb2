"""The engines of the bench: how each opens a network, and what it is to be told so that it does what its name says.

In: a `Job`. Out: an `Opened`: a function that runs the image once, and what precision the engine computes in. Each is a
row of `ENGINES`; packages are imported when an engine is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spinedsl.agreement import Size, image
from spinedsl.agreement.witnesses import openvino_ports
from spinedsl.backends import Options
from spinedsl.diagnostics.plain import one_line
from spinedsl.ops.program import Program
from spinedsl.record import Record

Array: TypeAlias = NDArray[Any]
FLOAT, BFLOAT, INT8 = "float32", "bfloat16", "int8"
OF_PICTURES = "this model takes pictures: to prepare them, and what its task makes of the outputs, is in its time too"


class Misfit(Exception):
    """A model that was given is none of this network at this size: in a sentence."""


class Job(Record, eq=False):
    """A network at one size, and how it is run. Models go into `folder`; `int8` is one that was given."""

    program: Program
    weights: Mapping[str, Array]
    folder: Path
    batch: int = 1
    threads: int = 1
    seed: int = 0  # of the image
    int8: Path | None = None

    @cached_property
    def image(self) -> Array:
        """Random numbers of float32, (batch, channels, height, width)."""
        given = self.program.input_type
        return image(self.program, Size(self.batch, given.height, given.width), self.seed)

    @cached_property
    def module(self) -> Any:
        """The generated PyTorch module."""
        import torch  # noqa: PLC0415

        from spinedsl.agreement.witnesses import module_of  # noqa: PLC0415

        torch.set_num_threads(self.threads)
        return module_of(self.program, self.weights, np.float32)

    def model(self, level: int) -> Path:
        """The ONNX model at a level of passes; that of level 2 is for ONNX Runtime.

        Raises:
            ValueError: it is too large, or the network fixes the batch; `backends.onnx.emit` says it in diagnostics.
        """
        from spinedsl.backends.onnx import emit  # noqa: PLC0415

        path = self.folder / f"O{level}" / f"{self.program.name}.onnx"
        if not path.exists():
            runtime = "onnxruntime" if level > 1 else ""
            options = Options(weights=self.weights, batch=self.batch, optimise=level, runtime=runtime)
            made = emit(self.program, options)
            if made.value is None:
                raise ValueError("; ".join(one.message for one in made.diagnostics))
            path.parent.mkdir()
            for name, data in made.value.items():
                path.with_name(name).write_bytes(data)
        return path


class Opened(Record, eq=False):
    """An engine with a network in it. `run` gives the outputs by name, `precision` is what it computes in."""

    run: Callable[[], Mapping[str, Array]]
    precision: str = FLOAT
    note: str = ""


class Engine(Record, eq=False):
    """An engine: its name in tables, the packages that it takes, and how it opens a job.

    `usual` engines run where none are named and their packages are there.
    """

    title: str
    packages: tuple[str, ...]
    open: Callable[[Job], Opened]
    usual: bool = True


# ---- PyTorch ----


def _torch(job: Job) -> Opened:
    return Opened(_forward(job.module, _tensor(job)))


def _channels_last(job: Job) -> Opened:
    import copy  # noqa: PLC0415

    import torch  # noqa: PLC0415

    module = copy.deepcopy(job.module).to(memory_format=torch.channels_last)
    return Opened(_forward(module, _tensor(job).contiguous(memory_format=torch.channels_last)))


def _inference(job: Job) -> Opened:
    import torch  # noqa: PLC0415

    from spinedsl.agreement.witnesses import module_for_inference  # noqa: PLC0415

    torch.set_num_threads(job.threads)
    module = module_for_inference(job.program, job.weights)
    return Opened(_forward(module, _tensor(job).contiguous(memory_format=torch.channels_last)))


def _compiled(job: Job) -> Opened:
    import torch  # noqa: PLC0415

    run = _forward(torch.compile(job.module), _tensor(job))
    run()  # compiles
    return Opened(run)


def _tensor(job: Job) -> Any:
    import torch  # noqa: PLC0415

    return torch.from_numpy(job.image)


def _forward(module: Any, image: Any) -> Callable[[], Mapping[str, Array]]:
    import torch  # noqa: PLC0415

    def run() -> Mapping[str, Array]:
        with torch.inference_mode():
            return {name: value.numpy() for name, value in module(image).items()}

    return run


# ---- ONNX Runtime ----


def _onnx_runtime(job: Job, level: int) -> Opened:
    session = _session(job.model(level), job.threads)
    return Opened(_fed(session, {session.get_inputs()[0].name: job.image}))


def _int8(job: Job) -> Opened:
    assert job.int8 is not None
    try:
        session = _session(job.int8, job.threads)
    except Exception as error:
        raise Misfit(f"ONNX Runtime does not load it ({one_line(str(error))[:160]})") from error
    image = _fitting(session, job)
    note = OF_PICTURES if image.dtype == np.uint8 else ""
    return Opened(_fed(session, {session.get_inputs()[0].name: image}), INT8, note)


def _session(path: Path, threads: int) -> Any:
    """A session that leaves the cores alone while it does nothing, since engines run in turns."""
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _fed(session: Any, feed: Mapping[str, Array]) -> Callable[[], Mapping[str, Array]]:
    names = [output.name for output in session.get_outputs()]
    return lambda: dict(zip(names, session.run(names, feed), strict=True))


def _fitting(session: Any, job: Job) -> Array:
    """The image as a model that was given takes it: numbers, or pixels of a picture.

    Raises:
        Misfit: it is a model of another network, or of another size or batch.
    """
    network = session.get_modelmeta().custom_metadata_map.get("spine.network")
    if network != job.program.name:
        raise Misfit(f"it is a model of {f'network `{network}`' if network else 'no network that spine compiled'}")
    (given, *others) = session.get_inputs()
    batch, channels, height, width = job.image.shape
    pixels = given.type == "tensor(uint8)"
    wanted = (batch, height, width, channels) if pixels else job.image.shape
    takes = tuple(given.shape)
    fits = len(takes) == 4 and all(b == a or not isinstance(a, int) for a, b in zip(takes, wanted, strict=True))
    if others or not fits:
        raise Misfit(f"it takes {' x '.join(map(str, takes))}, and what is measured is {' x '.join(map(str, wanted))}")
    if not pixels:
        return job.image
    return np.random.default_rng(0).integers(0, 256, wanted, dtype=np.uint8)


# ---- OpenVINO ----


def _openvino(job: Job, precision: str) -> Opened:
    import openvino  # noqa: PLC0415

    hint = {FLOAT: "f32", BFLOAT: "bf16"}[precision]
    core = openvino.Core()
    how = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": job.threads, "NUM_STREAMS": 1}
    compiled = core.compile_model(core.read_model(job.model(0)), "CPU", how)
    ports = openvino_ports(compiled, job.program.outputs)

    def run() -> Mapping[str, Array]:
        found = compiled({0: job.image}, share_inputs=True)
        return {name: np.array(found[port]) for name, port in ports.items()}

    computes = BFLOAT if "bf" in str(compiled.get_property("INFERENCE_PRECISION_HINT")) else FLOAT
    note = "" if computes == precision else f"computes in {computes}: this processor has no {precision}"
    return Opened(run, computes, note)


# ---- the table ----

ENGINES: Mapping[str, Engine] = {
    "torch": Engine("PyTorch", ("torch",), _torch),
    "torch-channels-last": Engine("PyTorch, channels last", ("torch",), _channels_last),
    "torch-inference": Engine("PyTorch, --inference", ("torch",), _inference),
    "torch-compiled": Engine("PyTorch, compiled", ("torch",), _compiled, usual=False),
    "onnxruntime-O0": Engine("ONNX Runtime, -O0", ("onnx", "onnxruntime"), partial(_onnx_runtime, level=0)),
    "onnxruntime-O1": Engine("ONNX Runtime, -O1", ("onnx", "onnxruntime"), partial(_onnx_runtime, level=1)),
    "onnxruntime-O2": Engine("ONNX Runtime, -O2", ("onnx", "onnxruntime"), partial(_onnx_runtime, level=2)),
    "openvino": Engine("OpenVINO, float32", ("onnx", "openvino"), partial(_openvino, precision=FLOAT)),
    "openvino-bfloat16": Engine("OpenVINO, bfloat16", ("onnx", "openvino"), partial(_openvino, precision=BFLOAT)),
    "int8": Engine("ONNX Runtime, int8", ("onnxruntime",), _int8, usual=False),
}
