"""What holds for all tests: properties are drawn as a profile says, Ctrl-C reaches the commands that they start, and
what they generate is held against the allowlist."""

from __future__ import annotations

import functools
import signal
from importlib import import_module

import pytest

import tests.profiles  # noqa: F401 - the profiles are there before pytest chooses one
from spinedsl.ops.program import Program
from tests.hostile.allowlist import strange


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
