"""The report in Chromium: nothing is fetched, nothing that a file says runs, the table sorts, a phone shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinedsl.report import to_html
from tests.report.studies import study_of
from tests.report.test_page import hostile
from tests.watch.chromium import BROWSER, Chromium

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
HEADS = "[...document.querySelectorAll('.trials th')].map(head => head.textContent)"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT = """
[...document.querySelectorAll('.charts svg')].flatMap(svg => {
  const whole = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.left < whole.left - 1 || box.right > whole.right + 1 || box.bottom > whole.bottom + 1;
  }).map(text => text.textContent);
}).join()
"""


def opened(browser: Chromium, folder: Path, page: str, width: int = 1200) -> None:
    """Show a page in a window of this width."""
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    browser.ask("Emulation.setDeviceMetricsOverride", session=browser.session, width=width, height=900,
                deviceScaleFactor=1, mobile=width < 600)  # fmt: skip
    browser.open(path.as_uri())


def test_it_works_in_a_browser(tmp_path: Path) -> None:
    studies = [study_of(tmp_path / f"{engine}.db", engine, budget=15) for engine in ("random", "local")]
    alone, beside = to_html(studies[:1]), to_html(studies)
    with Chromium(tmp_path) as browser:
        for page in (alone, beside):
            for width in (390, 1200):
                opened(browser, tmp_path, page, width)
                assert browser.value(OVERFLOW) <= 0
                assert browser.value(CUT) == ""
                assert browser.value("performance.getEntriesByType('resource').length") == 0
        opened(browser, tmp_path, alone)
        assert browser.value(f"{HEADS}.join()") == "trial,candidate,state,depth,multiply-adds,parameters,from,took"
        column = "[...document.querySelectorAll('.trials tbody tr')].map(row => +row.cells[3].textContent)"
        for sign in (1, -1):
            browser.value("document.querySelectorAll('.trials th button')[3].click()")
            found = browser.value(column)
            assert found == sorted(found, reverse=sign < 0)
            assert len(found) == 15


def test_what_is_closed_is_printed(tmp_path: Path) -> None:
    shown = "[...document.querySelectorAll('details')].map(one => one.lastElementChild.checkVisibility())"
    with Chromium(tmp_path) as browser:
        opened(browser, tmp_path, to_html([study_of(tmp_path / "a.db", "random", budget=50)]))
        on_screen = browser.value(shown)
        assert on_screen == browser.value("[...document.querySelectorAll('details')].map(one => one.open)")
        assert not all(on_screen)
        browser.ask("Emulation.setEmulatedMedia", session=browser.session, media="print")
        assert browser.value(shown) == [True] * len(on_screen)


def test_nothing_that_a_study_says_runs(tmp_path: Path) -> None:
    page = to_html([hostile(tmp_path)])
    with Chromium(tmp_path) as browser:
        opened(browser, tmp_path, page)
        assert browser.value("document.querySelectorAll('.trials tbody tr').length") == 13
        assert browser.value("typeof window.pwned") == "undefined"
        assert browser.value("document.images.length") == 0
        opened(browser, tmp_path, page.replace("</body>", "<script>window.pwned = 1</script></body>"))
        assert browser.value("typeof window.pwned") == "undefined", "the policy lets no other script run"
