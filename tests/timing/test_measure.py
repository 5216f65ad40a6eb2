"""Measuring: turns, figures that follow from times, and what is told of engines that cannot.

No test knows how fast anything is: clocks are counters.
"""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from spinedsl import api
from spinedsl.backends.onnx import emit_model
from spinedsl.backends.onnx.target import Target
from spinedsl.diagnostics import Outcome
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run as interpreted
from spinedsl.timing import engines, measure, memory, peak
from spinedsl.timing.engines import ENGINES, Engine, Job, Opened
from spinedsl.timing.machine import Machine
from spinedsl.timing.measure import LEAST, Clocks, Limit, bench, error_of
from spinedsl.timing.plot import plot
from spinedsl.timing.report import Bench, Timing
from tests.building import weights_for
from tests.cli.running import NET

MACHINE = Machine("a processor", 2, ("AVX2",), 2**40)
FAST = peak.Kernel(1, lambda: None)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    (tmp_path / "net.spine").write_text(NET)
    program = api.program(tmp_path / "net.spine")
    return Job(program, weights_for(flatten(program)), tmp_path)


def ticking() -> Callable[[], float]:
    """A clock that is a second further each time that it is asked."""
    counter = itertools.count()
    return lambda: float(next(counter))


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "fastest", lambda clock: FAST)
    monkeypatch.setattr(measure, "PROBED", 1)


def measured(job: Job, *names: str, limit: Limit | None = None, machine: Machine = MACHINE) -> Outcome[Bench]:
    return bench(job, names, limit or Limit(rounds=2), lambda text: None, Clocks(ticking(), ticking()), machine)


# ---- engines ----


@pytest.mark.parametrize("name", [name for name in ENGINES if name not in ("torch-compiled", "int8")])
@pytest.mark.parametrize("batch", [1, 2])
def test_each_engine_computes_the_network(name: str, batch: int, job: Job) -> None:
    """In the precision that it is called after, as the reference interpreter does in float64."""
    job = Job(job.program, job.weights, job.folder, batch=batch)
    opened = ENGINES[name].open(job)
    expected = interpreted(flatten(job.program), job.weights, job.image, dtype=np.float64)
    far = error_of({one: expected[one] for one in job.program.outputs}, opened.run())
    assert far is not None
    assert opened.precision in name or "bfloat16" not in name or opened.note
    assert far < (1e-5 if opened.precision == "float32" else 0.05)


def test_numbers_that_are_none_are_no_small_error() -> None:
    one, none = np.ones(3), np.array([1, np.nan, 2])
    for found in ({"a": one, "b": none}, {"a": none, "b": one}):
        far = error_of({"a": one, "b": one}, found)
        assert far is not None
        assert np.isnan(far)
    assert error_of({"a": one}, {"a": np.array([np.inf, 1, 1])}) == np.inf


