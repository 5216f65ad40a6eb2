"""A step: the losses of its parts, their gradients, and the move that they ask for.

In: the batches of a step, in the parts and by the processes that take them. Out: the loss of the step, and a state that
has moved. Gradients are those of one batch without parts, whatever the parts and processes are: a loss that is a mean
over images is averaged, and one that is a sum is divided by what all of them count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from spinedsl import api
from spinedsl import checks as say
from spinedsl.brief import brief, cut
from spinedsl.data.draws import Draws, Purpose
from spinedsl.data.loader import Batch
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.record import Record
from spinedsl.tasks import Taught
from spinedsl.tasks.detection.losses import normaliser
from spinedsl.training import optim
from spinedsl.training.devices import Place
from spinedsl.training.distributed import Group
from spinedsl.training.messages import nowhere
from spinedsl.training.setup import Loss, Setup
from spinedsl.training.state import State, Tensors, seed_part
from spinedsl.training.truth import TRUTHS


def images_of(batch: Batch, preprocessing: Preprocessing, place: Place) -> Tensor:
    """The numbers of a batch's images, where the network is."""
    pictures = torch.from_numpy(batch.pictures).to(place.device, non_blocking=True)
    images = preprocessing.normalised_tensor(pictures)
    return images.contiguous(memory_format=torch.channels_last) if place.channels_last else images


class Counted:
    """What the sums of a step are divided by, where it is known only after its last part.

    The first part's count stands for all of them: gradients are then of a size that numbers of 16 bits can hold.
    `correction` is what is left to multiply them by.
    """

    def __init__(self, group: Group, parts: int) -> None:
        self.group, self.parts = group, parts  # of this process
        self.used: Tensor | None = None
        self.counts: list[Tensor] = []

    def divisor(self, count: Tensor) -> Tensor:
        """What the sum of a part of this count is divided by."""
        self.counts.append(count.detach())
        if self.used is None:
            self.used = normaliser(self.group.total(count), self.group.size).to(count.device)
        return self.used

    def correction(self) -> Tensor | None:
        """What gradients and losses are multiplied by after the last part, if it is not 1."""
        if self.used is None or self.parts == 1:
            return None
        return self.used / normaliser(self.group.total(torch.stack(self.counts).sum()), self.group.size * self.parts)


class Losses(Record, eq=False):
    """The loss of a step or of a part of it, and the parts that it is the sum of, where there are any: scalars."""

    whole: Tensor
    parts: Mapping[str, Tensor] = {}

    def times(self, factor: Tensor) -> Losses:
        """All of them times a number."""
        return Losses(self.whole * factor, {name: part * factor for name, part in self.parts.items()})


def _own(loss: Loss, outputs: Mapping[str, Tensor], truth: Any, step: int) -> Any:
    """What a loss of somebody's own returns; what it raises says which outputs there were."""
    try:
        return loss(outputs, truth, step)
    except Exception as error:
        named = ", ".join(f"`{name}` {tuple(value.shape)}" for name, value in outputs.items())
        error.add_note(f"in the loss that was given, at step {step + 1}; its outputs are {named}")
        raise


def _followed(loss: Any) -> Tensor:
    """The loss, one number that gradients lead back from.

    Raises:
        Mistakes: it is anything else.
    """
    if not isinstance(loss, Tensor):
        got, fix = cut(brief(loss), 60), "return a tensor that was computed from the outputs, without `.item()`"
    elif loss.numel() != 1:
        got, fix = f"a tensor of shape {tuple(loss.shape)}", "return one number for the batch, as by `.mean()`"
    elif not loss.requires_grad:
        got, fix = "a tensor without a gradient", "compute it from the outputs, without `.detach()` and NumPy"
    else:
        return loss.reshape(())
    raise api.Mistakes([say.UNFIT_LOSS.at(nowhere(), got=got).with_fix(fix)])


