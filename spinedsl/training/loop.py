"""The loop: a configuration to a trained network.

In: a configuration; from Python perhaps data sets, a loss and watchers. Out: a `Result`, with checkpoints and logs in
the run's folder. A run that was interrupted or killed resumes from its last checkpoint, and on a CPU with the same
threads it is then the same run to the last bit.
"""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import torch
from torch import Tensor, nn

from spinedsl import __version__, api, extras
from spinedsl import checks as say
from spinedsl.brief import short_path
from spinedsl.data.augment import Augmentation
from spinedsl.data.loader import Loader, Recipe
from spinedsl.data.pictures import BadPicture
from spinedsl.data.sample import BadSample
from spinedsl.data.sampler import in_order
from spinedsl.data.seen import Hear
from spinedsl.data.workers import NotSent, WorkerDied
from spinedsl.diagnostics import Diagnostic, Diagnostics
from spinedsl.record import Record, field
from spinedsl.training import checkpoint as checkpoints
from spinedsl.training import optim, own
from spinedsl.training.config import Given, read_config
from spinedsl.training.devices import NoDevice, Place, place
from spinedsl.training.distributed import Group, join, leave
from spinedsl.training.files import Files
from spinedsl.training.fine import Taken, train_mode
from spinedsl.training.folder import LAST
from spinedsl.training.interrupt import interruptible
from spinedsl.training.learner import Learner, Losses, images_of
from spinedsl.training.logs import Line
from spinedsl.training.messages import diverged, stopped
from spinedsl.training.norms import lagging, recalibrate
from spinedsl.training.progress import Watcher
from spinedsl.training.ready import ready
from spinedsl.training.recompute import recompute
from spinedsl.training.resume import refused, worth_a_word
from spinedsl.training.setup import Images, Loss, Setup, fingerprint_of, set_up
from spinedsl.training.validation import validated


class Result(Record, eq=False):
    """A run that came to its end, or was interrupted: how far it got, its figures, and its checkpoints.

    `reported` has the warnings of network, images and run. Of several processes one `leads`, which writes and prints.
    """

    step: int
    finished: bool
    figures: Mapping[str, float]  # of the last validation
    folder: Path
    last: Path
    best: Path | None
    taken: Taken | None  # of other weights, where it began with some
    reported: Diagnostics = field(default_factory=Diagnostics, repr=False)
    leads: bool = True
    best_figures: Mapping[str, float] = {}  # of `best`: the one that it was chosen by

    def __brief__(self) -> str:
        shown = ", ".join(f"{name} {value:.4f}" for name, value in self.figures.items())
        return f"step {self.step} in {short_path(str(self.folder))}" + (f": {shown}" if shown else "")


def train(
    config: Given,
    *,
    data: Images | None = None,
    validation: Images | None = None,
    loss: Loss | None = None,
    resume: bool = False,
    watch: Sequence[Watcher] = (),
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    hear: Hear | None = None,
) -> Result:
    """Train a network.

    Args:
        config: path of a configuration, or its settings as a dict of tables.
        data: training images, instead of those of [data]: an object with `classes`, `__len__` and `read(index)`, which
            gives `uint8` pixels, height x width x 3 or 1, and the number of the class.
        validation: images that figures are computed on, the same.
        loss: a loss of one's own, instead of the task's: it gets the outputs by name, labels and the step. A module's
            parameters are trained too.
        resume: go on from the last checkpoint in the run's folder, where there is one.
        watch: who is told what happens.
        changes: settings by section that stand instead of the configuration's; `None` takes one away.
        hear: is told how many images of how many were looked at, before the first step.

    Raises:
        Mistakes: something is wrong with the configuration, the network, the images or a checkpoint; or a loss is not
            finite.
        TypeError: `data` or `validation` is no data set, or `loss` no function of three things.
        MissingPackage: a package is not installed that this needs.
    """
    extras.require("torch", "numpy", "PIL", "safetensors")
    own.look_at(data, validation, loss)
    read = api.valued(read_config(config, changes, images=data is not None))
    group = join(gpu=read.run["device"] != "cpu" and torch.cuda.is_available())
    try:
        made = set_up(read, data, validation, loss, group, hear)
        return _finished(api.valued(made), made.diagnostics, group, watch, resume=resume)
    except NoDevice as missing:
        found = say.NO_DEVICE.at(read.document.value(("run", "device")), reason=str(missing))
        raise api.Mistakes([found.with_fix('`device = "auto"` takes a GPU where there is one')]) from None
    finally:
        leave(group)


