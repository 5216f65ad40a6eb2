"""Several processes that train one network: what torchrun says, and the few exchanges between them.

In: the environment. Out: a `Group`, which does nothing where there is one process.
"""

from __future__ import annotations

import gc
import os
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from spinedsl.record import Record

T = TypeVar("T")


class Group(Record):
    """The processes of a run. `rank` is this one's number of `size`, `local_rank` that on this machine."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1

    @property
    def leads(self) -> bool:
        """This is the process that writes and prints."""
        return self.rank == 0

    def wrap(self, module: nn.Module, device: str) -> nn.Module:
        """A module whose gradients are the mean over all processes."""
        if self.size == 1:
            return module
        devices = [torch.device(device)] if device.startswith("cuda") else None
        return nn.parallel.DistributedDataParallel(module, device_ids=devices, gradient_as_bucket_view=True)

    def total(self, value: Tensor) -> Tensor:
        """The sum over all processes."""
        found = value.detach()
        if self.size > 1:
            found = found.clone()
            dist.all_reduce(found)
        return found

    def mean(self, value: Tensor) -> Tensor:
        """The mean over all processes."""
        return value if self.size == 1 else self.total(value) / self.size

    def gathered(self, value: T) -> list[T]:
        """The values of all processes, in the order of their ranks."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, value)
        return found

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            dist.barrier()


def leading() -> bool:
    """This process is the first of those that torchrun started, or the only one."""
    return "WORLD_SIZE" not in os.environ or os.environ.get("RANK", "0") == "0"


def join(*, gpu: bool) -> Group:
    """The group that torchrun's environment names, joined: over NCCL on GPUs, else over gloo."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return Group()
    rank, size, local_rank, local_size = (
        int(os.environ.get(name, default)) for name, default in zip(names, "0101", strict=True)
    )
    if size > 1 and not dist.is_initialized():
        if gpu:
            torch.cuda.set_device(local_rank % torch.cuda.device_count())
        dist.init_process_group("nccl" if gpu else "gloo")
    return Group(rank, size, local_rank, local_size)


def leave(group: Group) -> None:
    """End the exchange."""
    if group.size > 1 and dist.is_initialized():
        gc.collect()  # modules whose gradients were exchanged hold threads of it, which would outlive it
        dist.destroy_process_group()