def test_a_compiled_module_is_compiled_before_it_is_measured(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    calls: list[object] = []

    def compiled(module: Any) -> Any:
        def run(image: Any) -> Any:
            calls.append(image)
            return module(image)

        return run

    monkeypatch.setattr(torch, "compile", compiled)
    opened = ENGINES["torch-compiled"].open(job)
    assert len(calls) == 1
    opened.run()
    assert len(calls) == 2


def test_openvino_computes_in_float32_where_it_says_so(job: Job) -> None:
    opened = ENGINES["openvino"].open(job)
    assert (opened.precision, opened.note) == ("float32", "")


def given(job: Job, change: Callable[[onnx.ModelProto], object], **more: Any) -> Job:
    """With a model of the network, changed, as its int8 model."""
    model = onnx.load_model_from_string(emit_model(job.program, job.weights, **more))
    change(model)
    path = job.folder / "given.onnx"
    onnx.save(model, path)
    return Job(job.program, job.weights, job.folder, int8=path)


def test_a_model_that_is_given_is_run(job: Job) -> None:
    opened = ENGINES["int8"].open(given(job, lambda model: None))
    assert (opened.precision, opened.note) == ("int8", "")
    assert error_of(ENGINES["onnxruntime-O0"].open(job).run(), opened.run()) == 0


def test_one_that_takes_pictures_gets_some(job: Job) -> None:
    def pictures(model: onnx.ModelProto) -> None:
        (image,) = model.graph.input
        before = [
            onnx.helper.make_node("Cast", ["pictures"], ["numbers"], to=1),
            onnx.helper.make_node("Transpose", ["numbers"], [image.name], perm=[0, 3, 1, 2]),
        ]
        nodes = [*before, *model.graph.node]
        del model.graph.node[:], model.graph.input[:]
        model.graph.node.extend(nodes)
        shape: list[str | int | None] = ["N", "height", "width", 3]
        model.graph.input.append(onnx.helper.make_tensor_value_info("pictures", onnx.TensorProto.UINT8, shape))

    opened = ENGINES["int8"].open(given(job, pictures))
    assert opened.run().keys() == {"C2"}
    assert opened.note == engines.OF_PICTURES


def _renamed(model: onnx.ModelProto) -> None:
    (entry,) = (entry for entry in model.metadata_props if entry.key == "spine.network")
    entry.value = "Other"


@pytest.mark.parametrize(
    ("change", "more", "reason"),
    [
        (_renamed, {}, "it is a model of network `Other`"),
        (lambda model: model.metadata_props.clear(), {}, "it is a model of no network that spine compiled"),
        (lambda model: None, {"target": Target(batch=3)}, "it takes 3 x 3 x 16 x 16, and what is measured is 1 x 3"),
        (lambda model: model.graph.node[0].ClearField("op_type"), {}, "ONNX Runtime does not load it ("),
    ],
)
def test_one_of_another_network_or_size_is_refused(change: Any, more: Any, reason: str, job: Job) -> None:
    outcome = measured(given(job, change, **more), "int8")
    (found,) = outcome.diagnostics
    assert found.code.id == "E0942"
    assert reason in found.message


# ---- turns ----


def _recording(monkeypatch: pytest.MonkeyPatch, **runs: Callable[[], Mapping[str, Any]]) -> None:
    """Engines of these names, which do this."""

    def engine(name: str, run: Callable[[], Mapping[str, Any]]) -> Engine:
        return Engine(name, (), lambda job: Opened(run))

    monkeypatch.setattr(measure, "ENGINES", {name: engine(name, run) for name, run in runs.items()})


def _counting(name: str, ran: list[str]) -> Callable[[], Mapping[str, Any]]:
    """What an engine does that only writes down that it ran."""

    def run() -> Mapping[str, Any]:
        ran.append(name)
        return {}

    return run


def test_engines_take_turns_and_none_is_always_the_first(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    quick(monkeypatch)
    _recording(monkeypatch, **{name: _counting(name, ran) for name in "abc"})
    report = measured(job, "a", "b", "c", limit=Limit(rounds=3)).value
    assert report is not None
    assert "".join(ran) == "abc" + "abc" + "bca" + "cab", "each once to be ready, then in rounds"
    assert [len(one.cpu) for one in report.timings] == [3, 3, 3]
    assert {value for one in report.timings for value in (*one.cpu, *one.wall)} == {1.0}


def test_time_ends_rounds_but_there_are_always_some(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    _recording(monkeypatch, a=dict)
    for seconds, rounds in ((0.0, LEAST), (1e9, 40)):
        report = measured(job, "a", limit=Limit(40, seconds)).value
        assert report is not None
        assert report.rounds == rounds


def test_an_engine_that_fails_is_named_before_any_round(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def fails() -> Mapping[str, Any]:
        raise RuntimeError("no\nkernel " + "x" * 1000)

    quick(monkeypatch)
    _recording(monkeypatch, fine=_counting("fine", ran), broken=fails)
    (found,) = measured(job, "fine", "broken").diagnostics
    assert found.code.id == "E0940"
    assert found.message.startswith("broken does not run network `Net`: RuntimeError: no")
    assert len(found.message) < 300
    assert ran == ["fine"]


def test_what_does_not_fit_into_memory_is_not_begun(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    _recording(monkeypatch, a=dict)
    large = Job(job.program, job.weights, job.folder, batch=10**6)
    (found,) = measured(large, "a", machine=Machine("small", 1, (), 2**30)).diagnostics
    assert found.code.id == "E0941"
    assert "1.0 GiB are free" in found.message
    assert measured(job, "a", machine=Machine("small", 1, (), 2**30)).value is not None
    assert measured(job, "a", machine=Machine("silent", 1, (), None)).value is not None


# ---- figures ----


def timing(name: str, *cpu: float, wall: float = 1.0, error: float | None = 0.0) -> Timing:
    return Timing(name, name, "float32", cpu, tuple(wall * one for one in cpu), 0.5, 2**20, error)


def reported(*timings: Timing, peaks: tuple[float, ...] = (100.0, 100.0, 200.0), threads: int = 1) -> Bench:
    return Bench("Net", (1, 3, 16, 16), 100, threads, MACHINE, peaks, timings)


def test_figures_follow_from_times() -> None:
    first, second = timing("first", 1.0, 2.0, 4.0), timing("second", 2.4, 0.3, 1.6)
    report = reported(first, second)
    assert (first.best, first.median) == (1.0, 2.0)
    assert first.spread == (3.0 - 1.5) / 2.0, "the quartiles are 1.5 and 3"
    assert timing("once", 3.0).spread == 0.0
    assert (report.ratio(first), report.ratio(second)) == (1.0, 0.4), "of rounds: 2.4, 0.15 and 0.4"
    assert report.share(first) == 0.5, "of rounds: 100 / 1 / 100, 100 / 2 / 100 and 100 / 4 / 200"
    assert report.peak == 100.0


def test_a_busy_machine_is_noticed() -> None:
    assert not reported(timing("a", 1.0, 1.0, 1.0)).busy
    assert reported(timing("a", 1.0, 1.0, 1.0), timing("b", 1.0, 1.0, 1.0, wall=2.0)).busy
    assert not reported(timing("b", 1.0, 1.0, 1.0, wall=2.0), threads=2).busy


def test_errors_are_relative_and_of_the_worst_output() -> None:
    one = {"a": np.array([3.0, 4.0]), "b": np.zeros(2)}
    assert error_of(one, one) == 0
    assert error_of(one, {"a": np.array([3.0, 4.5]), "b": np.zeros(2)}) == pytest.approx(0.1)
    assert error_of(one, {"a": np.array([3.0, 4.5]), "b": np.array([0.0, 2.0])}) == 2.0
    assert error_of(one, {"a": np.zeros(3), "b": np.zeros(2)}) == float("inf")
    assert error_of(one, {"a": np.zeros(2)}) is None


def test_json_has_every_time() -> None:
    found = reported(timing("a", 1.0, 2.0, 4.0)).to_json()
    assert found["engines"][0]["cpu"] == [1.0, 2.0, 4.0]
    assert found["engines"][0]["median"] == 2.0
    assert found["rounds"] == 3
    assert "memory" not in found["machine"], "what is free now says nothing tomorrow"


def test_the_picture_has_a_bar_as_long_as_the_median() -> None:
    svg = plot(reported(timing("short <&>", 1.0, 1.0, 1.0), timing("long", 2.0, 2.0, 2.0)))
    ET.fromstring(svg)
    widths = [float(width) for width in re.findall(r'<rect x="\d+"[^>]* width="([\d.]+)"', svg)]
    assert widths[1] == pytest.approx(2 * widths[0])
    assert "short &lt;&amp;&gt;" in svg
    assert "1000.0 ms" in svg


# ---- what a core can do, and memory ----


def test_the_fastest_kernel_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that goes on with what the kernels say that they take."""
    now = [0.0]

    def taking(seconds: float) -> Callable[[], object]:
        def run() -> None:
            now[0] += seconds

        return run

    kernels = [peak.Kernel(10**8, taking(2.0)), peak.Kernel(10**8, taking(1.0)), peak.Kernel(10**8, taking(4.0))]
    monkeypatch.setattr(peak, "_kernels", lambda: iter(kernels))
    assert peak.fastest(lambda: now[0]) is kernels[1]
    assert kernels[1].rate(lambda: now[0], 3e8) == 1e8


def test_kernels_multiply_and_add_as_often_as_they_say() -> None:
    """Of those that are installed here; PyTorch counts its own."""
    from torch.utils.flop_counter import FlopCounterMode

    kernels = list(peak._kernels())
    assert len(kernels) == 2 * len(peak.SIDES) + 1
    with FlopCounterMode(display=False) as counter:
        kernels[-1].run()
    assert counter.get_total_flops() == 2 * kernels[-1].work
    assert [kernel.work for kernel in kernels[:-1:2]] == [side**3 for side in peak.SIDES]
    for kernel in kernels:
        kernel.run()


def test_memory_is_what_the_work_adds() -> None:
    """64 MiB, give or take what the interpreter itself needs; the same again after it was freed."""
    for _ in range(2):
        size, found = memory.added_by(lambda: np.ones(2**23).nbytes)
        assert size == 2**26
        assert found is None or 0.95 * 2**26 < found < 1.2 * 2**26


def test_where_the_system_does_not_tell_there_is_no_figure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "CLEAR", tmp_path / "no" / "file")
    assert memory.added_by(lambda: 5) == (5, None)


def test_the_command_lists_the_engines_that_there_are() -> None:
    """It knows them without NumPy."""
    from spinedsl.timing import names as command

    assert tuple(engines.ENGINES) == command.LISTED
    assert {name: command.needs(name) for name in ENGINES} == {name: one.packages for name, one in ENGINES.items()}
    assert {name for name, one in ENGINES.items() if not one.usual} == set(command.UNASKED)
