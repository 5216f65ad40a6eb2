"""`spinedsl.quantize`: an int8 model of a network, calibrated on pictures, with the rows that suffer most in float.

In: a network with values, pictures, a limit of the error. Out: a `Quantized`: the model, the error of each row and,
where labelled images are given, the figures of the task before and after.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinedsl import api, extras
from spinedsl import checks as say
from spinedsl.backends import DEFAULT_OPSET, OPSETS
from spinedsl.brief import counted, cut, html_table, table
from spinedsl.diagnostics import Diagnostics, nearest, one_of
from spinedsl.diagnostics.plain import one_line
from spinedsl.given import File, names_of, path_of, size_of, whole
from spinedsl.ops.graph import flatten
from spinedsl.performance.bench import checkpoint_alone
from spinedsl.performance.given import Given, fitted, is_checkpoint
from spinedsl.quantise.engines import ENGINES, PACKAGES, USUAL, version
from spinedsl.record import Record, field
from spinedsl.writing import write_file

if TYPE_CHECKING:
    from spinedsl.inference.evaluation import Evaluation
    from spinedsl.quantise.choose import Choice, Pictures
    from spinedsl.quantise.network import Float
    from spinedsl.weights import Weights

Hear = Callable[[str], None]
USUAL_ERROR = 0.05
PICTURES = 64
MEASURED = 16  # pictures at most that errors are measured on


class Wanted(Record, eq=False):
    """How a network becomes int8. `data` are labelled images, `calibrate` the place of pictures."""

    calibrate: str
    images: int = PICTURES
    data: str | None = None
    error: float = USUAL_ERROR
    keep: tuple[str, ...] = ()
    reduce_range: bool = False
    opset: int = DEFAULT_OPSET
    engine: str = USUAL

    @property
    def packages(self) -> tuple[str, ...]:
        """What that takes."""
        return (*extras.INFERENCE, *PACKAGES[self.engine])


class Quantized(Record, eq=False):
    """An int8 model, and how far it is from the float network. It prints as a table, a line for each row.

    `model` is the ONNX file, sealed as `compile` seals it; `calibrated` and `measured` are numbers of pictures;
    `figures` the evaluations of the float network and of the model, where labelled images were given. Errors are the
    largest relative difference (L2) of any output from the float network's.
    """

    network: str
    model: bytes = field(repr=False)
    choice: Choice = field(repr=False)
    calibrated: int
    measured: int
    float_bytes: int
    figures: tuple[Evaluation, Evaluation] | None = field(default=None, repr=False)
    apart: bool = True  # some picture that was measured on was not calibrated on
    engine: str = USUAL  # that placed the int8 operations

    def __brief__(self) -> str:
        rows = counted(len(self.kept), "row")
        but = f", {rows} in float" if self.kept else ""
        return f"{cut(self.network, 40)} in int8{but}: error {self.error:.4f} on {counted(self.measured, 'picture')}"

    @property
    def error(self) -> float:
        """The error of the model."""
        return self.choice.error

    @property
    def error_all_int8(self) -> float:
        """The error with no row in float that was not asked for."""
        return self.choice.whole

    @property
    def kept(self) -> tuple[str, ...]:
        """The rows that stay float."""
        return self.choice.kept

    @property
    def reported(self) -> Diagnostics:
        """What is worth a word about the labelled images."""
        return self.figures[0].reported if self.figures is not None else Diagnostics(())

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model: whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        write_file(Path(path), self.model)

    def rows(self) -> list[tuple[str, ...]]:
        """The table of rows, with its head."""
        return [
            ("row", "convolutions", "error alone", ""),
            *(
                (
                    row.name,
                    str(row.heavy),
                    f"{row.error:.4f}",
                    ("float, as asked" if row.asked else "float") if row.kept else "int8",
                )
                for row in self.choice.rows
                if row.heavy or row.error
            ),
        ]

    def compared(self) -> list[tuple[str, ...]]:
        """The table of the task's figures, with its head; empty where there are none."""
        if self.figures is None:
            return []
        first, second = (one.figures for one in self.figures)
        both = [
            (name, f"{one.value:.4f}", f"{second[name].value:.4f}", f"{second[name].value - one.value:+.4f}")
            for name, one in first.items()
            if name in second
        ]
        return [("figure", "float", "int8", "difference"), *both]

    def __str__(self) -> str:
        """A line for each row, and below them the figures of the task."""
        lines = table(self.rows(), left=(0, 3))
        return "\n".join([*lines, *(["", *table(self.compared())] if self.figures is not None else [])])

    def _repr_html_(self) -> str:
        tables = [html_table(rows[1:], rows[0]) for rows in (self.rows(), self.compared()) if rows]
        return f"<p>{escape(self.__brief__())}</p>{''.join(tables)}"

    def to_json(self) -> dict[str, Any]:
        """All of it but the model, as JSON can hold it."""
        found: dict[str, Any] = {
            "network": self.network, "engine": self.engine, "error": self.error, "error_all_int8": self.error_all_int8,
            "pictures": {"calibrated": self.calibrated, "measured": self.measured}, "bytes": len(self.model),
            "rows": [
                {"name": row.name, "convolutions": row.heavy, "error": row.error, "float": row.kept}
                for row in self.choice.rows
            ],
        }  # fmt: skip
        if self.figures is not None:
            first, second = (one.figures for one in self.figures)
            found["figures"] = {
                name: {"float": _number(one.value), "int8": _number(second[name].value)}
                for name, one in first.items()
                if name in second
            }
        return found


