"""`spinedsl.bench`: how long a network takes in every engine, side by side.

In: a file with weights, or a checkpoint. Out: a `Bench`, which prints as a table.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from spinedsl import api, extras
from spinedsl import checks as say
from spinedsl.given import File, names_of, path_of, whole
from spinedsl.ops.graph import flatten
from spinedsl.performance.given import Given, is_checkpoint, of_checkpoint
from spinedsl.source import Source
from spinedsl.timing.names import LISTED, chosen, needs, unknown

if TYPE_CHECKING:
    from spinedsl.timing.report import Bench
    from spinedsl.weights import Weights

Hear = Callable[[str], None]


def bench(
    file: File,
    *,
    network: str | None = None,
    size: tuple[int, int] | None = None,
    weights: str | PathLike[str] | Weights | None = None,
    engines: Iterable[str] = (),
    int8: str | PathLike[str] | None = None,
    batch: int = 1,
    threads: int = 1,
    rounds: int = 30,
    seconds: float = 60.0,
    seed: int = 0,
    hear: Hear | None = None,
) -> Bench:
    """Measure how long a network takes in PyTorch, ONNX Runtime and OpenVINO, as `spine bench` does.

    Engines run in turns in this process, one batch after the other, so that what else happens on the machine meets all
    alike. Times are in seconds of the processor, summed over threads.

    Args:
        file: path of a `.spine` file, or a `Source`; or a checkpoint of a training, or the folder of its run.
        network: which network, where the file has several.
        size: (height, width) of the input in pixels, instead of the file's.
        weights: a file that `read_weights` reads, or one that was read; without it, values made from `seed`.
        engines: which ones, in this order; ratios are to the first. Without it, all that are installed, but for
            `torch-compiled`, which compiles for minutes.
        int8: an int8 model of the network, as `quantize` makes it, to run beside them.
        batch: images at once: each engine gets float32 of shape (batch, channels, height, width).
        threads: threads of each engine.
        rounds: how often each engine runs.
        seconds: after so many, and 5 rounds, no other round begins.
        seed: seed of the image, and of the values without `weights`.
        hear: is told what is being done, in a few words, as it begins.

    Raises:
        Mistakes: the file, the weights or the int8 model have mistakes, an engine cannot run the network, or the
            machine has too little memory.
        NetworkChoice: several networks and none chosen, or an unknown one.
        OptionChoice: an engine that there is not, a number that cannot be, or an option that a checkpoint has itself.
        MissingPackage: an engine, or what reads the weights, is not installed; it is an `ImportError`.
    """
    named = names_of(engines, "engines", "('torch',)")
    for name in named:
        if name not in LISTED:
            raise api.OptionChoice("engines", f"names engines: {unknown(name)}")
        if named.count(name) > 1:
            raise api.OptionChoice("engines", f"has `{name}` twice: each engine runs once a round")
    model = None if int8 is None else Path(path_of(int8, "an int8 model", "what `spinedsl.quantize` saved"))
    if model is None and "int8" in named:
        raise api.OptionChoice("engines", "has `int8`, which runs a model that is given: `int8=PATH`")
    for option, number in (("batch", batch), ("threads", threads), ("rounds", rounds)):
        if whole(number, option) < 1:
            raise api.OptionChoice(option, f"is a whole number from 1 on, got {number}")
    if not seconds > 0:
        raise api.OptionChoice("seconds", f"is a number above 0, got {seconds!r}")
    if model is not None and not model.is_file():
        reason = "it is a folder" if model.is_dir() else "no such file"
        raise api.Mistakes([say.CANNOT_READ.at(Source(str(model), "").span(0, 0), path=str(model), reason=reason)])
    asked = chosen(named, int8=model is not None)
    extras.require("numpy", *(package for name in asked for package in needs(name)))
    from spinedsl.ops.initial import seeded  # noqa: PLC0415  NumPy is only needed here
    from spinedsl.timing.engines import Job  # noqa: PLC0415
    from spinedsl.timing.measure import Limit  # noqa: PLC0415
    from spinedsl.timing.measure import bench as measured  # noqa: PLC0415

    if is_checkpoint(file):
        given = checkpoint_alone(file, network=network, size=size, weights=weights)
        program, tensors = given.program, given.tensors
    else:
        program = api.program(file, network=network, size=size)
        parameters = flatten(program).parameters
        tensors = (
            seeded(parameters, whole(seed, "seed"))
            if weights is None
            else api.tensors_of(program, api.read_weights(weights))
        )
    with tempfile.TemporaryDirectory() as folder:
        job = Job(program, tensors, Path(folder), batch, threads, whole(seed, "seed"), model)
        found = measured(job, asked, Limit(rounds, float(seconds)), hear or (lambda text: None))
    if found.value is None:
        raise api.Mistakes(found.diagnostics)
    return found.value


def checkpoint_alone(file: File, **options: object) -> Given:
    """The network of a checkpoint, which says itself what options say of a file.

    Raises:
        Mistakes: it cannot be opened.
        OptionChoice: an option is given all the same.
        MissingPackage: what opens it is not installed.
    """
    for name, value in options.items():
        if value not in (None, ()):
            raise api.OptionChoice(name, "is for a .spine file, and a checkpoint has its own: leave it out")
    extras.require("torch", "numpy", "PIL", "safetensors")
    return of_checkpoint(Path(path_of(file, "a checkpoint", "the folder of a run")))
