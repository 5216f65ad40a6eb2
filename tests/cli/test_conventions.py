"""One convention for all commands, held over the parsers as they are: a command or option that departs from it fails.

`COMMANDS` has a row for each command: how it is run, and which of the shared options it has. What CONTRIBUTING.md says
of the command line is tested here, in its order; what is written where, in `test_targets.py`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from spinedsl.cli import options, parser
from spinedsl.cli.parsing import Parser, leaves
from tests.cli.running import NET, run

PARSERS = {one.prog.removeprefix("spine "): one for one in leaves(parser())}

LINTS = ("--warn", "--allow", "--deny", "--set")

# How each command is run on small files, and which shared options it has. None: it does not come to an end.
COMMANDS: dict[str, tuple[str | None, set[str]]] = {
    "check": ("check net.spine", {"--network", "--input", "--format", *LINTS}),
    "explain": ("explain E0303", {"--format"}),
    "docs": ("docs language", set()),
    "compile": (
        "compile net.spine --to mermaid -o net.mmd",
        {"--network", "--input", "--outputs", "--output", "--force", "--weights", "--seed", "--optimise", *LINTS},
    ),
    "verify": (
        "verify net.spine",
        {"--network", "--input", "--outputs", "--format", "--weights", "--seed", *LINTS},
    ),
    "bench": (
        "bench net.spine --engines onnxruntime-O1 --rounds 1",
        {"--network", "--input", "--format", "--output", "--force", "--weights", "--seed", *LINTS},
    ),
    "show": ("show net.spine", {"--network", "--input", "--outputs", "--format", *LINTS}),
    "stats": (
        "stats net.spine",
        {"--network", "--input", "--outputs", "--format", "--output", "--force", *LINTS},
    ),
    "space": ("space net.spine", {"--network", "--format", "--output", "--force", "--seed"}),
    "search run": (
        "search run net.spine --fitness depth --budget 2",
        {"--format", "--output", "--force", "--seed"},
    ),
    "search worker": ("search worker --study s.db", set()),
    "search show": ("search show s.db", {"--format", "--output", "--force"}),
    "search front": ("search front s.db", {"--format", "--output", "--force"}),
    "search report": ("search report s.db -o report.html", {"--output", "--force"}),
    "search rank": ("search rank values.db --least 5", {"--format", "--seed"}),
    "draw": ("draw net.spine -o net.svg", {"--network", "--input", "--outputs", "--output", "--force", *LINTS}),
    "watch": (None, {"--network", "--input", *LINTS}),
    "diff": ("diff net.spine net.spine", {"--network", "--input", "--format", "--output", "--force"}),
    "breaking": ("breaking net.spine net.spine", {"--network", "--format"}),
    "train": ("train --settings", {"--format", "--weights"}),
    "eval": ("eval sizes.safetensors --data colours -o out", {"--format", "--output", "--force", "--seed"}),
    "predict": ("predict sizes.safetensors colours", {"--format", "--output", "--force"}),
    "gallery": ("gallery faces.safetensors known -o known.safetensors", {"--format", "--output", "--force"}),
    "export": ("export sizes.safetensors -o model.onnx", {"--output", "--force", "--format", "--optimise"}),
    "quantize": (
        "quantize sizes.safetensors --calibrate colours -o int8.onnx",
        {"--network", "--input", "--format", "--output", "--force", "--weights", "--seed", *LINTS},
    ),
    "weights show": ("weights show net.spine", {"--network", "--input", "--outputs", "--format"}),
    "weights convert": (
        "weights convert w.npz net.spine -o w.safetensors",
        {"--network", "--input", "--outputs", "--output", "--force"},
    ),
    "weights verify": ("weights verify w.npz net.spine", {"--network", "--input", "--outputs", "--format"}),
    "weights put": ("weights put net.onnx w.npz -o made.onnx", {"--output", "--force"}),
    "data check": ("data check pictures", {"--format", "--input"}),
    "fmt": ("fmt net.spine", set()),
    "fuzz": ("fuzz net.spine --examples 0", {"--network", "--format", "--output", "--seed"}),
    "new": ("new other.spine", {"--force"}),
    "completion": ("completion bash", set()),
}
# What an option is called, what stands for its value, and how its help begins, wherever it is.
SHARED = {
    "--network": ((), "NAME", options.NETWORK),
    "--input": ((), "HxW", options.INPUT),
    "--outputs": ((), "NAMES", "only these outputs"),
    "--format": ((), None, options.FORMAT),
    "--output": (("-o",), "PATH", ""),
    "--force": ((), None, "replace a file that is there"),
    "--weights": ((), "PATH", options.WEIGHTS),
    "--seed": ((), "N", options.SEED),
    "--warn": ((), "CODES", "show these lints"),
    "--allow": ((), "CODES", "do not show these lints"),
    "--deny": ((), "CODES", "count these lints as errors"),
    "--set": ((), "CODE.NAME=N", "a setting of a lint"),
    "--optimise": (("-O",), "N", "ONNX: level of exact passes"),
    "--quiet": (("-q",), None, "print nothing but mistakes and results"),
    "--help": (("-h",), None, "show this help message and exit"),
}
FILES = {"FILE", "STUDY", "OLD", "NEW", "WEIGHTS", "CODE", "PAGE", "MODEL", "IMAGE", "FOLDER", None}  # None: a choice


def listed(name: str) -> Iterator[tuple[str, argparse.Action]]:
    """Its options that the help lists, by their long names."""
    for action in PARSERS[name]._actions:
        if action.option_strings and action.help != argparse.SUPPRESS:
            yield action.option_strings[-1], action


# ---- options ----


def test_every_command_has_its_row() -> None:
    assert list(PARSERS) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_shared_options_are_the_same_everywhere(name: str) -> None:
    found = dict(listed(name))
    assert {option for option in found if option in SHARED} == COMMANDS[name][1] | {"--help", "--quiet"}
    for option, action in found.items():
        short, metavar, text = SHARED.get(option, ((), action.metavar, ""))
        assert tuple(action.option_strings[:-1]) == short
        assert str(action.help).startswith(text)
        assert action.metavar == metavar or (name, option) == ("fuzz", "--output"), option
        assert action.metavar or action.choices or action.nargs == 0, f"{option} says nothing of its value"
        assert action.help, option
        assert not str(action.help).endswith("."), option
        assert str(action.help)[0].islower() or str(action.help).startswith(("ONNX", "PyTorch")), option
    assert {action.metavar for action in PARSERS[name]._actions if not action.option_strings} <= FILES


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_written_can_be_forced_and_what_prints_data_has_json(name: str) -> None:
    found = dict(listed(name))
    assert ("--output" in found) <= ("--force" in found or name == "fuzz"), "fuzz writes to names that are free"
    hidden = [o for action in PARSERS[name]._actions for o in action.option_strings if action.help == argparse.SUPPRESS]
    assert hidden == (["--json"] if "--format" in found else [])
    if "--format" in found:
        assert list(found["--format"].choices or ())[:2] == ["human", "json"]


@pytest.mark.parametrize("name", [name for name, (_, has) in COMMANDS.items() if "--format" in has])
def test_json_is_json_and_has_a_synonym(name: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = str(COMMANDS[name][0]).split()
    status, out, _ = run(capsys, *words, "--format", "json")
    assert status == 0
    json.loads(out)
    assert out.isascii()
    assert run(capsys, *words, "--json")[:2] == (0, out)
    assert run(capsys, *words, "--format", "human")[1] not in ("", out)


WITH_FORMAT = [name for name, (_, has) in COMMANDS.items() if "--format" in has]


OF_NO_NETWORK = (
    "search show",
    "search front",
    "search rank",
    "explain",
    "data check",
    "train",
    "eval",
    "predict",
    "gallery",
    "export",
    "quantize",
)


@pytest.mark.parametrize("name", [name for name in WITH_FORMAT if name not in OF_NO_NETWORK])
def test_mistakes_are_json_where_results_are(name: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A program that asked for JSON reads on standard output why there is no result."""
    words = str(COMMANDS[name][0]).split()
    for text, code in (("network A { hello }\n", "E0"), (None, "E0801")):
        (net / "net.spine").unlink() if text is None else (net / "net.spine").write_text(text, encoding="utf-8")
        status, out, err = run(capsys, *words, "--format", "json")
        assert status == 1
        found = json.loads(out)
        assert [one["severity"] for one in found] == ["error"] * len(found)
        assert all(one["code"].startswith(code) for one in found)
        assert "error[" not in err


