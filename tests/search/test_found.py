"""The search on real images (`make found`): its space, its configuration, and its figures, of a table made up here."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from benchmarks import found, found_figures
from benchmarks.figures import ROOT
from spinedsl import search
from spinedsl.search.figures import figure
from spinedsl.search.study import create
from spinedsl.training.config import read_config

NETWORKS = ROOT / "examples" / "learning" / found.EXAMPLE / "networks.spine"


@pytest.fixture
def around(tmp_path: Path) -> Path:
    """The space beside the networks that it is of."""
    shutil.copy(NETWORKS, tmp_path)
    (tmp_path / "around.spine").write_text(found.space_beside(), encoding="utf-8")
    return tmp_path / "around.spine"


def test_the_spaces_hold_spinenet_49_and_bound_by_its_cost(around: Path) -> None:
    spaces = search.spaces(around)
    whole = search.Candidates(spaces[found.SPACE])
    own = search.contains(whole, whole.space.typed).genome
    assert own is not None
    priced = whole.price(own)
    assert isinstance(priced, search.Priced)
    (keep,) = spaces[found.WITHIN].keeps
    assert priced.costs.multiply_adds == keep.bound
    config = read_config(found.KEPT / "short.toml").value
    assert config is not None
    assert (config.run["steps"], config.run["threads"], config.run["workers"]) == (96, 1, 0)


def test_engines_search_by_the_table(around: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where depth alone counts, the regression finds that, and the networks that are kept are the best ones."""
    whole = search.open_space(around, found.SPACE)
    depth = figure("depth", whole)

    def fitness(candidate: search.Measured) -> float:
        for step in (1, 2):
            candidate.report(step, depth(candidate.priced) / 1000 * step)
        return depth(candidate.priced) / 500

    study = search.run(whole, fitness, engine="random", budget=30)
    monkeypatch.setattr(found_figures, "KEPT", tmp_path)
    monkeypatch.setattr(found_figures, "TABLE", tmp_path / "candidates.csv")
    (tmp_path / "clock.csv").write_text("3,20.0\n")
    found_figures.keep_table(study, tmp_path / "clock.csv")
    rows = found_figures.kept_table()
    assert [int(row["candidate"]) for row in rows] == [*range(30)]
    assert [row["cpu_seconds"] for row in rows] == ["", "", "", "20.0", *[""] * 26]
    assert [found_figures.value_of(row) for row in rows] == pytest.approx(
        [one.values[0] for _, one in sorted(study.settled.items()) if one.values]
    )
    again = create(str(tmp_path / "again.db"), None, study.setup, whole)
    found_figures.carried(again)
    again.refresh()
    assert [(one.genome, one.digest) for one in again.settled.values()] == [
        (one.genome, one.digest) for _, one in sorted(study.settled.items())
    ]
    assert [one.curve[1] for one in again.settled.values()] == pytest.approx(
        [one.curve[1] for _, one in sorted(study.settled.items())], abs=1e-6
    )
    found_figures.carried(again)
    assert again.refresh() == [], "what a study has is not taken twice"
    said = found_figures.ranks(study)
    assert "30 random candidates" in said
    assert "  depth           1.00 ( 1.00 to  1.00)" in said
    space = search.open_space(around, found.WITHIN)
    predicted = found_figures.Predicted(space)
    table = [float(row["depth"]) for row in rows]
    for number in range(5):
        one = space.sample(1, number)
        within = min(max(depth(one), min(table)), max(table))
        assert predicted(search.Measured(space, one, 0)) == pytest.approx(within / 500, rel=1e-6)
    lines = found_figures.engines(space, 25, 2).splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(found_figures.ENGINES)
    with (tmp_path / "engines.csv").open(newline="") as file:
        kept = list(csv.DictReader(file))
    assert len(kept) == 4 * 2 * 25
    found_figures.keep_networks(space, 25, 2)
    best = max(float(row["best"]) for row in kept)
    assert f"predicted AP {best:.4f}" in (tmp_path / "found.spine").read_text()
    drawn = max((row for row in rows if float(row["multiply_adds"]) <= 83009984), key=found_figures.value_of)
    assert f"candidate {drawn['candidate']}," in (tmp_path / "drawn.spine").read_text()
    for name in (found.FOUND, found.DRAWN, found.SPINENET):
        assert search.spaces(tmp_path / f"{name}.spine") == {}, "it is a file without mistakes"
