"""Networks of imported files: what of them can be named, in which file their parts have meaning, and what is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spinedsl
from spinedsl import api, driver, edit
from spinedsl.diagnostics import Diagnostic, in_order
from spinedsl.diagnostics.machine import to_github, to_json, to_sarif
from spinedsl.diagnostics.render import render
from spinedsl.ops.graph import flatten
from spinedsl.source import Source
from tests.profiles import drawn
from tests.texts import mutated

BASE = """\
spine 1
import std.blocks
import std.stems
import std.resample
import "types.spine"

network Base(width = 1.0) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 4 * width, level 3: 6 * width }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 4
    block b0: residual level 2 after s
    block b1: mine level 3 from b0
    block b2: residual level 3 from b0, b1
    output C3: b2
}

network Wide = Base(width = 2)
"""
TYPES = """\
spine 1

block_type mine(x, channels, stride = 1) -> channels { return act(conv(x, channels, kernel = 3, stride = stride)) }

network Alone {
    input image: 3 x 64 x 64
    output C0: s
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a base in a file of its own, which imports another."""
    (tmp_path / "spine.toml").touch()
    (tmp_path / "base.spine").write_text(BASE, encoding="utf-8")
    (tmp_path / "types.spine").write_text(TYPES, encoding="utf-8")
    return tmp_path


def source(folder: Path, text: str, imports: str = 'import "base.spine"\n') -> Source:
    return Source.from_text(f"spine 1\n{imports}{text}", "main.spine", str(folder / "main.spine"))


def said(found: Source) -> list[tuple[str, str, int]]:
    """Code, file and line of everything that is said."""
    diagnostics = spinedsl.check(found).diagnostics
    return [(d.code.id, d.span.source.name, d.span.line) for d in diagnostics]


def shapes(found: Source, network: str) -> dict[str, tuple[int, ...]]:
    graph = flatten(spinedsl.program(found, network=network))
    return {name: parameter.shape for name, parameter in graph.parameters.items()}


# ---- what can be named ----


def test_an_imported_network_is_a_base_and_no_network_of_the_file(folder: Path) -> None:
    main = source(folder, "network A = Base\nnetwork B = Wide\nnetwork C = Base(width = 2)\nnetwork D = B(width = 3)\n")
    outcome = spinedsl.check(main)
    assert outcome.ok
    assert outcome.value is not None
    assert list(outcome.value.networks) == list(outcome.value.checked) == ["A", "B", "C", "D"]
    there = Source.from_text(BASE, "base.spine", str(folder / "base.spine"))
    assert shapes(main, "A") == shapes(there, "Base")
    assert shapes(main, "B") == shapes(main, "C") == shapes(there, "Wide") != shapes(main, "D")
    with pytest.raises(api.NetworkChoice, match="has no network `Wide`"):
        spinedsl.program(main, network="Wide")


def test_an_import_brings_only_what_stands_in_its_own_file(folder: Path) -> None:
    (found,) = spinedsl.check(source(folder, "network A = Alone\n")).diagnostics
    assert (found.code.id, found.span.text) == ("E0201", "Alone")
    assert [(label.span.source.name, label.span.line) for label in found.others] == [("types.spine", 5)]
    (fix,) = found.fixes
    assert [part.text for part in fix.edits] == ['import "types.spine"\n']
    assert all(part.span.source is found.span.source for part in fix.edits)


def test_a_file_above_and_one_below(folder: Path) -> None:
    (folder / "nets").mkdir()
    main = Source.from_text(
        'spine 1\nimport "../base.spine"\nnetwork A = Base with { drop b1 }\n',
        "nets/a.spine",
        str(folder / "nets/a.spine"),
    )
    names = {label.span.source.name for found in spinedsl.check(main).diagnostics for label in found.others}
    assert names == {"base.spine"}


def test_a_name_of_two_networks_is_only_a_mistake_where_it_is_used(folder: Path) -> None:
    (folder / "other.spine").write_text(BASE.replace('import "types.spine"\n', "").replace("mine", "residual"), "utf-8")
    imports = 'import "base.spine"\nimport "other.spine"\n'
    own = "network Mine = Base\n"
    assert said(source(folder, own.replace("Base", "Wide"), imports)) == [("E0232", "main.spine", 4)]
    text = "import std.stems\nnetwork Base {\ninput image: 3 x 64 x 64\ndefaults { act relu, norm batch_norm }\n"
    text += "stem s: resnet_stem channels 4\noutput C2: s\n}\n"
    assert said(source(folder, text, imports)) == []
    assert said(source(folder, text + own)) == [("E0232", "main.spine", 10)]


def test_a_file_imported_twice_is_one_file(folder: Path) -> None:
    imports = 'import "base.spine"\nimport "./base.spine"\nimport "types.spine"\n'
    assert said(source(folder, "network A = Base\n", imports)) == []


# ---- what things mean ----


def test_what_the_base_uses_needs_no_import(folder: Path) -> None:
    main = source(folder, "network A = Base with { block b1 channels 5 }\n")
    assert spinedsl.check(main).ok
    assert shapes(main, "A")["b1.conv.weight"][0] == 5


def test_a_type_in_an_edit_is_of_its_own_file(folder: Path) -> None:
    kernel = (
        "block_type mine(x, channels, stride = 1) -> channels { return conv(x, channels, kernel = 1, stride = stride) }"
    )
    main = source(folder, f"{kernel}\nnetwork A = Base with {{ block b1: mine }}\n")
    assert spinedsl.check(main).diagnostics == ()  # the same name, and another type: the edit has an effect
    assert shapes(main, "A")["b1.conv.weight"] == (6, 6, 1, 1)
    unknown = source(folder, "network A = Base with { block b2: mine }\n")
    (found,) = spinedsl.check(unknown).diagnostics
    assert (found.code.id, found.span.text) == ("E0201", "mine")
    assert [part.text for fix in found.fixes for part in fix.edits] == ['import "types.spine"\n']


def test_edits_in_three_files_add_up(folder: Path) -> None:
    middle = "network Middle = Wide with {\n    widths { level 3: 10 }\n    rules { inputs 1..3 }\n}\n"
    (folder / "middle.spine").write_text(f'spine 1\nimport "base.spine"\n{middle}', encoding="utf-8")
    text = "network A = Middle with {\n    widths { level 2: 7 * width }\n    width = 3\n}\n"
    main = source(folder, text, 'import "middle.spine"\n')
    assert spinedsl.check(main).diagnostics == ()
    outcome = spinedsl.check(main)
    assert outcome.value is not None
    rows = outcome.value.checked["A"].typed.rows
    assert [rows[name].channels for name in ("b0", "b1", "b2")] == [21, 10, 10]
    assert outcome.value.checked["A"].typed.most_inputs == 3


def test_edits_as_values_apply_to_an_imported_network(folder: Path) -> None:
    edits = edit.Edits([edit.widths({3: 8}), edit.Change("b2", edit.clauses(channels=9))])
    variant = edit.apply(source(folder, ""), edits, base="Wide", name="Variant")
    assert shapes(variant, "Variant")["b1.conv.weight"][0] == 8


# ---- what is said ----


def test_a_mistake_of_the_base_is_said_in_its_file_once(folder: Path) -> None:
    text = BASE.replace("channels 4\n", "channels 0\n").replace("after s", "after q")
    (folder / "base.spine").write_text(text, encoding="utf-8")
    main = source(folder, "network A = Base\nnetwork B = Base(width = 3)\nnetwork C = Wide with { block b2 level 2 }\n")
    assert said(main) == [("E0403", "base.spine", 13), ("E0201", "base.spine", 14)]
    both = [
        *spinedsl.check(main).diagnostics,
        *driver.read(folder / "base.spine", "base.spine").then(driver.analyse).diagnostics,
    ]
    assert len(in_order(both)) == 2


def test_networks_that_are_no_base_are_not_checked(folder: Path) -> None:
    text = BASE.replace("Base(width = 2)", "Base(widht = 2)")
    (folder / "base.spine").write_text(text, encoding="utf-8")
    assert said(source(folder, "network A = Base\n")) == []
    assert said(source(folder, "network A = Wide\n")) == [("E0208", "base.spine", 20)]


def test_of_a_circle_of_imports_only_the_circle_is_said(folder: Path) -> None:
    (folder / "base.spine").write_text(BASE.replace("types", "main"), encoding="utf-8")
    text = "network A = Base\nnetwork B = Basse\n"
    (folder / "main.spine").write_text(f'spine 1\nimport "base.spine"\n{text}', encoding="utf-8")
    codes = {code for code, *_ in said(source(folder, text))}
    assert "E0206" in codes
    assert codes <= {"E0206", "E0201"}


def test_each_file_has_a_version_of_its_own(folder: Path) -> None:
    (folder / "base.spine").write_text(BASE.removeprefix("spine 1\n"), encoding="utf-8")
    assert said(source(folder, "network A = Base\n")) == []
    (folder / "base.spine").write_text(BASE.replace("spine 1", "spine 2"), encoding="utf-8")
    assert said(source(folder, "network A = Base\n")) == [("E0114", "base.spine", 1)]


@pytest.fixture
def dropped(folder: Path) -> Diagnostic:
    """What is said of an edit that takes away what a row of the other file reads."""
    (found,) = spinedsl.check(source(folder, "network A = Base with {\n    drop b1\n}\n")).diagnostics
    return found


def test_a_message_shows_both_files(dropped: Diagnostic) -> None:
    text = render([dropped])
    assert " --> main.spine:4:5\n" in text
    assert " ::: base.spine:16:41\n" in text
    assert "^^^^^^^ dropped here" in text
    assert "-- read here" in text


def test_formats_for_programs_have_both_files(dropped: Diagnostic) -> None:
    (plain,) = json.loads(to_json([dropped]))
    assert (plain["place"]["file"], plain["place"]["line"]) == ("main.spine", 4)
    assert [(other["file"], other["line"]) for other in plain["others"]] == [("base.spine", 16)]
    (result,) = json.loads(to_sarif([dropped], "1"))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "main.spine"
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["artifactLocation"]["uri"] == "base.spine"
    github = to_github([dropped])
    assert github.startswith("::error file=main.spine,line=4,")
    assert "base.spine:16: read here" in github


def test_a_repair_is_made_in_the_file_of_the_edit(folder: Path) -> None:
    main = source(
        folder, "network A = Base with {\n    block b2: bottelneck from b0, b9\n    widths { level 2: 0 }\n}\n"
    )
    for found in spinedsl.check(main).diagnostics:
        for part in json.loads(to_json([found]))[0]["fixes"]:
            assert {change["file"] for change in part["edits"]} <= {"main.spine"}
    edits = [part for d in spinedsl.check(main).diagnostics for fix in d.fixes for part in fix.edits]
    assert {part.text for part in edits} >= {"1"}


MAIN = """\
spine 1
import "base.spine"
import std.blocks
network A = Wide with {
    block b1 level 2
    block b2: bottleneck
    widths { level 2: 8, level 3..4: 6 * width }
    defaults { act swish, norm batch_norm(momentum = 0.5) }
    width = 3
    add block x: residual level 3 from b1, b2 before C3
    output C3: x
    drop b0
}
network B = A with { resample none rules { inputs 1..3 } input image: 3 x 32 x 32 move b2 before b1 }
"""


@given(st.data())
@drawn(150)
def test_whatever_is_wrong_in_either_file_is_said(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Nothing raises, and every repair stands in a file that was read, where it can be made."""
    texts = {"base.spine": BASE, "types.spine": TYPES, "main.spine": MAIN}
    folder = tmp_path_factory.getbasetemp() / "mutated"
    folder.mkdir(exist_ok=True)
    changed = data.draw(st.sampled_from(sorted(texts)))
    (folder / "original").write_text(texts[changed], encoding="utf-8")
    texts[changed] = data.draw(mutated((folder / "original",)))
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", errors="surrogatepass")
    main = driver.read(folder / "main.spine", "main.spine")
    diagnostics = main.then(driver.analyse).diagnostics
    for found in diagnostics:
        for edit_ in (part for fix in found.fixes for part in fix.edits):
            assert edit_.span.source.name in texts
            assert 0 <= edit_.span.start <= edit_.span.end <= len(edit_.span.source.text)
    assert all((render(diagnostics), to_json(diagnostics), to_sarif(diagnostics, "1"))) or not diagnostics
    assert bool(to_github(diagnostics)) == bool(diagnostics)