def quantize(
    file: File,
    *,
    calibrate: str | PathLike[str],
    network: str | None = None,
    size: tuple[int, int] | None = None,
    weights: str | PathLike[str] | Weights | None = None,
    seed: int | None = None,
    images: int = PICTURES,
    data: str | PathLike[str] | None = None,
    error: float = USUAL_ERROR,
    keep: Iterable[str] = (),
    reduce_range: bool = False,
    opset: int = DEFAULT_OPSET,
    engine: str = USUAL,
    hear: Hear | None = None,
) -> Quantized:
    """Make an int8 ONNX model of a network, as `spine quantize` does; `save` of the result writes it.

    The graph of level 1 becomes int8, with a scale for each channel of a kernel; the last convolutions and linear
    layers before the outputs stay float. Each row is tried alone, and the worst stay float, as few as it takes for the
    whole error to be at most `error`. Of a checkpoint the model takes pictures and does what the task asks for.

    Args:
        file: path of a `.spine` file, or a `Source`; or a checkpoint of a training, or the folder of its run.
        calibrate: pictures: a folder, a list, a pattern or a file. They are prepared as the checkpoint says.
        network: which network, where the file has several.
        size: (height, width) of the input in pixels, instead of the file's.
        weights: a file that `read_weights` reads, or one that was read; a checkpoint's path brings task and
            preprocessing too. Without it, values made from `seed`.
        seed: seed of the values, 0 where none is given.
        images: how many of the pictures, evenly spread, 2 or more; a quarter of them, 16 at most, is for measuring.
        data: images with labels, to judge by the checkpoint's task.
        error: the largest relative difference (L2) that an output may have, above 0, up to 1.
        keep: rows that stay float.
        reduce_range: weights of 7 bits, for x86 processors without VNNI, whose sums overflow.
        opset: version of ONNX's operators, from 13 to 23.
        engine: what places the int8 operations: `onnxruntime` or `nncf`. ONNX Runtime alone runs the model of either.
        hear: is told what is being done, in a few words, as it begins.

    Raises:
        Mistakes: the file, the weights, the pictures or the images have mistakes, or nothing can become int8.
        NetworkChoice: several networks and none chosen, or an unknown one.
        OptionChoice: a row or a number that cannot be, or an option that a checkpoint has itself.
        MissingPackage: packages are not installed that this needs; it is an `ImportError`.
    """
    pictures = path_of(calibrate, "pictures", "a folder of them")
    labelled = None if data is None else path_of(data, "labelled images", "a folder of them")
    if whole(images, "images") < 2:
        raise api.OptionChoice("images", f"is 2 or more pictures, got {images}")
    if not 0 < error <= 1:
        raise api.OptionChoice("error", f"is a number above 0, up to 1, got {error!r}")
    if opset not in OPSETS:
        raise api.OptionChoice("opset", f"is from {OPSETS[0]} to {OPSETS[-1]}, got {opset!r}")
    if engine not in ENGINES:
        raise api.OptionChoice("engine", f"is {one_of(ENGINES)}, got {engine!r}")
    wanted = Wanted(
        pictures, images, labelled, error, names_of(keep, "keep", "('s', 'b1')"), reduce_range, opset, engine
    )  # fmt: skip
    extras.require(*wanted.packages)
    return quantized(_given(file, network, size, weights, seed), wanted, hear or (lambda text: None))


def _given(
    file: File,
    network: str | None,
    size: tuple[int, int] | None,
    weights: str | PathLike[str] | Weights | None,
    seed: int | None,
) -> Given:
    if is_checkpoint(file):
        return checkpoint_alone(file, network=network, size=size, weights=weights, seed=seed)
    if weights is not None and seed is not None:
        raise api.OptionChoice("seed", "makes values, and `weights` brings them: leave one out")
    from spinedsl.ops.initial import seeded  # noqa: PLC0415  NumPy is only needed here

    path = Path(weights) if isinstance(weights, str | PathLike) else None
    read = None if weights is None else api.read_weights(weights)
    found = fitted(
        api.program(file, network=network, size=size), path, sized=size_of(size) is not None,
        at=lambda height, width: api.program(file, network=network, size=(height, width)),
    )  # fmt: skip
    assert found is not None  # mistakes are raised
    if read is None:
        tensors = seeded(flatten(found.program).parameters, whole(seed or 0, "seed"))
    else:
        tensors = api.tensors_of(found.program, read)
    origin = f"seed {seed or 0}" if read is None else Path(read.path).name
    return Given(found.program, tensors, found.pre, origin, found.trained, str(path or ""))


