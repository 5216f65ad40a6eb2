"""`spine search`: what is printed and written, and every way in which it is used wrongly."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from spinedsl import driver, search
from spinedsl.cli.search_progress import Bar, Tally, watched
from spinedsl.cli.voice import MANNER
from spinedsl.reading import read
from spinedsl.record import replace
from spinedsl.search.records import Setup
from tests.cli.running import run
from tests.search.spaces import NET, SPACES

FILE = str(SPACES)
SPACE = ("--space", "AroundSpineNet49")
SMALL = ("--space", "Neck")


def test_the_best_are_listed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["search", FILE, *SPACE, "--fitness", "depth", "--budget", "30", "--top", "3", "-o", str(tmp_path / "best")]
    status, out, err = run(capsys, *words)
    assert (status, err) == (0, f"spine: 3 candidates written to {tmp_path / 'best'}\n")
    first, head, *rows = out.splitlines()
    assert first == "AroundSpineNet49, by evolution with seed 0, for depth:max: 30 of 30 candidates measured"
    assert head.split() == ["candidate", "depth", "multiply-adds", "parameters", "from"]
    depths = [float(row.split()[1]) for row in rows]
    assert depths == sorted(depths, reverse=True)
    assert len(rows) == 3
    for row in rows:
        file = tmp_path / "best" / f"AroundSpineNet49-{int(row.split()[0]):06d}.spine"
        assert file.read_text().startswith(f"# Candidate {row.split()[0]} of a search of space AroundSpineNet49")
        source = read(file).value
        assert source is not None
        assert driver.analyse(source).ok
    assert run(capsys, *words)[1] == out, "the same seed, and its own files are replaced"


def test_a_study_is_shown_as_it_was_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named = ("--fitness", "entropy", "--fitness", "multiply_adds", "--engine", "nsga2", "--study", "a.db")
    status, out, err = run(capsys, "search", "run", FILE, *SPACE, "--budget", "12", *named)
    assert (status, err) == (0, "")
    assert run(capsys, "search", "show", "a.db") == (0, out, "")
    assert run(capsys, "search", "worker", "--study", "a.db") == (
        0, "AroundSpineNet49: 12 candidates of 12 measured\n", "",
    )  # fmt: skip
    status, out, _ = run(capsys, "search", "front", "a.db", "--json")
    found = json.loads(out)
    study = search.open_study("a.db")
    assert [one["candidate"] for one in found["candidates"]] == [one.slot for one in study.front]
    assert found["measured"] == found["budget"] == 12
    assert found["objectives"] == [
        {"name": "entropy", "direction": "maximize"}, {"name": "multiply_adds", "direction": "minimize"},
    ]  # fmt: skip
    status, _, err = run(capsys, "search", "front", "a.db", "-o", "front")
    assert (status, err) == (
        0,
        f"spine: {len(study.front)} candidate{'s' * (len(study.front) != 1)} written to front\n",
    )
    (tmp_path / "front" / f"AroundSpineNet49-{study.front[0].slot:06d}.spine").write_text("mine\n")
    status, _, err = run(capsys, "search", "front", "a.db", "-o", "front")
    assert status == 2
    assert "spine did not write it" in err


def test_a_command_measures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "score.py"
    script.write_text(
        "import sys\nprint('reading', sys.argv[1])\nprint(open(sys.argv[1]).read().count('bottleneck'))\n"
    )
    command = f"{sys.executable} '{script}'"
    for given in (command, f"{command} {{}}"):
        status, out, err = run(
            capsys, "search", FILE, *SPACE, "--fitness-command", given, "--fitness", "command:min", "--budget", "4",
            "--format", "json", "--top", "4",
        )  # fmt: skip
        assert (status, err) == (0, "")
        space = search.open_space(SPACES, "AroundSpineNet49")
        for one in json.loads(out)["candidates"]:
            text = space.text(space.sample(0, one["candidate"]))
            assert one["values"] == [text.count("bottleneck")]


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("print('fine')", "E1210", ["the command printed `fine`", "let its last line be the number alone"]),
        ("", "E1210", ["the command printed nothing"]),
        ("print('nan')", "E1210", ["the command printed `nan`"]),
        ("print(float('inf'))", "E1210", ["the command printed `inf`"]),
        ("print('1_000')", "E1210", ["the command printed `1_000`"]),
        ("print('\\x1b[31m7')", "E1210", ["the command printed"]),
        ("raise SystemExit('no such network')", "E1209", ["exit status 1", "no such network"]),
        ("import os; os.kill(os.getpid(), 9)", "E1209", ["was ended by signal 9"]),
    ],
)
def test_a_command_that_does_not(
    body: str, code: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "score.py").write_text(body)
    command = f"{sys.executable} {tmp_path / 'score.py'}"
    status, out, err = run(capsys, "search", FILE, *SPACE, "--fitness-command", command, "--budget", "4")
    assert (status, out) == (1, "")
    assert err.startswith(f"error[{code}]: ")
    assert "\x1b[31m" not in err
    for word in words:
        assert word in err


def test_a_command_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "search", FILE, *SPACE, "--fitness-command", "./no-such-program", "--budget", "4")
    assert status == 1
    assert err.startswith("error[E1209]: the command of --fitness-command cannot be run: ./no-such-program\n")
    assert "no such file or directory" in err


@pytest.mark.parametrize(
    ("name", "body", "command", "fix"),
    [
        ("score.py", "", "score.py", "say that it stands in this folder: `./score.py`"),
        ("my score", "", "./my score -v", "quote a path with blanks, inside the command too: \"'./my score'\""),
        (
            "score.sh",
            "echo 1",
            "./score.sh",
            "let its first line say what runs it, as `#!/bin/sh`, or name that: `sh ./score.sh`",
        ),
        ("score.sh", "", "cat {} | wc -c", "no shell runs it: let one do so, as `sh -c 'cat {} | wc -c'`"),
        ("score.sh", "", "./other", "give the path of a program, and its arguments"),
        ("score.sh", "exit 3", "sh score.sh", "run it by itself on a file of `spine space FILE --sample 1 -o FOLDER`"),
    ],
)
def test_what_helps_a_command_that_cannot_run(
    name: str, body: str, command: str, fix: str,
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(body)
    (tmp_path / name).chmod(0o755)
    status, _, err = run(capsys, "search", FILE, *SPACE, "--fitness-command", command, "--budget", "4")
    assert status == 1
    assert f"= help: {fix}\n" in err


def test_a_budget_that_is_less_than_before_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["search", FILE, *SPACE, "--fitness", "parameters", "--study", str(tmp_path / "a.db"), "--engine", "random"]
    status, out, err = run(capsys, *words, "--budget", "4")
    assert (status, err) == (0, "")
    assert out.splitlines()[1].split() == ["candidate", "parameters", "multiply-adds", "from"], "each figure once"
    said = "spine: the search has a budget of 4 candidates, which --budget may only raise\n"
    assert run(capsys, *words, "--budget", "3") == (0, out, said)
    assert run(capsys, *words, "--budget", "4") == (0, out, "")


def test_a_command_that_is_not_executable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "score.py"
    script.write_text("print(1)\n")
    status, _, err = run(capsys, "search", FILE, *SPACE, "--fitness-command", f"'{script}'", "--budget", "4")
    assert status == 1
    assert "permission denied" in err
    assert "make it executable, as by `chmod +x`, or name what runs it: `python3 score.py`" in err


def test_a_search_that_somebody_ends_says_what_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*given: object) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr("spinedsl.search.fitness.measure", stopped)
    words = ("search", FILE, *SPACE, "--fitness-command", "x", "--budget", "4")
    for place, told in (
        (["--study", str(tmp_path / "a.db")], f"these are kept in {tmp_path / 'a.db'}, and the same command goes on"),
        ([], "nothing is kept without --study"),
    ):
        status, _, err = run(capsys, *words, *place)
        assert status == 130
        assert f"spine: 0 of 4 candidates measured; {told}\n" in err


TYPES = NET + "space Types of Net { types b2..b4: residual, bottleneck }\n"
CHANGE = """
import re, sys
text = sys.stdin.read()
other = dict(bottleneck="residual", residual="bottleneck")
print(re.sub(r"(block b3: +)(\\w+)", lambda found: found[1] + other[found[2]], text))
"""


def test_a_command_changes_candidates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "change.py").write_text(CHANGE)
    (tmp_path / "types.spine").write_text(TYPES)
    command = f"{sys.executable} {tmp_path / 'change.py'}"
    kept = str(tmp_path / "a.db")
    words = ["--engine", "local", "--fitness", "depth", "--budget", "13", "--mutate-with", command, "--study", kept]
    status, out, err = run(capsys, "search", str(tmp_path / "types.spine"), *words, "--top", "13", "--json")
    assert (status, err) == (0, "")
    found = search.open_study(kept).settled
    assert [found[slot].origin for slot in range(13)] == ["sample"] * 10 + ["command"] * 3
    for slot in range(10, 13):
        before, after = (found[number].genome.types for number in (found[slot].parents[0], slot))
        assert after == (*before[:3], 1 - before[3], before[4])
    listed = [one["candidate"] for one in json.loads(out)["candidates"]]
    assert len(listed) == len({found[slot].digest for slot in listed}) == len({one.digest for one in found.values()})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("print('hello')", ["error[E1213]", "E0"]),
        ("print('spine 1\\ndef f(x) { return relu(x) }')", ["error[E1213]", "expected one network, got 0 networks"]),
        ("print(sys.stdin.read().replace('level 7', 'level 6'))", ["error[E1213]", "no candidate of space"]),
        ("raise SystemExit(3)", ["error[E1209]", "the command of --mutate-with failed", "exit status 3"]),
        ("while True: print('#' * 1000)", ["error[E1213]", "E0601: a file has at most 4000000 characters"]),
    ],
)
def test_a_command_that_makes_no_candidate(
    body: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "change.py").write_text(f"import sys\n{body}\n")
    command = f"{sys.executable} {tmp_path / 'change.py'}"
    given = [*SPACE, "--engine", "local", "--fitness", "depth", "--budget", "12", "--mutate-with", command]
    status, out, err = run(capsys, "search", FILE, *given)
    assert (status, out) == (1, "")
    for word in words:
        assert word in err


def test_a_command_that_fails_now_and_then(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is asked three times, each failure is told with its reason, and the candidate is changed without it."""
    tries = tmp_path / "tries"
    count = f"import sys\nwith open({str(tries)!r}, 'a') as file: file.write('x'); tries = file.tell()\n"
    (tmp_path / "change.py").write_text(f"{count}if 2 <= tries <= 5: sys.exit(5)\n{CHANGE}")
    (tmp_path / "types.spine").write_text(TYPES)
    command = f"{sys.executable} {tmp_path / 'change.py'}"
    words = ["--engine", "evolution", "--fitness", "depth", "--budget", "23", "--mutate-with", command]
    status, _, err = run(capsys, "search", str(tmp_path / "types.spine"), *words, "--study", str(tmp_path / "a.db"))
    found = search.open_study(tmp_path / "a.db").settled
    assert (status, [found[slot].origin for slot in range(20, 23)]) == (0, ["command", "mutate", "command"])
    failed = "the command of --mutate-with failed: it ended with exit status 5"
    parent = found[21].parents[0]
    assert err.splitlines() == [
        *[f"spine: candidate 21: {failed}"] * 3,
        f"spine: candidate 21: candidate {parent} is changed without the command of --mutate-with",
        f"spine: candidate 22: {failed}",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--fitness depth", "it has 5 spaces: choose one by --space NAME"),
        ("--space Nope --fitness depth", "there is no space `Nope` in it: choose"),
        ("--space Neck", "say what is measured: `--fitness depth`, `--train CONFIG`, or `--fitness-command COMMAND`"),
        ("--space Neck --fitness deph", "there is no fitness `deph`: did you mean `depth`?"),
        ("--space Neck --fitness depth --engine evolutoin", "there is no `evolutoin`; did you mean `evolution`?"),
        ("--space Neck --fitness depth --name x", "--name is of a search that is kept: say where by --study"),
        ("--space Neck --fitness depth --grace 9", "--grace is of workers that share a study: say which by --study"),
        ("--space Neck --fitness depth --force", "--force is of what -o writes: nothing is written here"),
        ("--space Neck --fitness depth --top 0", "--top 0 lists nothing: give 1 or more"),
        ("--space Neck --fitness depth --budget 0", "--budget 0 measures nothing: give 1 or more"),
        ("--space Neck --fitness depth --fitness entropy", "has one objective, and 2 are given: choose `nsga2`"),
        ("--space Neck --fitness-command 'a", "--fitness-command cannot be split into words"),
        ("--space Neck --fitness depth --engine random --mutate-with cat", "--mutate-with has no use"),
    ],
)
def test_wrong_use(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "search", FILE, *words.split())
    assert (status, out) == (2, "")
    assert err.startswith("spine search run: ")
    assert said in err.splitlines()[0]


