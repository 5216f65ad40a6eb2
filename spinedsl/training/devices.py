"""Where and in which numbers a run computes: device, precision, memory format, threads.

In: what the settings say, and what the machine has. Out: a `Place`, which says in words what was chosen and why.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch

from spinedsl.brief import counted
from spinedsl.record import Record

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("float32", "bfloat16", "float16")
NUMBERS = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Place(Record):
    """The device of this process, the precision that it computes in, and its threads, with the reason for so many."""

    device: str
    precision: str
    channels_last: bool
    threads: int
    reason: str

    def __str__(self) -> str:
        format_ = ", channels last" if self.channels_last else ""
        return f"{self.device}, {self.precision}{format_}, {counted(self.threads, 'thread')}: {self.reason}"

    @property
    def is_cuda(self) -> bool:
        """It is a GPU."""
        return self.device.startswith("cuda")

    def autocast(self) -> AbstractContextManager[object]:
        """Within it, what is fit for it computes in the precision."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.partition(":")[0], dtype=NUMBERS[self.precision])

    def scaler(self) -> torch.amp.GradScaler | None:
        """What keeps gradients of float16 from vanishing; other numbers need none."""
        return torch.amp.GradScaler(self.device.partition(":")[0]) if self.precision == "float16" else None


LOOKING = Place("cpu", "float32", channels_last=False, threads=1, reason="nothing is computed")


class NoDevice(Exception):
    """The device that was asked for is not there."""


def choose_device(asked: str, local_rank: int = 0) -> str:
    """`cpu` or `cuda:N`; of `auto`, a GPU where there is one.

    Raises:
        NoDevice: there is no GPU.
    """
    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        built = "this PyTorch is built without CUDA" if torch.version.cuda is None else "no GPU is visible"
        raise NoDevice(built)
    if asked == "cpu" or not there:
        return "cpu"
    return f"cuda:{local_rank % torch.cuda.device_count()}"


def choose_threads(asked: int, cores: int, busy: float, processes: int, set_before: bool) -> tuple[int, str]:
    """How many threads a process takes, and why.

    Args:
        asked: what the settings say; 0 leaves it to us.
        cores: those that may be used.
        busy: how many of them others keep busy, on average.
        processes: of this run on the machine.
        set_before: OMP_NUM_THREADS says it.
    """
    if asked:
        return asked, "as the settings say"
    if set_before:
        return torch.get_num_threads(), "as OMP_NUM_THREADS says"
    # Two threads that wait for each other on busy cores take ten times as long as one.
    idle = max(1, int(cores - busy + 0.25))
    threads = max(1, min(idle, cores) // processes)
    if threads < cores // processes:
        return threads, f"others keep about {busy:.1f} of {counted(cores, 'core')} busy"
    return threads, f"{counted(cores, 'core')}" + (f" for {processes} processes" if processes > 1 else "")


def place(device: str, precision: str, *, channels_last: bool, threads: int, local_rank: int, local_size: int) -> Place:
    """The place of this process, with its threads set.

    Raises:
        NoDevice: there is no GPU, and one was asked for.
    """
    chosen = choose_device(device, local_rank)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    count, reason = choose_threads(threads, cores, busy, local_size, "OMP_NUM_THREADS" in os.environ)
    torch.set_num_threads(count)
    return Place(chosen, precision, channels_last, count, reason)
