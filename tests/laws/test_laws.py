"""The laws on random networks, edits, texts and mistakes: few of each on every commit, many by `make soak`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spinedsl
from spinedsl import checks, driver, edit
from spinedsl.diagnostics import Severity
from spinedsl.source import Source
from spinedsl.testing import STANDARD, Mistake, Space, block_types, edits, mistakes, networks, texts
from spinedsl.testing.laws import NETWORK_LAWS, TEXT_LAWS, answered, formatted, program_of, repaired
from spinedsl.testing.mistakes import CODES, planted
from spinedsl.testing.networks import to_text
from tests.profiles import drawn
from tests.texts import VALID, text_of

ROOT = Path(__file__).resolve().parents[2]
OWN_BLOCK = ROOT / "examples/tutorial/5_own_block.spine"
# What no change of one text can cause, with the reason.
OUT_OF_REACH = {
    "E0116": "bytes that are no text",
    "E0206": "several files",
    "E0207": "a file with a folder",
    "E0232": "several files",
    "E0601": "megabytes",
    "W07": "warnings refuse nothing",
    "E08": "files that cannot be read or written",
    "E09": "weights and backends",
    "E11": "pictures and labels",
    "W09": "weights",
    "E10": "configurations of a training",
    "E1206": "candidates of a space",
    "E1207": "networks beside a space",
    "E1208": "candidates of a space",
    "E1209": "searches",
    "E1210": "searches",
    "E1211": "searches",
    "E1212": "searches",
    "E1213": "searches",
    "E1214": "searches",
    "E1215": "searches",
    "E1216": "searches",
    "E1225": "searches",
    "W10": "training",
    "W11": "pictures and labels",
}


# ---- every network ----


@drawn(100)
@given(networks())
def test_three_witnesses_agree(text: str) -> None:
    NETWORK_LAWS["agreed"](STANDARD.source(text), "Net")


@pytest.mark.parametrize("law", [name for name in NETWORK_LAWS if name != "agreed"])
def test_networks(law: str) -> None:
    @drawn(25)
    @given(networks())
    def holds(text: str) -> None:
        NETWORK_LAWS[law](STANDARD.source(text), "Net")

    holds()


@drawn(150)
@given(networks())
def test_networks_are_valid_by_construction(text: str) -> None:
    outcome = driver.analyse(STANDARD.source(text))
    assert outcome.ok, outcome.diagnostics


@drawn(15)
@given(st.data())
def test_edited_networks(data: st.DataObject) -> None:
    source = Source.from_text(text_of(OWN_BLOCK), OWN_BLOCK.name)
    changes = data.draw(edits(source))
    assert edit.parse(changes.to_text()).value == changes
    edited = edit.apply(source, changes, base="OwnBlock", name="Edited")
    for law in ("compiled", "agreed", "counted"):
        NETWORK_LAWS[law](edited, "Edited")


@drawn(60)
@given(block_types("own"))
def test_random_block_types_take_any_stride_and_channels(definition: str) -> None:
    space = STANDARD.but(head=f"{STANDARD.head}\n{definition}", blocks=("own",), made=0)
    rows = [
        "block a: own level 3 after s channels 4",
        "block b: own level 3 from s, a channels 12",
        "block c: own level 5 from a, b channels 12 repeat 2",
        "output C: c",
    ]
    frame = "network Net {\n input image: 3 x 64 x 96\n defaults { act relu, norm batch_norm }\n resample spinenet\n"
    text = f"{space.head}\n{frame} join plain_sum\n stem s: resnet_stem channels 8\n" + "\n".join(rows) + "\n}\n"
    program_of(space.source(text), "Net")


# ---- every text ----


@drawn(200)
@given(texts())
def test_texts(text: str) -> None:
    source = Source.from_text(text)
    for law in TEXT_LAWS.values():
        law(source)


@st.composite
def commented(draw: st.DrawFn) -> str:
    """A file with comments and blank lines put between its lines."""
    text = draw(networks() | st.sampled_from([text_of(path) for path in VALID]))
    lines = text.splitlines()
    for at in sorted(draw(st.lists(st.integers(0, len(lines)), max_size=6)), reverse=True):
        lines.insert(at, draw(st.sampled_from(["", "  # a comment", "# one\n\n\t# two  ", "\n\n"])))
    return "\n".join(lines)


@drawn(100)
@given(commented())
def test_comments_survive_formatting(text: str) -> None:
    formatted(Source.from_text(text))


# ---- every mistake ----


@drawn(300)
@given(mistakes())
def test_a_mistake_is_refused_with_its_code_and_no_other(mistake: Mistake) -> None:
    source = STANDARD.source(mistake.text)
    said = driver.analyse(source).diagnostics
    assert [d.code.id for d in said if d.severity is Severity.ERROR] == [mistake.code], mistake.text
    answered(source)
    repaired(source)


def test_every_code_that_a_text_can_reach_is_planted() -> None:
    missing = {code for code in checks.codes() if code not in CODES and code not in OUT_OF_REACH}
    assert {code for code in missing if code[:3] not in OUT_OF_REACH} == set()
    assert set(CODES) <= {*checks.codes()}
    reached: Counter[str] = Counter()

    @drawn(60)
    @given(networks(), st.integers(0, 11))
    def plant(text: str, chosen: int) -> None:
        reached.update(mistake.code for mistake in planted(STANDARD.source(text), "Net", chosen))

    plant()
    assert set(CODES) - reached.keys() == set()


# ---- spaces ----


@drawn(40)
@given(st.data())
def test_the_space_of_a_file_has_its_types(data: st.DataObject) -> None:
    space = Space.of(OWN_BLOCK, levels=(2, 3, 4), inputs=3, made=0, sizes=("any",))
    assert space.blocks[0] == "inverted"
    text = data.draw(networks(space))
    program = program_of(space.source(text), "Net")
    assert program.any_size
    assert {row.type_name for row in program.rows if row.kind == "block"} == {"inverted"}
    assert {row.level for row in program.rows if row.kind == "block"} <= {2, 3, 4}


def test_relative_imports_work_from_the_file_of_a_space(tmp_path: Path) -> None:
    (tmp_path / "types.spine").write_text(
        "spine 1\nblock_type mine(x, channels, stride = 1) -> channels {\n"
        "    return act(conv(x, channels, kernel = 3, stride = stride))\n}\n"
    )
    (tmp_path / "main.spine").write_text(
        'spine 1\nimport "types.spine"\nblock_type other(x, channels) -> channels {\n'
        "    return mine(x, channels = channels)\n}\n"
    )
    space = Space.of(tmp_path / "main.spine", made=0)
    assert set(space.blocks) == {"mine", "other"}

    @drawn(10)
    @given(networks(space))
    def valid(text: str) -> None:
        assert spinedsl.check(space.source(text)).ok

    valid()


@pytest.mark.parametrize("thing", [3, "net.spine", None])
def test_networks_are_drawn_of_a_space(thing: Any) -> None:
    with pytest.raises(TypeError, match=r"expected a space, as `Space.of\(file\)` gives; got"):
        networks(thing)


def test_a_space_without_types_says_so() -> None:
    with pytest.raises(ValueError, match="no blocks and no levels"):
        STANDARD.but(blocks=(), levels=())
    with pytest.raises(spinedsl.Mistakes):
        Space.of(ROOT / "examples/demo/three_mistakes.spine.txt")
    with pytest.raises(ValueError, match="no stem of the space"):
        to_text(STANDARD.but(stems=("residual",)), [], [(0, 0, 0, 0)], (0,) * 9)
