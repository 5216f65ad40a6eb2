"""What benchmarks record: the commit, the command without paths of this machine, and the last of what each printed."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from benchmarks import detected, figures, found, learned
from spinedsl.settings import to_toml
from spinedsl.training.config import read_config

ROOT = Path(__file__).resolve().parent.parent
RUN = [path.stem for path in sorted((ROOT / "benchmarks").glob("*.py")) if "__main__" in path.read_text()]


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that figures go to, with a section of another benchmark."""
    path = tmp_path / "FIGURES.md"
    figures.record("python -m benchmarks.zoo", "0123456789", "before\n", path)
    monkeypatch.setattr(figures, "FIGURES", path)
    monkeypatch.setattr(figures.record, "__defaults__", (path,))
    monkeypatch.setattr(figures, "commit", lambda: "abcdef0123")
    return path


def run(monkeypatch: pytest.MonkeyPatch, line: str, text: str, status: int | None = 0) -> int:
    """A benchmark that prints a text."""

    def main() -> int | None:
        assert "--record" not in sys.argv
        sys.stdout.write(f"{text}\n")
        return status

    monkeypatch.setattr(sys, "argv", ["x", *line.split()])
    return figures.measured("flips", main)


def test_every_benchmark_says_its_commit() -> None:
    assert len(RUN) >= 8
    for name in RUN:
        text = (ROOT / "benchmarks" / f"{name}.py").read_text()
        assert f'sys.exit(measured("{name}", main))' in text, name


def test_the_commit_is_printed_and_nothing_is_written_unasked(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = recorded.read_text()
    assert run(monkeypatch, "--flips 10", "3 flips", status=None) == 0
    assert capsys.readouterr().out == "commit abcdef0123\n3 flips\n"
    assert recorded.read_text() == before


def test_what_is_recorded_takes_the_place_of_what_was(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "--flips 10 --record", "first") == 0
    assert run(monkeypatch, "--flips 10 --record", "second") == 0
    assert run(monkeypatch, "--record", "other") == 0
    text = recorded.read_text()
    assert re.findall(r"^## `(.*)`$", text, re.MULTILINE) == [
        "python -m benchmarks.flips", "python -m benchmarks.flips --flips 10", "python -m benchmarks.zoo",
    ]  # fmt: skip
    assert "first" not in text
    assert re.search(
        r"flips 10`\n\ncommit `abcdef0123`, \d{4}-\d\d-\d\d, Python 3[.\d]+\n\n```text\nsecond\n```\n", text
    )
    assert "```text\nbefore\n```" in text


def test_a_run_that_fails_records_nothing(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recorded.read_text()
    assert run(monkeypatch, "--record", "torn", status=1) == 1
    assert recorded.read_text() == before


def test_a_command_is_recorded_without_paths_of_this_machine() -> None:
    words = ["load", "--folder", "/somewhere/else", "--kills", "100", "--cache", "a/b"]
    assert figures.command_of("large", words) == "python -m benchmarks.large load --kills 100"


def test_every_recorded_figure_has_a_commit() -> None:
    text = (ROOT / "benchmarks/FIGURES.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert len(sections) >= 3
    for section in sections:
        assert re.match(
            r"`python -m benchmarks\.\w+[^`/]*`\n\ncommit `[0-9a-f]{10}`, 20\d\d-\d\d-\d\d, Python 3\.", section
        )


def test_kept_results_are_of_the_configuration_that_stands() -> None:
    cases: list[learned.Trial] = [*detected.of_equal_steps(3), *detected.of_crowns(1)]
    cases += [case for name in learned.NAMES for case in learned.cases_of(name, 3)]
    known = {case.kept_as(): case for case in cases}
    found = [*detected.RESULTS.glob("*.json"), *learned.RESULTS.glob("*/*.json")]
    assert len(found) >= 7
    for path in found:
        about = json.loads(path.read_text(encoding="utf-8"))
        assert about["cpu_seconds"] > 0
        if path in known:  # for how long one of equal time is trained follows from others
            assert about["digest"] == known[path].digest(), path.name
            assert known[path].result() == about
        if path.parent == detected.RESULTS:
            low, high = about["ap_interval"]
            assert 0 < low < about["ap"] < high < 1
    assert not detected.Case("many_sizes", "Permuted", 0, epochs=0.5).result()


def test_each_kept_configuration_trains_its_network_anew(tmp_path: Path) -> None:
    every = [*detected.of_equal_steps(3), *detected.of_equal_time(tmp_path, 3), *detected.of_crowns(1)]
    cases = {case.kept_as().stem: case for case in every}
    found = sorted(detected.RESULTS.glob("*.toml"))
    assert len(found) >= 7
    for path in found:
        case = cases[path.stem]
        assert path.read_text(encoding="utf-8") == to_toml(case.whole()), path.name
        read = read_config(path)
        assert not read.diagnostics, path.name
        assert read.value is not None
        network, (name, arguments) = read.value.network, case.made
        assert (network["name"], network["arguments"] or {}, read.value.run["seed"]) == (name, arguments, case.seed)
        file = read.value.path(network, "file")
        assert file is not None
        assert file.resolve() == ROOT / "examples/learning" / case.example / case.networks


def test_each_longer_training_of_a_search_is_kept_with_what_trains_it() -> None:
    every = [found.Longer(found.EXAMPLE, name, seed) for seed in range(3) for name in ("spinenet", "found", "drawn")]
    assert {case.kept_as() for case in every} == {*found.KEPT.glob("*.json")}
    for case in every:
        assert case.result()["digest"] == case.digest()
        kept = case.kept_as().with_suffix(".toml")
        assert kept.read_text(encoding="utf-8") == to_toml(case.whole())
        read = read_config(kept)
        assert not read.diagnostics
        assert read.value is not None
        assert read.value.path(read.value.network, "file") == case.file


def test_what_has_figures_counts_as_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "RESULTS", tmp_path / "results")
    case, other = (learned.Case("fashion_mnist", "permuted", seed) for seed in range(2))
    case.folder(tmp_path).mkdir(parents=True)
    about = {"digest": case.digest(), "commit": "0", "cpu_seconds": 90.0, "steps": 4}
    for step in (3, 4):
        (case.folder(tmp_path) / learned.KEPT).write_text(json.dumps({**about, "step": step}))
        assert case.finished(tmp_path) == (step == 4)
    case.keep(tmp_path, {"shown": "all right"})
    elsewhere = tmp_path / "elsewhere"
    assert case.finished(elsewhere)
    assert case.minutes(elsewhere) == 1.5
    assert not other.finished(elsewhere)
    case.kept_as().write_text(case.kept_as().read_text().replace(case.digest(), "0" * 16))
    assert not case.finished(elsewhere)
