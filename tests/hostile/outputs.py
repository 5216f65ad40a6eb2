"""Everything that is made of a file, and what each kind of output must keep to, whatever the file holds."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from html.parser import HTMLParser
from typing import Any

from spinedsl import api
from spinedsl.diagnostics import Diagnostic, in_order
from spinedsl.diagnostics.machine import to_github, to_json, to_sarif
from spinedsl.diagnostics.render import render
from spinedsl.draw import lay_out
from spinedsl.draw.page import to_html
from spinedsl.draw.svg import to_svg
from spinedsl.ops.program import Program
from tests.hostile.allowlist import strange

# What a terminal acts on, and what makes a text read other than it runs.
UNPRINTABLE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def plain(text: str) -> None:
    """Nothing that a terminal would act on, and nothing that no encoding can write."""
    found = UNPRINTABLE.search(text)
    assert found is None, (found, text)
    text.encode()


# ---- diagnostics ----


def diagnostics_are_plain(diagnostics: Iterable[Diagnostic]) -> None:
    """In all four forms."""
    said = tuple(diagnostics)
    for colour in (False, True):
        text = re.sub(r"\x1b\[(0|1|36|1;3[1-6])m", "", render(said, colour=colour))
        plain(text)
        for line in text.split("\n"):
            assert len(line) < 1_300
    assert text.count("\nerror[") + text.count("\nwarning[") + 1 == max(len(in_order(said)), 1)
    assert len(json.loads(to_json(said))) == len(in_order(said))
    assert to_json(said).isascii()
    (run,) = json.loads(to_sarif(said, "1"))["runs"]
    assert len(run["results"]) == len(in_order(said))
    assert to_sarif(said, "1").isascii()
    for uri in re.findall(r'"uri": "([^"]*)"', to_sarif(said, "1")):
        assert re.fullmatch(r"[A-Za-z0-9_.~/%-]*", uri), uri
    github = to_github(said)
    plain(github)
    lines = github.split("\n") if said else []
    assert len(lines) == len(in_order(said))
    for line in lines:
        assert re.fullmatch(
            r"::(error|warning) file=[^,:]*,line=\d+,endLine=\d+,col=\d+,endColumn=\d+,title=[EW]\d{4} [^,:]*::.*", line
        ), line


# ---- Python ----


def python_is_allowed(text: str) -> None:
    """Only what generated Python may consist of."""
    assert not strange(text)


# ---- pictures ----

ELEMENTS = frozenset("svg g path rect text title desc style line circle polygon tspan defs".split())
ATTRIBUTES = frozenset(
    """
    aria-describedby aria-label aria-labelledby
    class d data-from data-node data-theme data-to fill font-family font-size
    font-weight height id opacity rx ry role stroke stroke-dasharray stroke-linejoin stroke-linecap stroke-width style
    tabindex text-anchor transform viewBox width x x1 x2 y y1 y2 focusable cx cy r points fill-opacity stroke-opacity
    """.split()
)
SVG = "{http://www.w3.org/2000/svg}"


def svg_is_a_picture(text: str) -> None:
    """Strict XML of elements that only draw, without a script, a link, an entity or anything to fetch."""
    assert "<!" not in text
    assert "<?" not in text.removeprefix('<?xml version="1.0" encoding="UTF-8"?>')
    text.encode()
    for element in ET.fromstring(text).iter():
        assert element.tag.removeprefix(SVG) in ELEMENTS, element.tag
        for name, value in element.attrib.items():
            assert name in ATTRIBUTES, name
            assert "url(" not in value
            assert "javascript:" not in value.lower() or name in {"aria-label", "data-node"}
        if element.tag == f"{SVG}style":
            assert not re.search(r"url\(|@import|expression|<|&", element.text or "")


class _Structure(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.inside = tag if tag in {"script", "style"} else ""
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name not in {"src", "href", "srcdoc", "action", "formaction"}, name
            assert name != "style" or "url(" not in (value or "")
        {"script": self.scripts, "style": self.styles}.get(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  as the parser calls it
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside:
            {"script": self.scripts, "style": self.styles}[self.inside][-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")


def structure_of(page: str) -> tuple[Counter[str], list[str], list[str]]:
    """The tags of a page by number, its scripts and its styles."""
    parser = _Structure()
    parser.feed(page)
    parser.close()
    return parser.tags, parser.scripts, parser.styles


MERMAID = re.compile(
    r"""%%[ ]\w+:[ ]input[ ]\d+[ ]x[ ]\d+[ ]x[ ]\d+ | flowchart[ ]LR | \s+n_\w+\(\("\w+"\)\)
    | \s+n_\w+(\[/|\[|\(\[|\{\{)"\w+(<br/>[\w ()x,.]+)*"(\\\]|\]|\]\)|\}\}) | \s+n_\w+[ ]-->(\|\w+\|)?[ ]n_\w+
    | \s+n_\w+[ ]-\.[ ]absorbed[ ]\.->[ ]n_\w+""",
    re.VERBOSE,
)


def chart_is_a_chart(text: str) -> None:
    """Only nodes and arrows: no directive, no link, no click."""
    for line in text.rstrip("\n").split("\n"):
        assert MERMAID.fullmatch(line), line


# ---- ONNX ----


def model_is_a_model(data: bytes) -> None:
    """A model that the checker takes, whose names are names and whose texts are texts."""
    import onnx

    model = onnx.load_model_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    graph = model.graph
    names = [name for node in graph.node for name in (node.name, *node.input, *node.output)]
    names += [value.name for value in (*graph.input, *graph.output, *graph.initializer)]
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_.]*", name), name
    assert not any(tensor.external_data for tensor in graph.initializer)
    assert {node.domain for node in graph.node} == {""}
    for entry in model.metadata_props:
        entry.value.encode()
        assert entry.key.startswith("spine.")


# ---- all of it ----


def everything_of(program: Program) -> Mapping[str, str | bytes]:
    """What a program is made into, by kind."""
    figure = lay_out(program)
    (module,) = api.emit(program, to="torch").values()
    (model,) = api.emit(program, to="onnx").values()
    (chart,) = api.emit(program, to="mermaid").values()
    return {
        "torch": module.decode(),
        "onnx": model,
        "mermaid": chart.decode(),
        "svg": to_svg(figure),
        "html": to_html(figure),
    }


KEEPS: Mapping[str, Callable[[Any], None]] = {
    "torch": python_is_allowed,
    "onnx": model_is_a_model,
    "mermaid": chart_is_a_chart,
    "svg": svg_is_a_picture,
}


def keeps_to_its_form(program: Program, like: Mapping[str, str | bytes]) -> None:
    """Every output keeps to its form; the page has the tags, scripts and styles of one without payloads."""
    made = everything_of(program)
    for kind, keeps in KEEPS.items():
        keeps(made[kind])
    page, other = made["html"], like["html"]
    assert isinstance(page, str)
    assert isinstance(other, str)
    assert structure_of(page) == structure_of(other)
    page.encode()
