"""Commands of the user's: one that measures a candidate, and one that makes another of it.

A command is split into words as a shell would, and run without one. What it prints on standard error is shown where it
fails.
"""

from __future__ import annotations

import errno
import math
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path

from spinedsl import checks as say
from spinedsl import driver
from spinedsl.diagnostics import Diagnostic, Severity
from spinedsl.diagnostics.plain import counted, one_line
from spinedsl.search import programs
from spinedsl.search.records import Finished, Proposal
from spinedsl.source import Source, Span
from spinedsl.spaces.candidates import Candidates, Unfit
from spinedsl.spaces.contains import contains
from spinedsl.spaces.decode import Excluded
from spinedsl.spaces.model import Genome

FITNESS, MUTATE = "--fitness-command", "--mutate-with"
LONGEST = 20_000_000  # bytes of an answer: more than the characters that a file may have
TIMES = 3  # that a command is asked for a candidate


class Failed(Exception):
    """A candidate could not be measured or changed.

    `final` tells that no other could be, either; `alone`, that this one is to blame, and what measures is not.
    """

    def __init__(self, diagnostic: Diagnostic, *, final: bool = False, alone: bool = False) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic, self.final, self.alone = diagnostic, final, alone


def words_of(command: str) -> list[str]:
    """The words of a command.

    Raises:
        ValueError: a quotation is not closed, or there are none.
    """
    words = shlex.split(command)
    if not words:
        raise ValueError("it is empty")
    return words


def measure(command: str, text: str, slot: int) -> float:
    """What a command prints of a candidate.

    Raises:
        Failed: it cannot be run, fails, or prints no number.
    """
    with tempfile.TemporaryDirectory(prefix="spine-") as folder:
        path = Path(folder) / f"candidate-{slot:06d}.spine"
        path.write_text(text, encoding="utf-8")
        words = words_of(command)
        filled = [word.replace("{}", str(path)) for word in words]
        out = _run(FITNESS, command, filled if filled != words else [*words, str(path)], "")
    return number(out, command)


def number(printed: str, command: str) -> float:
    """The number on the last line that a command printed.

    Raises:
        Failed: there is none.
    """
    lines = printed.strip().splitlines()
    last = lines[-1].strip() if lines else ""
    try:
        value = float(last)
    except ValueError:
        value = math.nan
    if "_" in last or not math.isfinite(value):
        got = f"the command printed {f'`{one_line(last)[:80]}`' if last else 'nothing'}"
        found = say.NO_NUMBER.at(_whole(command), got=got)
        raise Failed(found.with_fix("let its last line be the number alone, as `print(score)` does"))
    return value


def changing(
    command: str, candidates: Candidates, warn: Callable[[str], None]
) -> Callable[[Finished, int], Proposal | None]:
    """What asks a command for candidates; it gives None where that gave none, so that spine changes one itself."""
    given = 0

    def change(parent: Finished, slot: int) -> Proposal | None:
        nonlocal given
        text = candidates.text(_priced(candidates, parent.genome))
        for again in range(TIMES):
            try:
                found = _changed(command, candidates, text, parent, slot)
            except Failed as error:
                if error.final or (not given and again == TIMES - 1):
                    raise Failed(error.diagnostic, final=True) from None
                warn(f"candidate {slot}: {error.diagnostic.message}: {error.diagnostic.label}")
                continue
            given += 1
            return found
        warn(f"candidate {slot}: candidate {parent.slot} is changed without the command of {MUTATE}")
        return None

    return change


def _priced(candidates: Candidates, genome: Genome):  # type: ignore[no-untyped-def]
    priced = candidates.price(genome)
    assert not isinstance(priced, Excluded)
    return priced


def _changed(command: str, candidates: Candidates, text: str, parent: Finished, slot: int) -> Proposal:
    """One answer of a command as a candidate."""
    out = _run(MUTATE, command, words_of(command), text)
    name = candidates.space.name

    def refused(span: Span, label: str, *notes: str) -> Failed:
        found = say.NO_CHANGE.at(span, slot=parent.slot, space=name, label=label).with_notes(*notes)
        return Failed(
            found.with_fix("print one whole network that lies in the space: `spine space FILE --contains NET`")
        )

    source = Source.from_text(out, "<command>")
    outcome = driver.analyse(source)
    errors = [one for one in outcome.diagnostics if one.severity is Severity.ERROR]
    if errors:
        raise refused(errors[0].span, f"{errors[0].code.id}: {errors[0].message}")
    assert outcome.value is not None
    networks = outcome.value.checked
    if len(networks) != 1:
        raise refused(source.span(0, 0), f"expected one network, got {counted(len(networks), 'network')}")
    try:
        answer = contains(candidates.costing, next(iter(networks.values())).typed)
        if answer.genome is None:
            first = answer.reasons[0]
            raise refused(first.span, first.message, *(one.message for one in answer.reasons[1:4]))
        priced = candidates.price(answer.genome)
    except Unfit as unfit:
        raise refused(source.span(0, 0), unfit.diagnostic.message) from None
    if isinstance(priced, Excluded) or not priced.within:
        broken = ", ".join(f"`keep {keep}`" for keep in candidates.space.keeps)
        raise refused(source.span(0, 0), f"it breaks a bound of the space: {broken}")
    return Proposal(priced, "command", (parent.slot,))


def _run(option: str, command: str, words: list[str], text: str) -> str:
    """What a command prints.

    Raises:
        Failed: it cannot be started, or ends with another status than 0.
    """
    try:
        done = programs.run(words, text, LONGEST if option == MUTATE else None)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        found = say.COMMAND_FAILED.at(
            _whole(command),
            option=option,
            what=f"cannot be run: {one_line(words[0])}",
            label=reason[:1].lower() + reason[1:],
        )
        raise Failed(found.with_fix(_how_to_run(words, error)), final=True) from None
    if done.status:
        how = f"ended with exit status {done.status}" if done.status > 0 else f"was ended by signal {-done.status}"
        found = say.COMMAND_FAILED.at(_whole(command), option=option, what="failed", label=f"it {how}")
        last = [one_line(line)[:200] for line in done.errors.strip().splitlines()[-5:]]
        shell = not SHELL.isdisjoint(words)
        fix = f"no shell runs it: let one do so, as `sh -c {one_line(shlex.quote(command))}`" if shell else FIX
        raise Failed(found.with_notes(*last).with_fix(fix))
    return done.out


SHELL = {"|", ">", "<", "&&", "||", ";", "2>", "2>&1", "&"}  # words that only a shell understands
FIX = "run it by itself on a file of `spine space FILE --sample 1 -o FOLDER`"


def _how_to_run(words: list[str], error: Exception) -> str:
    """What helps where a command cannot be started."""
    program = words[0]
    found = next((at for at in range(len(words), 0, -1) if Path(" ".join(words[:at])).is_file()), 0)
    path = " ".join(words[:found])
    if found > 1:
        return f"quote a path with blanks, inside the command too: \"'{one_line(path)}'\""
    if isinstance(error, PermissionError):
        return "make it executable, as by `chmod +x`, or name what runs it: `python3 score.py`"
    if getattr(error, "errno", None) == errno.ENOEXEC:
        return f"let its first line say what runs it, as `#!/bin/sh`, or name that: `sh {one_line(program)}`"
    if found and not Path(program).is_absolute() and "/" not in program:
        return f"say that it stands in this folder: `./{one_line(program)}`"
    return "give the path of a program, and its arguments"


def _whole(command: str) -> Span:
    """The command as the place of a diagnostic."""
    source = Source("<command>", one_line(command))
    return source.span(0, len(source.text))
