"""Profiles of Hypothesis, and what holds for all tests: Ctrl-C reaches the commands that they start, and what they
generate is held against the allowlist.

`pytest tests/laws --hypothesis-profile soak` draws many more examples of each law.
"""

from __future__ import annotations

import functools
import signal
from importlib import import_module

import pytest
from hypothesis import Phase, settings

from spinedsl.ops.program import Program
from tests.hostile.allowlist import strange

settings.register_profile("soak", max_examples=1000)
settings.register_profile(
    "first", phases=(Phase.explicit, Phase.generate)
)  # the first failure will do: not the smallest


def pytest_configure(config: pytest.Config) -> None:
    # A shell starts what runs in its background deaf to Ctrl-C, and children inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    watch_what_is_generated()


def watch_what_is_generated() -> None:
    """Whatever Python any test has generated consists only of what generated Python may consist of."""
    emitting = import_module("spinedsl.backends.torch.emit")
    emit = emitting.emit_module

    @functools.wraps(emit)
    def emit_and_look(program: Program, **options: str) -> bytes:
        made: bytes = emit(program, **options)
        if not options.get("adapter"):  # whose imports are those of a host
            found = strange(made.decode())
            assert not found, found
        return made

    for name in ("spinedsl.backends.torch", "spinedsl.backends.torch.build", "spinedsl.backends.torch.emit"):
        module = import_module(name)
        if getattr(module, "emit_module", None) is emit:
            module.emit_module = emit_and_look  # type: ignore[attr-defined]