def quantized(given: Given, wanted: Wanted, hear: Hear) -> Quantized:
    """The model of a network with values.

    Raises:
        Mistakes: something is wrong with pictures or images, or nothing can become int8.
        OptionChoice: a row that stays float is none, or images have labels and no task is named.
    """
    if wanted.data is not None and given.trained is None:
        raise api.OptionChoice("data", "judges by the task of a checkpoint, and none is named")
    from spinedsl.quantise.choose import choose  # noqa: PLC0415  NumPy and ONNX are only needed here
    from spinedsl.quantise.network import Float, runner  # noqa: PLC0415

    if given.trained is not None and wanted.data is not None:
        from spinedsl.quantise.judge import see_data  # noqa: PLC0415  torch is only needed here

        see_data(given.trained, Path(given.checkpoint), wanted.data)
    network = Float(given.program, given.tensors, wanted.opset)
    _see_rows(wanted, network)
    pictures = _pictures(given, wanted)
    hear("computing the outputs in float")
    _see_finite(given, wanted, network, pictures)
    choice = choose(
        network, pictures, keep=wanted.keep, limit=wanted.error, reduce_range=wanted.reduce_range,
        engine=wanted.engine, hear=hear,
    )  # fmt: skip
    _see_int8(given, wanted, choice)
    figures = None
    if given.trained is not None and wanted.data is not None:
        from spinedsl.quantise.judge import judged  # noqa: PLC0415  as above

        hear("judging by the task")
        figures = judged(given.trained, runner(choice.model), Path(given.checkpoint), wanted.data)
    model = _model(given, wanted, network, choice, pictures)
    before = sum(4 * parameter.elements for parameter in flatten(given.program).parameters.values())
    numbers = len(pictures.calibrate), len(pictures.measure)
    return Quantized(given.program.name, model, choice, *numbers, before, figures, pictures.apart, wanted.engine)


def _see_rows(wanted: Wanted, network: Float) -> None:
    for name in wanted.keep:
        if name not in network.rows:
            near = nearest(name, network.rows)
            hint = f"did you mean `{near}`?" if near else f"there are {one_of(network.rows, conjunction='and')}"
            raise api.OptionChoice("keep", f"names rows: no row `{one_line(name)}` can become int8; {hint}")


def _pictures(given: Given, wanted: Wanted) -> Pictures:
    """Pictures as the network takes them: three quarters to calibrate, the others to measure; one alone does both."""
    import numpy as np

    from spinedsl.inference.compared import pictures_in  # noqa: PLC0415
    from spinedsl.quantise.choose import Pictures  # noqa: PLC0415

    found = pictures_in(Path(wanted.calibrate), given.pre, boxes=given.finds_boxes, most=wanted.images)
    if found.value is None:
        raise api.Mistakes(found.diagnostics)
    images = [given.pre.apply(pixels)[None] for pixels in found.value.pictures]
    apart = {*range(3, len(images), 4)} or {len(images) - 1}
    measured = [images[number] for number in sorted(apart)][:MEASURED]
    calibrated = [image for number, image in enumerate(images) if number not in apart] or images
    seen = {image.tobytes() for image in calibrated}
    other = any(image.tobytes() not in seen for image in measured)
    return Pictures(calibrated, np.concatenate(measured), apart=other)


def _see_finite(given: Given, wanted: Wanted, network: Float, pictures: Pictures) -> None:
    """See that the outputs in float are numbers: against others, no error can be told."""
    import numpy as np

    for images in (*pictures.calibrate, pictures.measure):
        odd = [name for name, output in network.run(images).items() if not np.isfinite(output).all()]
        if odd:
            found = say.OUTPUT_NOT_FINITE.at(given.place, network=given.program.name, path=wanted.calibrate)
            raise api.Mistakes([found.with_notes(f"in float, with the values of {given.origin}: output `{odd[0]}`")])


def _see_int8(given: Given, wanted: Wanted, choice: Choice) -> None:
    """See that something became int8."""
    if any(row.heavy and not row.kept for row in choice.rows):
        return
    reason = "it has no convolution and no linear layer before its last ones"
    heavy = [row for row in choice.rows if row.heavy]
    if heavy and all(row.asked for row in heavy):
        names = one_of([row.name for row in heavy], conjunction="and")
        reason = f"every row that could stays float, as `keep` asks: {names}"
    elif heavy:
        reason = f"with any row in int8 the error is above {wanted.error:g}; with all of them {choice.whole:.2g}"
    raise api.Mistakes([say.NOTHING_QUANTISED.at(given.place, network=given.program.name, reason=reason)])


def _model(given: Given, wanted: Wanted, network: Float, choice: Choice, pictures: Pictures) -> bytes:
    from spinedsl.quantise.written import int8_model  # noqa: PLC0415

    about = {
        "by": version(wanted.engine), "pictures": len(pictures.calibrate),
        "reduce_range": wanted.reduce_range, "preprocessing": given.pre.to_json(),
    }  # fmt: skip
    return int8_model(network, choice, about, given.pre, given.trained, given.origin)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
