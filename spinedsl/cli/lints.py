"""Which lints a command switches: its own `--warn`, `--allow`, `--deny` and `--set`, above the nearest configuration.

In: options, and the file that is checked. Out: `Switches`, or what is wrong with the configuration. Without a
configuration above the file nothing of it is imported.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator

from spinedsl import checks
from spinedsl.checks.switches import LEVELS, Layer, Switches
from spinedsl.cli.voice import UsageError
from spinedsl.diagnostics import Default, Outcome

NAMES = ("spine.toml", "pyproject.toml")  # of configurations, the first before the second in one folder
# `[tool.spine…`, `[[tool.spine…`, `[tool]`, `tool.spine…`, `tool = {`
_MAY_BEGIN = rb"""(?m)^[ \t]*(?:\[{1,2}[ \t]*)?["']?tool["']?[ \t]*(?:[]=]|\.[ \t]*["']?spine["']?[ \t]*[].=])"""


def lint_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that switch lints: warnings about files, and never errors."""
    words = {
        "warn": "show these lints, also where they are off by default or in spine.toml, as in W0705",
        "allow": "do not show these lints, as in W0701,W0702",
        "deny": "count these lints as errors; W07 is all that are on",
    }
    for name, text in words.items():
        parser.add_argument(f"--{name}", metavar="CODES", action="append", type=_codes, help=text)
    setting = "a setting of a lint, as in W0702.levels=4"
    parser.add_argument("--set", metavar="CODE.NAME=N", action="append", type=_setting, help=setting)


class Asker:
    """Answers for the files of one command: what is wrong with a configuration is reported once."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.layer = _of_command(options)
        self.known: dict[str, Outcome[Switches]] = {}  # by folder
        self.told: set[str] = set()  # configurations whose mistakes were reported

    def switches(self, file: str) -> Outcome[Switches]:
        """The switches for a file; None where its configuration is wrong, with what was not reported before."""
        folder = folder_of(file)
        if folder not in self.known:
            self.known[folder] = self._switches(configuration(folder))
            return self.known[folder]
        return Outcome(self.known[folder].value)  # what is wrong was reported

    def _switches(self, path: str | None) -> Outcome[Switches]:
        found: Outcome[Layer] = Outcome(None)
        if path is not None:
            from spinedsl.cli.config import read_layer  # noqa: PLC0415  for configurations only

            found = read_layer(path)
            if found.value is None:
                reported = () if path in self.told else found.diagnostics
                self.told.add(path)
                return Outcome(None, reported)
        switches = Switches(tuple(layer for layer in (found.value, self.layer) if layer is not None))
        self._see_settings(switches)
        return Outcome(switches)

    def _see_settings(self, switches: Switches) -> None:
        """A setting of a lint that is off would count for nothing."""
        for code in self.layer.settings if self.layer is not None else ():
            if switches.level(checks.rule(code)) is Default.OFF:
                raise UsageError(
                    f"--set {code}.… counts for nothing, since {code} is off: --warn {code} switches it on"
                )


def switches_of(options: argparse.Namespace, file: str) -> Outcome[Switches]:
    """The switches of a command for its one file. A command without these options leaves every lint as it is."""
    return Asker(options).switches(file) if hasattr(options, "deny") else Outcome(Switches())


def folder_of(file: str) -> str:
    """The folder of a file; of standard input the current one."""
    return os.getcwd() if file == "-" else os.path.dirname(os.path.abspath(file))


def configuration(folder: str) -> str | None:
    """The nearest configuration in a folder or above it."""
    for path in candidates(folder):
        if os.path.isfile(path) and (path.endswith(NAMES[0]) or _mentions_spine(path)):
            return path
    return None


def candidates(folder: str) -> Iterator[str]:
    """Where a configuration may be, the nearest first."""
    while True:
        yield from (os.path.join(folder, name) for name in NAMES)
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def _mentions_spine(path: str) -> bool:
    """Whether a pyproject.toml has something for spine. One where no line may begin that need not be read as TOML."""
    try:
        with open(path, "rb") as file:
            if re.search(_MAY_BEGIN, file.read()) is None:
                return False
    except OSError:
        return False  # that of another tool, which says so itself
    from spinedsl.cli.config import has_table  # noqa: PLC0415  for configurations only

    return has_table(path)


# ---- the command line ----


def _of_command(options: argparse.Namespace) -> Layer | None:
    levels: dict[str, Default] = {}
    for name, level in LEVELS.items():
        for code in (code for codes in getattr(options, name) or () for code in codes):
            if levels.setdefault(code, level) is not level:
                before = next(one for one, other in LEVELS.items() if other is levels[code])
                raise UsageError(f"{code} is given to --{before} and to --{name}: give it to one of them")
    settings: dict[str, dict[str, int]] = {}
    for code, setting, number in options.set or ():
        if settings.setdefault(code, {}).setdefault(setting, number) != number:
            raise UsageError(f"{code}.{setting} is set twice: set it once")
    return Layer("on the command line", levels, settings) if levels or settings else None


def _codes(text: str) -> tuple[str, ...]:
    codes = tuple(checks.spelt(part) for part in text.split(","))
    for code in codes:
        if (reason := checks.refused(code)) is not None:
            raise argparse.ArgumentTypeError(reason)
    return codes


def _setting(text: str) -> tuple[str, str, int]:
    """`W0702.levels=4` as the code, the name of the setting and its number."""
    name, equal, value = text.partition("=")
    code, dot, setting = name.strip().partition(".")
    if not equal or not dot:
        raise argparse.ArgumentTypeError(f"expected CODE.NAME=N, as in W0702.levels=4, got {text!r}")
    if (reason := checks.refused_setting(code.upper(), setting)) is not None:
        raise argparse.ArgumentTypeError(reason)
    (found,) = (one for one in checks.rule(code.upper()).settings if one.name == setting)
    digits = value.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 9 and found.least <= int(digits) <= found.most):
        raise argparse.ArgumentTypeError(
            f"{name} is a whole number from {found.least} to {found.most}, {found.meaning}; got {value!r}"
        )
    return code.upper(), setting, int(digits)