class Learner:
    """Moves a state, step by step. `network` is its module, perhaps wrapped for several processes."""

    def __init__(self, setup: Setup, group: Group, place: Place, state: State, network: nn.Module) -> None:
        self.setup, self.group, self.place, self.state, self.network = setup, group, place, state, network
        self.parts = setup.config.run["accumulate"]  # of this process

    def learn(self, step: int, batches: Iterator[Batch]) -> Losses:
        """Make a step with its parts; its loss."""
        counted = Counted(self.group, self.parts)
        losses = [self._part(step, part, next(batches), counted) for part in range(self.parts)]
        whole, correction = torch.stack([one.whole for one in losses]).mean(), counted.correction()
        found = Losses(
            whole, {name: torch.stack([one.parts[name] for one in losses]).mean() for name in losses[0].parts}
        )
        self._move(correction)
        return found if correction is None else found.times(correction)

    def _part(self, step: int, part: int, batch: Batch, counted: Counted) -> Losses:
        """The loss of a part of the batch, and what it adds to the gradients."""
        number = self.group.rank * self.parts + part
        seed_part(self.setup.config.run["seed"], step, number)
        alone = part == self.parts - 1 or self.group.size == 1
        with nullcontext() if alone else self.network.no_sync():  # type: ignore[operator]
            taught = self._taught(batch, step, number)
            divisor = None if taught.count is None else counted.divisor(taught.count)
            loss = taught.loss if divisor is None else taught.loss / divisor
            scaled = loss / self.parts
            if self.state.scaler is not None:
                scaled = self.state.scaler.scale(scaled)
            scaled.backward()
        parts = {
            name: one.detach() if divisor is None else one.detach() / divisor for name, one in taught.parts.items()
        }
        return Losses(loss.detach(), parts)

    def _taught(self, batch: Batch, step: int, number: int) -> Taught:
        setup, values = self.setup, self.setup.config.task
        images = images_of(batch, setup.preprocessing, self.place)
        truth: Any = TRUTHS[setup.truth](batch, self.place.device)
        if setup.loss is None and setup.task.mix is not None and values["mixup"]:
            images, truth = self._mixed(images, truth, step, number, values["mixup"])
        with self.place.autocast():
            outputs = self.network(images)
        if setup.loss is not None:
            return Taught(_followed(_own(setup.loss, outputs, truth, step)))
        tensors = self.state.task
        assert isinstance(tensors, Tensors)
        return setup.task.loss(setup.network.reading, outputs, truth, tensors.by_name(), values, step)

    def _mixed(self, images: Tensor, labels: Tensor, step: int, number: int, alpha: float) -> tuple[Tensor, Tensor]:
        draws = Draws(self.setup.config.run["seed"], step, number, Purpose.MIX)
        order = torch.from_numpy(draws.permutation(len(images))).to(images.device)
        generator = torch.Generator().manual_seed(draws.below(2**62))
        first, second = torch._standard_gamma(torch.full((2,), alpha, dtype=torch.float64), generator).tolist()  # noqa: SLF001
        share = first / (first + second) if first + second > 0 else 1.0
        assert self.setup.task.mix is not None
        return self.setup.task.mix(images, labels, self.setup.features, share, order)

    def _move(self, correction: Tensor | None) -> None:
        """Take the step that the gradients ask for."""
        state, most = self.state, self.setup.config.optimizer["clip"]
        self._share_gradients()
        if correction is not None:
            groups = state.optimizer.param_groups
            slopes = [p.grad for group in groups for p in group["params"] if p.grad is not None]
            torch._foreach_mul_(slopes, correction)
        if most and state.scaler is not None:
            state.scaler.unscale_(state.optimizer)
        if most:
            optim.clip((p for group in state.optimizer.param_groups for p in group["params"]), most)
        if state.scaler is not None:
            state.scaler.step(state.optimizer)
            state.scaler.update()
        else:
            state.optimizer.step()
        state.optimizer.zero_grad(set_to_none=True)

    def _share_gradients(self) -> None:
        """The mean over processes of what the network's wrapper does not see: the tensors of the task."""
        for parameter in self.state.task.parameters() if self.group.size > 1 else ():
            if parameter.grad is not None:
                parameter.grad.copy_(self.group.mean(parameter.grad))
