"""The HTML page: one file that asks for nothing, and in a browser does what it says."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from spinedsl.draw import lay_out, to_html
from tests.draw.drawn import example
from tests.patience import HANG

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
REPORT = """
<pre id="report"></pre><script>
const found = {};
const text = () => document.getElementById("words").textContent;
const key = (name) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true}));
const boxes = [...svg.querySelectorAll("text")].map((item) => item.getBBox());
const canvas = {width: svg.viewBox.baseVal.width, height: svg.viewBox.baseVal.height};
found.texts = boxes.length;
found.overlaps = boxes.filter((a, i) => boxes.some((b, j) => j > i && a.x < b.x + b.width && b.x < a.x + a.width
  && a.y + 2 < b.y + b.height - 2 && b.y + 2 < a.y + a.height - 2)).length;
found.outside = boxes.filter((a) => a.x < 0 || a.x + a.width > canvas.width || a.y + a.height > canvas.height).length;
found.start = text();
found.tabs = nodes.every((node) => node.tabIndex === 0 && node.getAttribute("aria-label"));
nodes[0].focus(); key("ArrowRight"); key("ArrowRight");
found.walked = document.activeElement.dataset.node;
found.block = text();
found.near = svg.querySelectorAll(".near").length;
key("ArrowDown");
found.arrow = text();
key("Escape");
found.let_go = text();
arrows.at(-1).dispatchEvent(new PointerEvent("pointerenter"));
found.hovered = text();
key("+");
found.zoomed = svg.viewBox.baseVal.width / canvas.width;
document.getElementById("fit").click();
found.fitted = svg.viewBox.baseVal.width;
const paper = () =>
  getComputedStyle(svg.querySelector(".paper")).fill + getComputedStyle(document.body).backgroundColor;
found.before = paper();
document.getElementById("theme").click();
found.after = paper();
found.titles = svg.querySelectorAll("g > title").length;
found.fetched = performance.getEntriesByType("resource").length;
document.getElementById("report").textContent = JSON.stringify(found);
</script>"""


def in_browser(page: str, folder: Path) -> dict[str, Any]:
    """What the page does when a script walks through it."""
    assert BROWSER is not None
    path = folder / "page.html"
    path.write_text(page.replace("</body>", f"{REPORT}</body>"), encoding="utf-8")
    done = subprocess.run(
        [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
            "--window-size=1600,1000", "--dump-dom", path.as_uri(),
        ],
        capture_output=True, text=True, check=True, timeout=HANG,
    )  # fmt: skip
    found = re.search(r'<pre id="report">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found is not None
    assert found[1], done.stderr
    report: dict[str, Any] = json.loads(html.unescape(found[1]))
    return report


def page_of(file: str, network: str, theme: str = "auto") -> str:
    """The page of an example."""
    return to_html(lay_out(example(file, network)), theme)


def test_the_page_is_one_file_that_asks_for_nothing() -> None:
    page = page_of("spinenet.spine", "SpineNet49")
    assert page == page_of("spinenet.spine", "SpineNet49")
    assert set(re.findall(r"https?://[^\"' ]+", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<(link|img|iframe|script src|object|embed)|@import|url\(", page)
    assert "default-src 'none'" in page
    assert '<html lang="en">' in page
    assert '<html lang="en" data-theme="dark">' in page_of("spinenet.spine", "SpineNet49", "dark")


@needs_browser
@pytest.mark.parametrize(
    ("file", "network"),
    [("spinenet.spine", "SpineNet190"), ("retinanet.spine", "RetinaNet49"), ("fpn.spine", "ResNet50FPN")],
)
def test_the_page_works_in_a_browser(file: str, network: str, tmp_path: Path) -> None:
    found = in_browser(page_of(file, network), tmp_path)
    assert found["texts"] > 30
    assert (found["overlaps"], found["outside"], found["fetched"], found["titles"]) == (0, 0, 0, 0)
    assert found["tabs"]
    assert found["start"] == found["let_go"]
    assert network in found["start"]
    assert found["walked"] in ("0-b1", "0-c3")
    assert "multiply-adds" in found["block"]
    assert found["near"] >= 3
    assert " to " in found["arrow"] != found["block"]
    assert found["hovered"] not in (found["start"], found["arrow"])
    assert found["zoomed"] == pytest.approx(0.8)
    assert found["fitted"] > 400
    assert found["before"] != found["after"]


@needs_browser
def test_marks_and_payloads_in_a_browser(tmp_path: Path) -> None:
    from spinedsl.draw import Mark, Marking

    program = example("tutorial/1_first_network.spine", "First")
    payload = "<img src=x onerror=\"document.title='broken'\"></script><script>document.title='broken'</script>"
    figure = lay_out(program, titles=[payload], markings=[Marking({"a": Mark("changed", payload)})])
    found = in_browser(to_html(figure), tmp_path)
    assert payload in found["start"]
    assert found["fetched"] == 0
