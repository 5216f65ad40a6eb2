"""Explain codes: why the rule exists, a file that breaks it with its messages, and the same file corrected."""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from spinedsl import checks, driver, reading
from spinedsl.checks.switches import showing
from spinedsl.cli.options import format_argument
from spinedsl.cli.terminal import rendered
from spinedsl.cli.voice import UsageError, page_of
from spinedsl.diagnostics import Default, Rule, nearest
from spinedsl.diagnostics.explain import Example, explanation
from spinedsl.record import asdict

EXAMPLES = """\
examples:
  spine explain E0303            the rule, and a wrong and a right file
  spine explain e0303 w0701      several; upper or lower case
  spine explain                  every code, by group
"""
NAME = "net.spine"
# Where an example would stand. Nothing is read from there: the examples import from the prelude, or break a rule of
# imports, which is reported before a file is opened.
ORIGIN = f"/project/{NAME}"
INDENT = "    "
READABLE = 100  # columns of running text


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("codes", metavar="CODE", nargs="*", help="codes such as E0303; without one, all are listed")
    format_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print the explanations; nothing, unless every code is known."""
    codes = [_known(code) for code in options.codes]
    if options.format == "json":
        print(
            json.dumps([_plain(code, whole=bool(codes)) for code in dict.fromkeys(codes or checks.codes())], indent=2)
        )
        return 0
    texts = [_explained(code) for code in dict.fromkeys(codes)] if codes else [_listed()]
    encoding = sys.stdout.encoding or "utf-8"
    print("\n\n\n".join(texts).encode(encoding, "backslashreplace").decode(encoding))
    return 0


def _known(code: str) -> str:
    """The code as it is written in full."""
    if code.upper() in checks.codes():
        return code.upper()
    near = nearest(code.upper(), checks.codes())
    hint = f"did you mean {near}?" if near else "`spine explain` lists all"
    raise UsageError(f"there is no code {code!r}; {hint}")


def _plain(code: str, *, whole: bool) -> dict[str, Any]:
    """A code for programs; `whole` with its explanation."""
    found: dict[str, Any] = {"code": code, "title": checks.rule(code).title, "group": checks.GROUPS[code[:3]]}
    if whole:
        found["default"] = checks.rule(code).default.value
        found["settings"] = [asdict(setting) for setting in checks.rule(code).settings]
        explained = explanation(checks.rule(code))
        found["paragraphs"] = list(explained.paragraphs)
        found["wrong"] = explained.wrong.shown if explained.wrong is not None else None
        found["right"] = explained.right.shown if explained.right is not None else None
    return found


def _listed() -> str:
    """Every code with its title, by group."""
    parts = []
    for group, subject in checks.GROUPS.items():
        codes = [code for code in checks.codes() if code.startswith(group)]
        lines = [f"  {code}  {checks.rule(code).title}{_off(code)}" for code in codes]
        parts.append("\n".join([page_of(sys.stdout).bold(f"{group}  {subject}"), *lines]))
    return "\n\n".join(parts)


def _off(code: str) -> str:
    return " (off by default)" if checks.rule(code).default is Default.OFF else ""


def _explained(code: str) -> str:
    page = page_of(sys.stdout)
    explained = explanation(checks.rule(code))
    parts = [page.bold(f"{code}: {checks.rule(code).title}")]
    width = min(page.width, READABLE)
    parts += [_wrapped(text, width) for text in (*explained.paragraphs, *_switched(checks.rule(code)))]
    if explained.wrong is not None and explained.right is not None:
        parts += [page.bold("Wrong:"), _indented(explained.wrong.shown)]
        parts += [page.bold("What `spine check` prints:"), _indented(_printed(explained.wrong, checks.rule(code)))]
        parts += [page.bold("Right:"), _indented(explained.right.shown)]
    return "\n\n".join(parts)


def _wrapped(text: str, width: int) -> str:
    """Running text in lines; what stands between backticks stays on one."""
    whole = re.sub("`[^`]*`", lambda code: code[0].replace(" ", "\0"), text)
    return textwrap.fill(whole, width, break_long_words=False, break_on_hyphens=False).replace("\0", " ")


def _switched(rule: Rule) -> Iterator[str]:
    """How a lint is switched on, and what can be set of it."""
    if rule.default is Default.OFF:
        yield f'Off by default: `--warn {rule.id}`, or `warn = ["{rule.id}"]` in `spine.toml`, shows it.'
    for setting in rule.settings:
        other, name = setting.default + 1, setting.name
        yield (
            f"Setting `{name}`, {setting.meaning}: {setting.least} to {setting.most}, by default {setting.default}. "
            f"`--set {rule.id}.{name}={other}`, or `{name} = {other}` under `[{rule.id}]` in `spine.toml`, changes it."
        )


def _printed(example: Example, rule: Rule) -> str:
    """What `spine check` says of an example of a rule."""
    outcome = reading.decode(example.data, NAME, ORIGIN).then(
        lambda source: driver.analyse(source, switches=showing(rule))
    )
    return rendered(outcome.diagnostics, sys.stdout, margin=len(INDENT))


def _indented(text: str) -> str:
    return textwrap.indent(text.rstrip("\n"), INDENT)