def test_actions_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "search", "shwo", "a.db")
    assert (status, err.splitlines()[0]) == (2, "spine search: unknown action `shwo`; did you mean `show`?")
    status, _, err = run(capsys, "search", str(tmp_path / "absent.spine"), "--fitness", "depth")
    assert (status, err.partition(":")[0]) == (1, "error[E0801]")
    (tmp_path / "plain.spine").write_text("spine 1\ndef f(x) { return relu(x) }\n")
    status, _, err = run(capsys, "search", str(tmp_path / "plain.spine"), "--fitness", "depth")
    assert status == 2
    assert "has no search space" in err
    for action in ("show", "front"):
        status, _, err = run(capsys, "search", action, str(tmp_path / "absent.db"))
        assert (status, err.partition(":")[0]) == (1, "error[E1212]")
    status, _, err = run(capsys, "search", "worker", "--study", "a.db", "--grace", "1")
    assert status == 2


def test_a_study_is_data_and_its_commands_run_only_where_they_are_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wrote it: a worker runs nothing that stands in a study and was not asked for."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "score.py").write_text("open('ran', 'a').write('.')\nprint(1)\n")
    (tmp_path / "change.py").write_text("open('changed', 'a').write('.')\nimport sys\nprint(sys.stdin.read())\n")
    score, change = (f"{sys.executable} {tmp_path / name}.py" for name in ("score", "change"))
    begun = ("search", "run", FILE, *SMALL, "--study", "a.db", "--fitness-command", score, "--mutate-with", change)
    assert run(capsys, *begun, "--engine", "local", "--budget", "2")[0] == 0
    (tmp_path / "ran").unlink()
    (tmp_path / "changed").unlink(missing_ok=True)
    worker = ("search", "worker", "--study", "a.db")
    both = ("--fitness-command", score, "--mutate-with", change)
    for given, said in (
        ((), f"the study has a command for --fitness-command, `{score}`; give it too, if it is what you want to run"),
        (("--fitness-command", "true"), "and `true` is given; give it too"),
        (("--fitness-command", score), f"the study has a command for --mutate-with, `{change}`; give it too"),
    ):
        status, out, err = run(capsys, *worker, *given)
        assert (status, out) == (2, "")
        assert said in err
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "changed").exists()
    assert run(capsys, *worker, *both)[0] == 0
    assert run(capsys, "search", "run", FILE, *SMALL, "--study", "b.db", "--budget", "2", "--fitness", "depth")[0] == 0
    status, _, err = run(capsys, "search", "worker", "--study", "b.db", *both[2:])
    assert (status, "the study runs no command by --mutate-with: leave it out" in err) == (2, True)


