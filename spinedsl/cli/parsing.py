"""Reading a command line: argparse, with complaints that name the command at hand, what was near, and its usage.

In: words. Out: options, or one sentence with a repair on standard error and exit status 2. Options and files may stand
in any order.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Any, NoReturn

from spinedsl.cli.voice import columns

# What other tools call it.
ALIASES = {
    "format": "fmt", "lint": "check", "validate": "check", "build": "compile", "plot": "draw",
    "render": "draw", "figure": "draw", "init": "new", "create": "new", "info": "stats", "summary": "stats",
    "count": "stats", "flops": "stats", "convert": "weights convert", "serve": "watch", "test": "verify",
    "compare": "diff", "version": "--version", "print": "show", "list": "show",
}  # fmt: skip


_AGAIN = (argparse._AppendAction, argparse._StoreTrueAction)  # noqa: SLF001  no harm in giving these again


class Help(argparse.RawDescriptionHelpFormatter):
    """Help as it is written, as wide as the terminal. Argparse makes many of these where no help is shown."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=columns(sys.stdout) - 2)


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are ours. The parsers of its commands are made by the same class."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"formatter_class": Help, "allow_abbrev": False, **more})

    # ---- what argparse calls ----

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Options first, then files: argparse itself would not take a file after an option after a file.

        What is unknown is reported before what is missing, since it may be what is missing, misspelt.
        """
        words = list(sys.argv[1:] if args is None else args)
        if self.commands and not words:
            self.print_help(sys.stderr)
            self.exit(2)
        if self.commands:
            self._see_first(words)
        found, left = super().parse_known_args(words if self.commands else self._in_order(words), namespace)
        if left:
            self.error(self._unknown(left[0]))
        return found, left

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = list(action.choices)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  argparse has no other name for it
            self.error(_no_such_command(self.prog, str(action.metavar).lower(), str(value), known))
        hint = _meant(str(value), map(str, known)) or f": choose {_one_of([str(name) for name in known], limit=20)}"
        raise argparse.ArgumentError(action, f"there is no `{value}`{hint}")

    def format_usage(self) -> str:
        """One line: what has to be given, and that there are options."""
        return f"usage: {self._brief()}\n"

    def format_help(self) -> str:
        """The help, which lists each option once."""
        self.usage = self._brief().replace("%", "%%")
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, how the command is used, and stop with status 2."""
        from spinedsl.diagnostics.plain import one_line  # noqa: PLC0415  only for errors

        complaint = one_line(_in_words(message))
        self.exit(2, f"{self.prog}: {complaint}\n{self.format_usage()}`{self.prog} --help` says more\n")

    # ---- ours ----

    @property
    def commands(self) -> dict[str, Parser]:
        """The parsers of its commands, by name."""
        found = (action for action in self._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
        return next((dict(action.choices) for action in found), {})

    @property
    def options(self) -> list[str]:
        """The options that its help lists, as they are written."""
        listed = (action for action in self._actions if action.help != argparse.SUPPRESS)
        return [name for action in listed for name in action.option_strings]

    def _brief(self) -> str:
        needed = [action for action in self._actions if action.required and action.option_strings]
        named = [f"{min(action.option_strings, key=len)} {_value(action)}" for action in needed]
        files = [_positional(action) for action in self._actions if not action.option_strings]
        return " ".join([self.prog, "[options]", *named, *files])

    def _see_first(self, words: Sequence[str]) -> None:
        """Options before the name of a command are the parser's own."""
        before = takewhile(lambda word: word.startswith("-") and word != "--", words)
        if unknown := [word for word in before if word not in self._option_string_actions]:
            self.error(self._unknown(unknown[0]))

    def _in_order(self, words: Sequence[str]) -> list[str]:
        """The same words, options and their values before everything else."""
        given: dict[str, str] = {}
        options: list[str] = []
        files: list[str] = []
        rest = iter(words)
        for word in rest:
            if word == "--":
                files += rest
            elif word == "-" or not word.startswith("-"):
                files.append(word)
            else:
                self._see(word, given)
                options.append(word)
                if self._wants_value(word) and (value := next(rest, None)) is not None:
                    if value[:1] == "-" and value[1:2].isdigit():  # below 0: argparse takes it for an option
                        options[-1] += f"={value}" if word.startswith("--") else value
                    else:
                        options.append(value)
        return [*options, "--", *files] if files else options

    def _see(self, word: str, given: dict[str, str]) -> None:
        """See that there is an option, and that it was not given before: one of the two would count for nothing."""
        name = word.partition("=")[0]
        action = self._option_string_actions.get(name if name.startswith("--") else name[:2])
        if action is None:
            self.error(self._unknown(word))
        if action.dest in given and not isinstance(action, _AGAIN):
            before = given[action.dest]
            twice = f"`{name}` is given twice: give it once"
            self.error(twice if before == name else f"`{before}` and `{name}` say the same: give one of them")
        given[action.dest] = name

    def _wants_value(self, word: str) -> bool:
        """The value of the option, or of the last one of `-qo`, is the next word."""
        names = self._option_string_actions
        if word in names or word.startswith("--"):
            return word in names and names[word].nargs is None
        for at, letter in enumerate(word[1:], 2):
            action = names.get(f"-{letter}")
            if action is None or action.nargs is None:
                return action is not None and at == len(word)
        return False

    def _unknown(self, word: str) -> str:
        """What to say of a word that nothing takes."""
        if not word.startswith("-") or word == "-":
            return f"unexpected argument `{word}`"
        option = word.partition("=")[0]
        if self.commands:
            others = [name for name, parser in self.commands.items() if option in parser.options]
            after = f": it stands after the command, as in `{self.prog} {others[0]} {option}`" if others else ""
            return f"unknown option `{option}`{after or _meant_option(option, self.options)}"
        hint = _meant_option(option, self.options)
        if not hint and os.path.exists(word):  # noqa: PTH110  nothing here imports pathlib
            hint = f"; the file is `./{word}`"
        return f"unknown option `{option}`{hint}{_elsewhere(option, self.prog)}"


def _elsewhere(option: str, prog: str) -> str:
    """The commands that have an option, for somebody who gave it to another."""
    from spinedsl.cli import parser  # noqa: PLC0415  which imports every command: only for errors

    having = [one.prog for one in leaves(parser()) if option in one.options and one.prog != prog]
    return f" ({_one_of(having, 'and', limit=3)} {'have' if len(having) > 1 else 'has'} it)" if having else ""


def leaves(parser: Parser) -> Iterator[Parser]:
    """The parsers of all commands that can be run, `weights show` among them."""
    for command in parser.commands.values():
        yield from leaves(command)
    if not parser.commands:
        yield parser


def _no_such_command(prog: str, kind: str, given: str, known: Iterable[str]) -> str:
    """What to say of a command that there is not: it may be a file."""
    if given.endswith(".spine") or os.path.exists(given):  # noqa: PTH110  nothing here imports pathlib
        return f"`{given}` is no {kind}; did you mean `{prog} {'check' if prog == 'spine' else 'show'} {given}`?"
    if prog == "spine" and given.casefold() in ALIASES:
        return f"unknown {kind} `{given}`; did you mean `{ALIASES[given.casefold()]}`?"
    candidates = [*known, "help"] if prog == "spine" else list(known)
    return f"unknown {kind} `{given}`{_meant(given, candidates) or f': {_one_of(candidates, limit=20)}'}"


def _meant(given: str, known: Iterable[str]) -> str:
    from spinedsl.diagnostics.suggest import nearest  # noqa: PLC0415  only for errors

    near = nearest(given, known)
    return f"; did you mean `{near}`?" if near else ""


def _meant_option(given: str, known: Iterable[str]) -> str:
    """The same of options, whose dashes are no likeness."""
    names = {name.lstrip("-"): name for name in known if name.startswith("--")}
    from spinedsl.diagnostics.suggest import nearest  # noqa: PLC0415  only for errors

    near = nearest(given.lstrip("-"), names)
    return f"; did you mean `{names[near]}`?" if near else ""


def _one_of(names: Sequence[str], conjunction: str = "or", limit: int = 12) -> str:
    from spinedsl.diagnostics.suggest import one_of  # noqa: PLC0415  only for errors

    return one_of(names, conjunction=conjunction, limit=limit)


def _in_words(message: str) -> str:
    """Argparse's sentences as ours."""
    needed = "the following arguments are required: "
    if message.startswith(needed):
        names = [name.partition("/")[0] for name in message.removeprefix(needed).split(", ")]
        return f"{_one_of(names, 'and')} {'are' if len(names) > 1 else 'is'} missing"
    return message.removeprefix("argument ").replace(": expected one argument", ": its value is missing")


def _value(action: argparse.Action) -> str:
    return str(action.metavar) if action.metavar else "{" + ",".join(map(str, action.choices or ())) + "}"


def _positional(action: argparse.Action) -> str:
    name = _value(action)
    forms = {"+": f"{name} ...", "*": f"[{name} ...]", "?": f"[{name}]", "A...": f"{name} ..."}
    return forms.get(str(action.nargs), name)
