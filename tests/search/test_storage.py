"""Where studies are kept: places that can be read alone, and what a database says behind what Optuna says."""

from __future__ import annotations

import gc
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from spinedsl import search
from spinedsl.search.outage import Outage
from spinedsl.search.storage import NoStudy, explained
from spinedsl.search.study import find, searches
from tests.cli.running import run
from tests.search.spaces import SPACES

SPACE = "AroundSpineNet49"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that says of itself that nothing can be written in it, as one of somebody else's does."""
    folder = tmp_path / "räd ?ö #%41 {only}"
    folder.mkdir()
    real = os.access

    def access(path: Any, mode: int, **more: Any) -> bool:
        return real(path, mode, **more) and not (mode & os.W_OK and Path(path).is_relative_to(folder))

    search.run(SPACES, "depth", name=SPACE, engine="random", budget=3, study=folder / "a.db")
    gc.collect()  # which closes it
    assert [path.name for path in folder.iterdir()] == ["a.db"]
    monkeypatch.setattr(os, "access", access)
    return folder


def test_a_study_that_can_only_be_read_is_shown(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written beside it, not even for a moment, so that a medium that takes nothing would do."""
    place = str(shelf / "a.db")
    before = (shelf / "a.db").read_bytes()
    opened = find(place, None)
    opened.refresh()
    assert [path.name for path in shelf.iterdir()] == ["a.db"], "while it is open"
    assert len(opened.settled) == 3
    assert searches(place) == [SPACE]
    assert len(search.open_study(place).best) == 3
    status, out, err = run(capsys, "search", "show", place)
    assert (status, err, len(out.splitlines())) == (0, "", 5)
    assert (shelf / "a.db").read_bytes() == before


def test_a_folder_that_does_not_list_its_files_is_no_hindrance(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of mode 711, of somebody else."""
    real = os.open

    def opened(path: Any, *more: Any, **named: Any) -> int:
        if Path(path) == shelf:
            raise PermissionError(13, "Permission denied")
        return real(path, *more, **named)

    monkeypatch.setattr(os, "open", opened)
    assert searches(str(shelf / "a.db")) == [SPACE]
    assert len(search.open_study(shelf / "a.db").best) == 3


@pytest.mark.parametrize("kind", ["sqlite", "sqlite+pysqlite"])
def test_an_address_of_a_file_that_is_not_there_makes_none(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"{kind}:///{tmp_path / 'none.db'}"
    for words in (["show", place], ["worker", "--study", place], ["report", place, "-o", str(tmp_path / "a.html")]):
        status, out, err = run(capsys, "search", *words)
        assert (status, out, "there is no such file" in err) == (1, "", True)
    assert list(tmp_path.iterdir()) == []
    search.run(SPACES, "depth", name=SPACE, engine="random", budget=2, study=place)
    assert len(search.open_study(place).settled) == 2
    with pytest.raises(NoStudy, match="there is no folder"):
        search.run(SPACES, "depth", name=SPACE, budget=1, study=f"{kind}:///{tmp_path / 'no' / 'a.db'}")


def test_a_search_does_not_go_on_where_it_can_only_be_read(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = str(shelf / "a.db")
    with pytest.raises(NoStudy, match="it is read-only"):
        search.run(SPACES, "depth", name=SPACE, engine="random", budget=4, study=place)
    status, out, err = run(capsys, "search", "worker", "--study", place)
    assert (status, out, "it is read-only" in err) == (1, "", True)


def test_one_that_is_written_meanwhile_is_read_as_it_stands(shelf: Path) -> None:
    """What SQLite wrote ahead, and has not put into the file, counts."""
    with sqlite3.connect(shelf / "a.db") as writer:
        writer.execute("pragma wal_autocheckpoint = 0")
        writer.execute("update studies set study_name = 'another'")
        writer.commit()
        assert (shelf / "a.db-wal").stat().st_size > 0
        assert searches(str(shelf / "a.db")) == ["another"]
    writer.close()


def test_what_the_database_said_is_told_and_not_what_optuna_made_of_it() -> None:
    full = sqlite3.OperationalError("database or disk is full")

    def refuse() -> None:
        raise OperationalError("insert", {}, full)

    def asserted() -> None:
        try:
            refuse()
        except OperationalError:
            raise AssertionError("Should not reach.")  # noqa: B904  as Optuna does

    def waited() -> None:
        try:
            asserted()
        except AssertionError as error:
            Outage("a.db").wait(error)

    with pytest.raises(NoStudy, match="database or disk is full") as found, explained("a.db"):
        asserted()
    assert [fix.text for fix in found.value.diagnostic.fixes] == ["see that it can be written, and that there is space"]
    with pytest.raises(NoStudy, match="database or disk is full"):
        waited()
    with pytest.raises(AssertionError, match="mistake of another"), explained("a.db"):
        raise AssertionError("mistake of another")