# ---- what somebody sees meanwhile ----


def test_the_bar_shows_the_best_the_pace_and_what_failed() -> None:
    study = search.run(SPACES, ["depth", "parameters"], name="AroundSpineNet49", engine="random", budget=6)
    for count in (1, 2):
        seen = search.Study("", study.optuna, _of_objectives(study, count), study.candidates)
        seconds = iter(range(0, 3000, 30))
        tally = Tally(seen, lambda seconds=seconds: float(next(seconds)))  # type: ignore[misc]
        assert tally.words == ""
        for slot, one in study.settled.items():
            values = (one.values or ())[:count] if slot != 4 else None
            seen.settled[slot] = replace(one, values=values if slot != 3 else (1e12,) * count, pruned=slot == 3)
            tally.hear(seen.settled[slot])
        words = tally.words
        assert "1 failed  1 given up early" in words
        assert "10 a minute" in words, "five after the first, in half a minute"
        assert "1 min left" in words, "fourteen of twenty"
        best = max(one.values[0] for one in seen.settled.values() if one.values and not one.pruned)
        assert (f"best depth {best:,.6g}" if count == 1 else f"front of {len(seen.front)}") in words


def _of_objectives(study: search.Study, count: int) -> Setup:
    """A search of a larger budget, for the first objectives."""
    return replace(study.setup, budget=20, objectives=study.setup.objectives[:count])


