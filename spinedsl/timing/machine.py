"""The machine that is measured on: its processor, the instructions that count here, its memory.

In: what the system says of itself. Out: a `Machine`. What a system does not say is left out, never guessed.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from pathlib import Path

from spinedsl.record import Record

CPUINFO, MEMINFO = Path("/proc/cpuinfo"), Path("/proc/meminfo")
# What decides how fast convolutions are, by the names that Linux has for it: widths first, then small numbers.
INSTRUCTIONS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx_vnni": "AVX-VNNI",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "avx512_fp16": "AVX-512 FP16",
    "amx_int8": "AMX int8",
    "amx_bf16": "AMX BF16",
    "asimd": "NEON",
    "asimddp": "NEON dot products",
    "i8mm": "int8 matrix products",
    "bf16": "BF16",
    "sve": "SVE",
}
DOTS = {"avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm"}  # products of bytes in one instruction


class Machine(Record):
    """A machine. `instructions` are those of `INSTRUCTIONS` that it has; None where the system does not say."""

    processor: str
    cores: int  # that this process may use
    instructions: tuple[str, ...] | None
    memory: int | None  # bytes that are free for programs
    dots: bool = False  # it multiplies bytes and adds the products in one instruction

    def __str__(self) -> str:
        listed = "instruction set unknown" if self.instructions is None else ", ".join(self.instructions) or "plain"
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        return f"{self.processor}, {cores}; {listed}"


def this_machine() -> Machine:
    """The one that this runs on."""
    return described(_text(CPUINFO), _text(MEMINFO))


def described(cpuinfo: str, meminfo: str) -> Machine:
    """The same of what Linux says of one; both texts are empty on other systems."""
    fields = dict(_fields(cpuinfo))
    flags = fields.get("flags", fields.get("Features"))
    has = set(flags.split()) if flags is not None else None
    named = fields.get("model name") or platform.processor() or platform.machine() or "unknown processor"
    free = dict(_fields(meminfo)).get("MemAvailable", "").split()
    return Machine(
        processor=named,
        cores=_cores(),
        instructions=None if has is None else tuple(words for flag, words in INSTRUCTIONS.items() if flag in has),
        memory=int(free[0]) * 1024 if free and free[0].isdigit() else None,
        dots=bool(has and has & DOTS),
    )


def _fields(text: str) -> Iterable[tuple[str, str]]:
    """Its lines as names and values; of several cores the last one's."""
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip(), value.strip()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