@pytest.mark.parametrize("name", [name for name, (line, _) in COMMANDS.items() if line])
def test_files_and_options_stand_in_any_order(name: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command's own words, after an option, and before one that follows."""
    words = str(COMMANDS[name][0]).split()
    own = len(name.split())
    assert run(capsys, *words)[0] == 0
    again = [*words[:own], "-q", *words[own:]] if name != "new" else [*words[:own], "--force", *words[own:], "-q"]
    assert run(capsys, *again)[0] == 0
    assert run(capsys, *again[:own], "--", *words[own:])[0] == (0 if not any(w[0] == "-" for w in words) else 2) or (
        name in ("new", "train")
    )


# ---- streams ----


@pytest.mark.parametrize("name", [name for name, (line, _) in COMMANDS.items() if line])
def test_quiet_leaves_mistakes_and_results(name: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = str(COMMANDS[name][0]).split()
    said = run(capsys, *words)
    if name == "new":
        words.append("--force")
    quiet = run(capsys, *words, "-q")
    assert quiet[0] == said[0] == 0
    assert quiet[1] in ("", said[1])
    kept = "spine: w.npz has no digests: damage to it may go unseen\n" if "w.npz" in words else ""
    assert quiet[2] == kept
    assert all(line.startswith("spine: ") for line in said[2].splitlines())


@pytest.mark.parametrize("name", ["check", "fmt", "show", "compile"])
def test_quiet_says_every_mistake(name: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (net / "net.spine").write_text("spine 1\nnetwork {\n")
    status, out, err = run(capsys, *str(COMMANDS[name][0]).split(), "-q")
    assert status == 1
    assert "error[E" in out + err
    assert "spine explain" not in out


# ---- wrong use ----


def complaint(capsys: pytest.CaptureFixture[str], name: str, *words: str) -> str:
    """What is said of a wrong command line, after the name of the command."""
    status, out, err = run(capsys, *name.split(), *words)
    first, usage, more, *rest = err.split("\n")
    assert (status, out, rest) == (2, "", [""])
    assert usage.startswith(f"usage: spine {name} [options]"), usage
    assert more == f"`spine {name} --help` says more"
    assert first.startswith(f"spine {name}: ")
    return first.removeprefix(f"spine {name}: ")


@pytest.mark.parametrize("name", COMMANDS)
def test_unknown_options_are_said_with_what_was_near(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert complaint(capsys, name, "--zzz") == "unknown option `--zzz`"
    for option, _ in listed(name):
        misspelt = option + option[-1]
        for word in (misspelt, f"{misspelt}=1"):
            assert complaint(capsys, name, word) == f"unknown option `{misspelt}`; did you mean `{option}`?"


@pytest.mark.parametrize("name", COMMANDS)
def test_options_want_their_values_once(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for option, action in listed(name):
        if action.nargs == 0:
            continue
        called = "/".join(action.option_strings)
        assert complaint(capsys, name, option) == f"{called}: its value is missing"
        if not isinstance(action, argparse._AppendAction):
            assert complaint(capsys, name, option, "1", option, "1") == f"`{option}` is given twice: give it once"
        if action.choices is not None and not isinstance(next(iter(action.choices)), int):
            choice = max(action.choices, key=len)
            misspelt = choice + choice[-1]
            said = f"{called}: there is no `{misspelt}`; did you mean `{choice}`?"
            assert complaint(capsys, name, option, misspelt) == said


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_missing_is_said(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    needed = [action for action in PARSERS[name]._actions if action.required and action.nargs != "*"]
    if not needed:
        return
    said = complaint(capsys, name)
    assert said.endswith(("is missing", "are missing"))
    for action in needed:
        assert f"`{action.option_strings[0] if action.option_strings else action.metavar or 'shell'}`" in said


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_of_another_command_says_which(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = (
        complaint(capsys, name, "--adapter", "timm")
        if name != "compile"
        else complaint(capsys, name, "--tier", "weights")
    )
    assert said.endswith(f"(`spine {'compile' if name != 'compile' else 'breaking'}` has it)")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("chekc net.spine", "unknown command `chekc`; did you mean `check`?"),
        ("Check net.spine", "unknown command `Check`; did you mean `check`?"),
        ("hlep", "unknown command `hlep`; did you mean `help`?"),
        ("lint net.spine", "unknown command `lint`; did you mean `check`?"),
        ("net.spine", "`net.spine` is no command; did you mean `spine check net.spine`?"),
        ("/", "`/` is no command; did you mean `spine check /`?"),
        ("help chekc", "unknown command `chekc`; did you mean `check`?"),
        ("--quite check", "unknown option `--quite`"),
        ("--verison", "unknown option `--verison`; did you mean `--version`?"),
        ("-q check", "unknown option `-q`: it stands after the command, as in `spine check -q`"),
        ("--json", "unknown option `--json`"),
    ],
)
def test_of_all_commands(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, *words.split())
    usage = "usage: spine [options] COMMAND ...\n`spine --help` says more\n"
    assert (status, out, err) == (2, "", f"spine: {said}\n{usage}")


def test_of_actions(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "weights", "shwo", "x")
    assert (status, err.split("\n")[0]) == (2, "spine weights: unknown action `shwo`; did you mean `show`?")
    assert err.split("\n")[1] == "usage: spine weights [options] ACTION ..."


def test_a_file_with_a_leading_dash(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (net / "-net.spine").write_text(NET)
    assert complaint(capsys, "check", "-net.spine") == "unknown option `-net.spine`; the file is `./-net.spine`"
    assert run(capsys, "check", "--", "-net.spine")[0] == 0
    assert run(capsys, "check", "./-net.spine")[0] == 0


# ---- help ----


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_asked_for_in_every_way(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = name.split()
    status, text, err = run(capsys, *words, "--help")
    assert (status, err) == (0, "")
    assert f"\n  spine {name} " in text
    for other in ([*words, "-h"], ["help", *words], [*words, "help"]):
        assert run(capsys, *other) == (0, text, "")


def test_help_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    status, text, _ = run(capsys, "--help")
    assert status == 0
    assert all(f"\n    {name.split()[0]} " in text for name in COMMANDS)
    for code in ("0 fine", "1 mistakes", "2 wrong use", "70 an internal error", "130 interrupted"):
        assert code in text
    assert run(capsys, "help") == run(capsys, "-h") == (0, text, "")
    assert run(capsys) == (2, "", text), "without a command: the help, and wrong use"


def examples(one: Parser) -> list[str]:
    """The lines of a help's examples."""
    lines = str(one.epilog).split("\n")
    return [line.strip() for line in lines if line.startswith("  ") and "spine " in line]


@pytest.mark.parametrize("columns", ["1", "40", "250", "-5", "wide", ""])
def test_help_fits_every_width(
    columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for name in COMMANDS:
        assert run(capsys, *name.split(), "--help")[0] == 0
