"""The machine: what Linux writes of a processor, and what is told of it."""

from __future__ import annotations

import pytest

from spinedsl.timing.machine import described

EPYC = """\
processor\t: 0
model name\t: AMD EPYC 9B45
flags\t\t: fpu avx2 avx512f avx512_vnni avx512_bf16 amx_tile

processor\t: 1
model name\t: AMD EPYC 9B45
flags\t\t: fpu avx2 avx512f avx512_vnni avx512_bf16 amx_tile
"""
OLD = "model name : Xeon E5\nflags : fpu avx2\n"
SAPPHIRE = "model name : Xeon 8481C\nflags : avx2 avx512f avx512_vnni avx512_bf16 avx512_fp16 amx_bf16 amx_int8\n"
ARM = "processor : 0\nFeatures : fp asimd asimddp i8mm bf16 sve\n"


@pytest.mark.parametrize(
    ("text", "has", "dots"),
    [
        (EPYC, ("AVX2", "AVX-512", "AVX-512 VNNI", "AVX-512 BF16"), True),
        (OLD, ("AVX2",), False),
        (SAPPHIRE, ("AVX2", "AVX-512", "AVX-512 VNNI", "AVX-512 BF16", "AVX-512 FP16", "AMX int8", "AMX BF16"), True),
        (ARM, ("NEON", "NEON dot products", "int8 matrix products", "BF16", "SVE"), True),
        ("", None, False),
        ("flags :\n", (), False),
    ],
)
def test_instructions_are_those_that_the_processor_has(text: str, has: tuple[str, ...] | None, dots: bool) -> None:
    found = described(text, "")
    assert found.instructions == has
    assert found.dots is dots
    assert found.memory is None


def test_it_is_named_and_its_free_memory_counted() -> None:
    found = described(EPYC, "MemTotal: 64 kB\nMemAvailable:   12 kB\n")
    assert found.processor == "AMD EPYC 9B45"
    assert found.memory == 12 * 1024
    assert str(found).startswith("AMD EPYC 9B45, ")
    assert str(found).endswith("; AVX2, AVX-512, AVX-512 VNNI, AVX-512 BF16")
    assert "instruction set unknown" in str(described("", "MemAvailable: many\n"))
