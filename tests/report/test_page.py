"""The report: what it says is what the studies hold, and nothing in it runs or is fetched."""

from __future__ import annotations

import html
import re
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import Trial, TrialState

from spinedsl import search
from spinedsl.compare import compare, side
from spinedsl.compare.words import cells
from spinedsl.record import replace
from spinedsl.report import to_html
from spinedsl.report.family import Families
from spinedsl.report.page import best_of
from spinedsl.report.runs import runs_of
from spinedsl.search.records import ATTRIBUTE, FAILED, Objective
from spinedsl.search.storage import NoStudy
from spinedsl.source import Source
from tests.report.studies import HANDLER, SCRIPT, SPACE, failing, study_of
from tests.search.spaces import SPACES


def cells_of(page: str, kind: str) -> list[list[str]]:
    """The texts of a table's rows, by the class of the table."""
    table = re.search(rf'<table class="{kind}">(.*?)</table>', page, re.DOTALL)
    assert table is not None, kind
    rows = re.findall(r"<tr>(.*?)</tr>", table[1].partition("<tbody>")[2], re.DOTALL)
    return [
        [html.unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall(r"<t[dh]\b[^>]*>(.*?)</t[dh]>", row)]
        for row in rows
    ]


def test_a_page_is_one_file_that_asks_for_nothing(tmp_path: Path) -> None:
    study = study_of(tmp_path / "a.db")
    page = to_html([study])
    assert page == to_html([study])
    assert page.startswith("<!doctype html>")
    assert set(re.findall(r"https?://[^\"' <]+", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<(link|img|iframe|object|embed)|@import|url\(|src=", page)
    assert "default-src 'none'" in page
    assert page.count("<script") == 1
    assert 'data-theme="dark"' in to_html([study], theme="dark")


def test_it_says_what_the_study_holds(tmp_path: Path) -> None:
    study = study_of(tmp_path / "a.db", budget=40)
    page = to_html([study], top=2)
    best = study.best[0]
    assert best.values is not None
    trials = cells_of(page, "numbers trials")
    assert [int(row[0]) for row in trials] == list(range(40))
    for row in trials:
        one = study.settled[int(row[1])]
        assert one.values is not None
        assert row[2] == "finished"
        assert float(row[3]) == pytest.approx(one.values[0], rel=1e-5)
        assert row[4:6] == [f"{one.costs['multiply_adds']:,}", f"{one.costs['parameters']:,}"]
        assert row[6].split() == [one.origin, *map(str, one.parents)]
    about = {row[0]: row[1] for row in cells_of(page, "about")}
    assert about["decisions"] == "15,897,070,781,839,228,211,822,592,000,000,000,000"
    assert (about["engine"], about["seed"]) == ("evolution", "0")
    assert about["budget"] == "40 candidates"
    assert about["searched by"].startswith("spine ")
    assert about["bounds"] == "keep multiply_adds <= 30G"
    assert page.count('<article class="best-one"') == 2
    assert f'id="best-s0-{best.slot}"' in page
    assert study.text(best) in html.unescape(page)


def test_a_network_stands_where_it_did_best(tmp_path: Path) -> None:
    (run,) = runs_of([study_of(tmp_path / "a.db", "random", budget=3)])
    measured = ((0, 10.0, "A"), (1, 9.0, "B"), (2, 8.0, "A"))
    everyone = [
        (run, replace(run.study.settled[slot], values=(value,), digest=digest)) for slot, value, digest in measured
    ]
    for objective, slots in ((Objective("x", "maximize"), [0, 1]), (Objective("x", "minimize"), [2, 1])):
        for top in range(4):
            assert [one.slot for _, one in best_of(everyone, [objective], top)] == slots[:top]


def test_values_at_the_end_of_all_numbers_have_a_page() -> None:
    most = sys.float_info.max

    def extreme(candidate: search.Measured) -> float:
        return (-most, most, 0.0, 5e-324, -1e300)[candidate.slot % 5]

    given: dict[str, Any] = {"name": SPACE, "engine": "random", "budget": 7}
    studies = [search.run(SPACES, extreme, seed=seed, **given) for seed in range(2)]
    lowest = search.run(SPACES, lambda _: -most, **given)
    two = search.run(SPACES, lambda one: (extreme(one), -extreme(one)), directions=["max", "max"], **given)
    for runs in (studies[:1], studies, [lowest], [two], [two, two]):
        page = to_html(runs)
        assert not re.search(r'[" ,](nan|-?inf)[" ,]', page)


def test_the_front_is_what_no_other_beats(tmp_path: Path) -> None:
    study = search.run(
        SPACES, ["entropy", "multiply_adds"], name=SPACE, engine="nsga2", budget=60, study=tmp_path / "a"
    )
    page = to_html([study])
    listed = {int(row[0]) for row in cells_of(page, "numbers")}
    assert listed == {one.slot for one in study.front}
    single = study_of(tmp_path / "b.db", budget=40)
    rows = cells_of(to_html([single]), "numbers")
    everyone = [(one.values[0], one.costs["multiply_adds"]) for one in single.settled.values() if one.values]
    for row in rows:
        value, cost = float(row[1]), int(row[2].replace(",", ""))
        assert not any(other > value + 1e-3 and price <= cost for other, price in everyone)
    assert len(rows) > 1


def test_a_family_is_what_compare_says_of_each_step(tmp_path: Path) -> None:
    study = study_of(tmp_path / "a.db", "local", budget=40)
    (run,) = runs_of([study])
    best = study.best[0]
    family = Families().of((run, best))
    slots = [step.candidate.slot for step in family.steps]
    assert slots[-1] == best.slot
    assert family.steps[0].candidate.parents == ()
    assert len(slots) > 2
    for before, step in zip(family.steps, family.steps[1:], strict=False):
        assert step.candidate.parents[0] == before.candidate.slot
        old, new = (
            side(Source.from_text(study.text(one.candidate), "candidate.spine"), network="Candidate")
            for one in (before, step)
        )
        found = [
            (mark, names, what, how.replace("->", "→")) for mark, names, what, how in cells(compare(old, new).changes)
        ]
        assert list(step.lines) == (found or [("", "", "the same network", "")])
    second = Families()
    second.of((run, best))
    again = second.of((run, study.settled[slots[-2]]))
    assert [step.known for step in again.steps] == [True], "it stands above already"


def test_candidates_without_a_value_and_trials_that_run(tmp_path: Path) -> None:
    study = search.run(SPACES, failing, name=SPACE, engine="random", budget=10, study=tmp_path / "a.db")
    assert "The search is not over" not in to_html([study])
    taken(study)
    keep(study, budget=16)
    page = to_html([search.open_study(tmp_path / "a.db")])
    states = [row[2].partition(":")[0] for row in cells_of(page, "numbers trials")]
    assert Counter(states) == {"finished": 8, "failed": 2, "running": 1}
    assert "The search is not over: 6 candidates of the budget are left." in page
    assert "<dt>without a value</dt><dd>2</dd><dd>20.0% of those measured</dd>" in page
    assert "<li>2: " in page


def test_what_was_given_up_early_is_no_failure_and_never_the_best(tmp_path: Path) -> None:
    study = study_of(tmp_path / "a.db", "random", budget=6)
    trial = taken(study)
    trial.set_user_attr(ATTRIBUTE, study.optuna.trials[0].user_attrs[ATTRIBUTE])
    trial.report(1e9, 1)
    study.optuna.tell(trial, state=TrialState.PRUNED)
    keep(study, budget=7)
    opened = search.open_study(tmp_path / "a.db")
    page = to_html([opened])
    (row,) = (row for row in cells_of(page, "numbers trials") if row[2] == "pruned")
    assert row[3] == "1,000,000,000"
    assert "<dt>given up early</dt><dd>1</dd><dd>14.3% of those measured</dd>" in page
    assert "without a value" not in page
    best = study.best[0].values
    assert best is not None
    assert f"<dt>best depth</dt><dd>{best[0]:g}</dd>" in page


def test_a_search_that_has_just_begun(tmp_path: Path) -> None:
    study = study_of(tmp_path / "a.db", budget=1)
    keep(study, budget=3)
    begun = search.open_study(tmp_path / "a.db")
    for number in range(1, 5):
        assert f"candidate {number}" not in to_html([begun])
    assert "<summary>The only trial</summary>" in to_html([begun])
    begun.settled.clear()
    assert "No candidate has a value yet." in to_html([begun])


def taken(study: search.Study) -> Trial:
    """A trial that a worker has, who will not be heard of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return study.optuna.ask()


def keep(study: search.Study, **other: object) -> None:
    """Let a study say otherwise."""
    study.optuna.set_user_attr(ATTRIBUTE, {**study.optuna.user_attrs[ATTRIBUTE], **other})


def test_studies_of_different_searches_are_refused(tmp_path: Path) -> None:
    one = study_of(tmp_path / "a.db", budget=2)
    other = search.run(SPACES, "entropy", name=SPACE, budget=2, study=tmp_path / "b.db")
    third = search.run(SPACES, "depth", name="Adjusted", budget=2, study=tmp_path / "c.db")
    for beside, what in ((other, "objectives depth:max, got entropy:max"), (third, f"space {SPACE}, got Adjusted")):
        with pytest.raises(NoStudy) as found:
            to_html([one, beside])
        assert found.value.diagnostic.code.id == "E1225"
        assert what in found.value.diagnostic.message


def test_studies_that_were_trained_otherwise_are_refused(tmp_path: Path) -> None:
    second = study_of(tmp_path / "b.db", budget=2)

    def beside(**other: object) -> search.Study:
        keep(second, **other)
        return search.open_study(tmp_path / "b.db")

    def training(steps: int, images: str = "aa") -> dict[str, object]:
        return {"settings": {"run": {"steps": steps}}, "data": {"data.train": images}}

    first = study_of(tmp_path / "a.db", budget=2)
    keep(first, training=training(12), halving=[4, 2])
    first = search.open_study(tmp_path / "a.db")
    for other, what in (
        ({"training": training(12), "halving": None}, "expected successive halving 4, 2, got none"),
        ({"training": training(24), "halving": [4, 2]}, "expected `run.steps` of its training `12`, got `24`"),
        ({"training": None, "halving": [4, 2]}, "expected `run.steps` of its training `12`, got none"),
        ({"training": training(12, "bb"), "halving": [4, 2]}, "`digest of data.train` of its training `aa`, got `bb`"),
    ):
        with pytest.raises(NoStudy) as found:
            to_html([first, beside(**other)])
        assert found.value.diagnostic.code.id == "E1225"
        assert what in found.value.diagnostic.message
    assert to_html([first, beside(training=training(12), halving=[4, 2])])


def test_searches_of_one_place_are_refused_by_their_names(tmp_path: Path) -> None:
    place = tmp_path / "a.db"
    both = [
        search.run(SPACES, name, name=SPACE, budget=2, study=place, study_name=name) for name in ("depth", "entropy")
    ]
    with pytest.raises(NoStudy, match="study `entropy` cannot be put beside `depth`") as found:
        to_html(both)
    assert "by `--name entropy`" in found.value.diagnostic.fixes[0].text
    assert repr(both[0]) == f"<search of {SPACE} in {place}: 2 of 2 measured>"


def hostile(folder: Path) -> search.Study:
    """A study each of whose texts is code."""
    place = folder / f"{HANDLER}.db"
    study = search.run(SPACES, failing, name=SPACE, engine="random", budget=12, study=place)
    trial = taken(study)
    kept = study.optuna.trials[0].user_attrs[ATTRIBUTE]
    trial.set_user_attr(ATTRIBUTE, {**kept, "origin": SCRIPT, "digest": HANDLER})
    trial.set_user_attr(FAILED, HANDLER + SCRIPT)
    study.optuna.tell(trial, state=TrialState.FAIL)
    setup = study.setup
    renamed = f"{HANDLER}.spine"
    sources = {renamed if name == setup.entry else name: text for name, text in setup.sources.items()}
    texts = {"mutator": HANDLER, "command": SCRIPT, "version": HANDLER}
    keep(study, budget=13, sources=sources, entry=renamed, **texts)
    return search.open_study(place)


def test_text_of_a_study_is_text_in_the_page(tmp_path: Path) -> None:
    page = to_html([hostile(tmp_path)])
    assert html.unescape(page).count(SCRIPT) >= 3, "as command, as a reason, and where it comes from"
    assert HANDLER in html.unescape(page)
    assert SCRIPT not in page
    assert "<img" not in page
    assert page.count("<script") == 1
