"""`spine docs`: the pages of the documentation, word for word."""

from __future__ import annotations

import pytest

from spinedsl.cli.docs import pages
from tests.cli.running import run
from tests.documents import DOCUMENTS

NAMES = [name.removeprefix("docs/").removesuffix(".md") for name in DOCUMENTS if name.startswith("docs/")]


def test_all_pages_are_listed_with_their_titles(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "docs")
    assert (status, err) == (0, "spine: `spine docs PAGE` prints one\n")
    assert [line.split()[0] for line in out.splitlines()] == NAMES
    assert all(len(line.split()) > 1 for line in out.splitlines())
    assert run(capsys, "docs", "-q") == (0, out, "")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_its_file(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = DOCUMENTS[f"docs/{name}.md"].read_text(encoding="utf-8")
    assert run(capsys, "docs", name) == run(capsys, "docs", f"docs/{name}.md") == (0, text, "")
    assert pages()[name] == text


def test_what_is_no_page_names_what_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "docs", "langauge")
    assert (status, out) == (2, "")
    assert err == "spine docs: there is no page `langauge`; did you mean `language`?\n"
    status, _, err = run(capsys, "docs", "README")
    assert status == 2
    assert "there are `command-line`" in err