def test_the_bar_is_shown_after_a_while_and_goes_again() -> None:
    study = search.run(SPACES, "depth", name="AroundSpineNet49", engine="random", budget=3)
    out = io.StringIO()
    begin: list[Callable[[], None]] = []
    seen = search.Study("", study.optuna, study.setup, study.candidates)
    console = Console(file=out, force_terminal=True, width=120)
    bar = Bar(Tally(seen), console, lambda _, then: Hand(begin, then))
    assert out.getvalue() == "", "nothing is shown of what is quick"
    begin[0]()
    for slot, one in study.settled.items():
        seen.settled[slot] = one
        bar.hear(one)
    bar.progress.refresh()
    best = study.best[0].values
    assert best is not None
    assert f"best depth {best[0]:,.6g}" in out.getvalue()
    assert "3/3" in out.getvalue()
    bar.close()
    assert out.getvalue().endswith("\x1b[2K"), "the line is taken away"


class Hand:
    """A clock that is moved by hand."""

    def __init__(self, begin: list[Callable[[], None]], then: Callable[[], None]) -> None:
        begin.append(then)

    def start(self) -> None:
        """Begin to wait."""

    def cancel(self) -> None:
        """No longer wait."""


def test_nobody_is_told_anything_in_a_pipe_or_with_q(monkeypatch: pytest.MonkeyPatch) -> None:
    study = search.run(SPACES, "depth", name="AroundSpineNet49", budget=2)
    for quiet, terminal in ((False, False), (True, True), (True, False), (False, True)):
        monkeypatch.setattr(MANNER, "quiet", quiet)
        monkeypatch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal)
        with watched(study) as hear:
            assert isinstance(getattr(hear, "__self__", None), Bar) == (terminal and not quiet)