def _finished(
    setup: Setup, reported: Sequence[Diagnostic], group: Group, watch: Sequence[Watcher], *, resume: bool
) -> Result:
    """The run at its end. What it held of the exchange is freed when this returns, before the exchange ends."""
    try:
        with Run(setup, group, watch) as run:
            for warning in reported:
                run.warn(warning)
            run.begin(resume=resume)
            result = run.finish()
            group.wait()  # one that ended before the others would take their exchange away
            return result
    except (BadPicture, BadSample, WorkerDied, NotSent) as error:
        mistakes = api.Mistakes([stopped(setup.config, error)])
        mistakes.alone = True
        raise mistakes from None


def _way(start: Path, to: Path) -> str:
    """The way from a folder to another one, so that both may move together; without one, where it is."""
    try:
        return Path(os.path.relpath(to, start)).as_posix()
    except ValueError:  # on two drives
        return to.as_posix()


class Run:
    """A run at work: what `begin` makes ready, `finish` brings to its end."""

    def __init__(self, setup: Setup, group: Group, watch: Sequence[Watcher]) -> None:
        config = setup.config
        self.setup, self.group, self.config = setup, group, config
        self.watch = tuple(watch) if group.leads else ()
        self.steps = setup.steps
        self.place: Place = place(
            config.run["device"], config.run["precision"], channels_last=config.run["channels_last"],
            threads=config.run["threads"], local_rank=group.local_rank, local_size=group.local_size,
        )  # fmt: skip
        self.files = Files(config.path(config.run, "output") or Path(), self.watch, self.warn, leads=group.leads)
        self.figures: dict[str, float] = {}
        self.taken: Taken | None = None
        self.pending: list[tuple[int, Tensor, float]] = []  # of steps whose losses nobody has looked at yet
        self.parts: tuple[str, ...] = ()  # of losses, which stand behind the whole one in each
        self.clock, self.waited = perf_counter(), 0.0
        self.reported: list[Diagnostic] = []
        self.saved: int | None = None  # the step of the checkpoint that it goes on from
        self.asked = self.stop = False  # to stop: this process was, and all processes do
        self.open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.open.close()

    # ---- before the first step ----

    def begin(self, *, resume: bool) -> None:
        """Make network, optimizer and readers ready, and go back to where a run stopped."""
        setup, config = self.setup, self.config
        torch.manual_seed(config.run["seed"])
        found = self.files.checkpoint() if resume else None
        if resume and found is None:
            self.tell(f"there is no {LAST} in {self.files.folder}: the run begins anew")
        begun = api.valued(ready(setup, self.place, fresh=found is None))
        self.state, self.taken = begun.state, begun.taken
        for line in self.taken.lines() if self.taken is not None else ():
            self.tell(line)
        if found is not None:
            self._resume(found)
        wrapped = self.state.module
        if config.run["sync_norms"] and self.place.is_cuda and self.group.size > 1:
            wrapped = nn.SyncBatchNorm.convert_sync_batchnorm(wrapped)  # type: ignore[no-untyped-call]
        if config.run["recompute"]:
            recompute(wrapped, setup.network.program)
        self.network = self.group.wrap(wrapped, self.place.device)
        self.learner = Learner(setup, self.group, self.place, self.state, self.network)
        self.loader = self.open.enter_context(self._loader(setup.train, augmented=True))
        if found is None:
            self.files.set_aside()
        self.logs = self.files.logs(self.state.step)
        if self.logs is not None:
            self.open.callback(self.logs.close)
        self.tell(f"{self.place}")
        told = setup.task.told(setup.network.reading, config.task) if setup.loss is None else ""
        if told:
            self.tell(told)
        late = lagging(self.state.module, self.steps * config.run["accumulate"])
        if late is not None and not config.run["recalibrate"] and not config.weights["freeze_norms"]:
            self.warn(late)

    def _loader(self, images: Images, *, augmented: bool) -> Loader:
        changes = self.setup.augmentation if augmented else Augmentation()
        labels = len(images.classes) if self.setup.loss is None else 0  # a loss of one's own knows what they mean
        recipe = Recipe(images, self.setup.preprocessing, changes, self.config.run["seed"], labels)
        workers = self.config.run["workers"]
        return Loader(recipe, (2 if len(images) > 2_000 else 0) if workers is None else workers)

    def _resume(self, found: checkpoints.Checkpoint) -> None:
        wrong = refused(found, self.state, self.setup)
        if wrong is not None:
            raise api.Mistakes([wrong])
        for warning in worth_a_word(found, self.setup):
            self.warn(warning)
        self.state.restore(found)
        self.saved = self.state.step
        if self.files.best_figure() != self.state.best:  # it is gone, or that of another run
            self.state.best = None
        self.figures = dict(found.about["figures"])
        self.tell(f"resumed at step {self.state.step} of {self.steps}")

    # ---- steps ----

    def finish(self) -> Result:
        """Make all steps that are left; save at the end, or when interrupted."""
        for watcher in self.watch:
            watcher.begins(self)
        try:
            with interruptible(self.ask):
                self._train()
        finally:
            for watcher in self.watch:
                watcher.ends(self)
        known = {} if self.state.best is None else {self.setup.task.best: self.state.best}
        return Result(
            self.state.step, self.state.step >= self.steps, self.figures, self.files.folder, self.files.last,
            self.files.best if known and self.files.best.exists() else None, self.taken, Diagnostics(self.reported),
            self.group.leads, known,
        )  # fmt: skip

    def _train(self) -> None:
        while self.state.step < self.steps and not self.stop:
            until = min(self.steps, self._next(self.setup.validate_every))
            self.advance(until)
            if self.state.step < until:  # it was asked to stop
                break
            if self.setup.validation is not None:
                self._validate()
            elif self.config.run["recalibrate"] and self.state.step == self.steps:
                self._recalibrate()
            if self.state.step < self.steps:
                self._save_in_time()
        self._flush()
        if self.state.step != self.saved:  # a checkpoint that got no step stays as it is
            # What was not just saved is saved now, and this time it has to be.
            self.files.save_last(self.state, self._about, must=True)

    def _next(self, every: int) -> int:
        return (self.state.step // every + 1) * every

    def advance(self, until: int) -> None:
        """Steps up to, not including, `until`."""
        state, config = self.state, self.config
        batches = self.loader.batches(self._tasks(state.step, until))
        train_mode(state.module, self.setup.frozen, norms=config.weights["freeze_norms"])
        self.network.training = True
        self._tick()
        for step in range(state.step, until):
            rate = config.optimizer["rate"] * self.setup.schedule.rate(step)
            optim.set_rate(state.optimizer, rate)
            loss = self.learner.learn(step, batches)
            state.step = step + 1
            if state.average is not None:
                state.average.update(step)
            self._keep(step, loss, rate)
            if self.stop:
                break
            if state.step < until:  # at `until`, figures come first
                self._save_in_time()

    def _tasks(self, first: int, last: int) -> Iterator[tuple[int, int, Any]]:
        """The images of each part of each step that this process takes."""
        plan, own = self.setup.plan, self.config.run["accumulate"]
        for step in range(first, last):
            for part in range(own):
                number = self.group.rank * own + part
                yield step * self.setup.parts + number, plan.epoch(step), plan.part(step, number, self.setup.parts)

    # ---- what is reported and kept ----

    def _keep(self, step: int, losses: Losses, rate: float) -> None:
        """Remember the losses of a step; every few of them, look."""
        self.parts = tuple(losses.parts)
        loss = torch.stack([losses.whole, *losses.parts.values()])
        due = (step + 1) % self.config.run["log_every"] == 0
        look = due or not self.place.is_cuda  # to look at a number of a GPU is to wait for it
        if self.group.size > 1:
            told = self.group.mean(torch.cat([loss, loss.new_tensor([float(self.asked)])]))
            loss = told[:-1]
            self.stop = look and bool(told[-1] > 0)  # all processes stop after the same step
        else:
            self.stop = self.asked
        self.pending.append((step, loss, rate))
        if look:
            self._look()
        if due:
            self._flush()

    def _look(self) -> None:
        """See that losses are numbers."""
        for step, loss, rate in self.pending[-1:] if not self.place.is_cuda else self.pending:
            if not math.isfinite(value := float(loss[0])):
                raise api.Mistakes([self._diverged(step, value, rate)])

    def _diverged(self, step: int, value: float, rate: float) -> Diagnostic:
        return diverged(
            self.config, step, value, rate, last=self.files.last, warm_up=self.setup.schedule.warm_up,
            bad=[name for name, p in self.state.module.named_parameters() if not bool(p.isfinite().all())],
            margins=self.setup.loss is None and any(one.name == "margin" for one in self.setup.task.settings),
        )  # fmt: skip

    def _flush(self) -> None:
        """Write and tell what the steps since the last time gave."""
        if not self.pending:
            return
        self._look()
        table = [loss.tolist() for _, loss, _ in self.pending]
        losses, *parts = [[row[at] for row in table] for at in range(1 + len(self.parts))]
        step, rate = self.pending[-1][0] + 1, self.pending[-1][2]
        seconds = max(perf_counter() - self.clock, 1e-9)
        line = Line(
            step, step / self.setup.plan.steps_per_epoch, sum(losses) / len(losses), rate,
            len(losses) * self.setup.plan.batch / seconds, min(1.0, (self.loader.waited - self.waited) / seconds),
            {name: sum(one) / len(one) for name, one in zip(self.parts, parts, strict=True)},
        )  # fmt: skip
        self.pending.clear()
        self._tick()
        if self.logs is not None:
            self.logs.line(line)
        for watcher in self.watch:
            watcher.steps(line)

    def _tick(self) -> None:
        self.clock, self.waited = perf_counter(), self.loader.waited

    def tell(self, text: str) -> None:
        """Something worth a line."""
        for watcher in self.watch:
            watcher.notes(text)

    def warn(self, found: Diagnostic) -> None:
        """Something may not be as it was meant."""
        self.reported.append(found)
        for watcher in self.watch:
            watcher.warns(found)

    # ---- figures ----

    def _validate(self) -> None:
        """Figures of the validation images, with the weights that are for use; the best ones are saved."""
        self._flush()
        state = self.state
        self._recalibrate()
        if self.setup.loss is None:
            with self._in_use():
                self.figures = self._figures()
        if self.logs is not None and self.figures:
            self.logs.figures(state.step, self.figures)
        for watcher in self.watch:
            watcher.validates(state.step, self.figures)
        value = self.figures.get(self.setup.task.best)
        if value is not None and (state.best is None or value > state.best):
            state.best = value
            self.files.save_best(state, self._about)
        self._tick()

    def _in_use(self) -> AbstractContextManager[None]:
        """The weights that are for use, in the network."""
        return nullcontext() if self.state.average is None else self.state.average.in_place()

    def _recalibrate(self) -> None:
        """Compute the statistics of batch norms anew, where that is asked for."""
        count = self.config.run["recalibrate"]
        if count:
            with self._in_use():
                recalibrate(self.state.module, self._some_batches(count), self.setup.frozen)

    def _some_batches(self, count: int) -> Iterator[Tensor]:
        """Batches of training images, those that follow the step at hand."""
        plan, step = self.setup.plan, self.state.step
        with Loader(self.loader.recipe) as loader:
            tasks = ((n, plan.epoch(n), plan.part(n, 0, self.setup.parts)) for n in range(step, step + count))
            for batch in loader.batches(tasks):
                with self.place.autocast():
                    yield images_of(batch, self.setup.preprocessing, self.place)

    def _figures(self) -> dict[str, float]:
        setup, images = self.setup, self.setup.validation
        assert images is not None
        batch = max(1, setup.plan.batch // setup.parts)
        with self._loader(images, augmented=False) as loader:
            shares = in_order(len(images), batch, self.group.rank, self.group.size)
            batches = loader.batches((number, 0, at) for number, at in enumerate(shares))
            found = validated(setup, self.group, self.place, self.state.module, batches)
        if self.logs is not None and found.pictures is not None:
            from spinedsl.training.pictures import sheet  # noqa: PLC0415  a run without pictures needs none

            self.logs.picture(self.state.step, *sheet(found.pictures, found.shown))
        return found.figures

    # ---- what is written ----

    def _save_in_time(self) -> None:
        if self.state.step % self.config.run["save_every"] == 0:
            self._flush()
            self.files.save_last(self.state, self._about)

    def _about(self) -> dict[str, Any]:
        setup, config = self.setup, self.config
        return {
            **self.state.about(),
            "network": setup.network.program.name,
            "texts": dict(setup.network.texts),
            "output": setup.network.output,
            "task": {**setup.task.values(config.task), "output": config.task["output"], "kind": setup.network.kind},
            "classes": list(setup.train.classes),
            "preprocessing": setup.preprocessing.to_json(),
            "aligned": bool(getattr(setup.train, "landmarks", ())),
            "config": config.to_toml(),
            "folder": _way(self.files.folder, config.folder),
            "steps": self.steps,
            "figures": self.figures,
            "data": fingerprint_of(setup.train),
            "versions": {"spinedsl": __version__, "torch": torch.__version__, "python": platform.python_version()},
            "world": self.group.size,
        }

    # ---- interruptions ----

    def ask(self) -> bool:
        """Ask for an end after the step at hand; False where that was asked before."""
        if self.asked:
            return False
        self.asked = True
        self.tell("interrupted: saving after this step")
        return True
