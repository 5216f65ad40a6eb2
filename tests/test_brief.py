"""Whatever the public interface gives, a prompt prints less than a screen of it, and does little work for that.

The walk goes from what the public functions return over fields, properties and items to all that hangs together with
it, except what a record keeps for itself (`repr=False`) and what a class that is no record works with. Texts, bytes and
arrays are Python's own and numpy's: who asks for one, or for a few texts, gets them.
"""

from __future__ import annotations

import gc
import pickle
import sys
from collections import deque
from collections.abc import Callable, Iterator
from html import escape
from itertools import islice
from pathlib import Path
from typing import get_args

import pytest

import spinedsl
from spinedsl import api, edit
from spinedsl.agreement.report import Difference, Failure, Missing, Report, Size
from spinedsl.backends import Target
from spinedsl.brief import FEW, LINE, MOST, Items, Table, Unordered, brief, cut, short
from spinedsl.diagnostics.render import render
from spinedsl.ops.graph import flatten
from spinedsl.record import Record, replace
from spinedsl.source import Source
from spinedsl.testing import Space

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
COLLECTIONS = (tuple, list, dict, set, frozenset)
MOST_VALUES = 12_000  # of one walk
MOST_ITEMS = 60  # of one collection
MOST_CALLS = 600  # made by one repr, into Python or C

LONG = "a_name_of_many_letters_" * 400


def text_of_many_rows(rows: int, name: str = "b") -> str:
    """A network of so many blocks."""
    head = "spine 1\nimport std.blocks\nimport std.stems\nimport std.resample\nimport std.outputs\n"
    blocks = [f"    block {name}{n}: residual level 2 after {f'{name}{n - 1}' if n else 's'}" for n in range(rows)]
    settings = "    input image: 3 x 64 x 64\n    widths { level 2: 8 }\n    defaults { act relu, norm batch_norm }\n"
    body = "    stem s: resnet_stem channels 8\n" + "\n".join(blocks)
    return f"{head}network Many {{\n{settings}{body}\n    output out: {name}{rows - 1}\n}}\n"


def mistaken() -> Iterator[Source]:
    for path in sorted((ROOT / "tests" / "mistakes").glob("E*.spine"))[::9]:
        yield Source.from_text(path.read_text(encoding="utf-8", errors="replace"), path.name, str(path))


def far_away(path: Path) -> Source:
    """A file whose place has a long name, wherever the checkout stands."""
    place = f"/{'a_folder_of_many_folders/' * 9}{path.name}"
    return Source.from_text(path.read_text(encoding="utf-8"), place, place)


def starts() -> dict[str, Callable[[], object]]:
    """What the public functions return, by what was asked."""
    spinenet, retinanet = EXAMPLES / "spinenet.spine", EXAMPLES / "retinanet.spine"
    edited = EXAMPLES / "tutorial" / "6_edits.spine"
    many, named = Source.from_text(text_of_many_rows(300)), Source.from_text(text_of_many_rows(3, LONG), LONG)
    edits = edit.Edits([edit.Drop(LONG), edit.Setting("let", ("n = 1",)), *(edit.Drop(f"b{n}") for n in range(99))])
    return {
        "check": lambda: spinedsl.check(spinenet),
        "check edited": lambda: spinedsl.check(edited),
        "check far away": lambda: spinedsl.check(far_away(spinenet)),
        "check edited far away": lambda: spinedsl.check(far_away(edited)),
        "parse far away": lambda: spinedsl.parse(far_away(retinanet)),
        "program far away": lambda: spinedsl.program(far_away(spinenet), network="SpineNet49"),
        "check mistakes": lambda: Items(spinedsl.check(source) for source in mistaken()),
        "check many mistakes": lambda: spinedsl.check(Source.from_text("block b0: residual\n" * 3_000)),
        "check many rows": lambda: spinedsl.check(many),
        "check long names": lambda: spinedsl.check(named),
        "check no file": lambda: spinedsl.check("there/is/no/such.spine"),
        "parse": lambda: spinedsl.parse(spinenet),
        "parse mistakes": lambda: Items(spinedsl.parse(source) for source in mistaken()),
        "program": lambda: spinedsl.program(spinenet, network="SpineNet49"),
        "program of heads": lambda: spinedsl.program(retinanet, network="RetinaNet49"),
        "program of many rows": lambda: spinedsl.program(many),
        "graph": lambda: flatten(spinedsl.program(spinenet, network="SpineNet49")),
        "compile": lambda: spinedsl.compile(spinenet, network="SpineNet49S", to="onnx"),
        "compile to text": lambda: spinedsl.compile(spinenet, network="SpineNet49S", to="torch"),
        "report": lambda: report_of(200),
        "mistakes": lambda: raised(lambda: spinedsl.program(next(mistaken()))),
        "many mistakes": lambda: raised(lambda: spinedsl.program(Source.from_text("block b0: residual\n" * 3_000))),
        "choice": lambda: raised(lambda: spinedsl.program(EXAMPLES / "fpn.spine")),
        "outputs": lambda: raised(lambda: spinedsl.program(spinenet, network="SpineNet49", outputs=[LONG] * 99)),
        "disagreement": lambda: api.Disagreement(report_of(3)),
        "too few": lambda: api.TooFewWitnesses(report_of(3)),
        "edits": lambda: [edits, edit.parse(edits.to_text()), edit.parse("with { drop }")],
        "space": lambda: Space.of(EXAMPLES / "tutorial" / "5_own_block.spine"),
    }


def report_of(sizes: int) -> Report:
    """What `verify` returns, of many sizes."""
    tried = tuple(Size(1, 64 * n, 64) for n in range(1, sizes + 1))
    found = tuple(Difference(size, LONG, (1, 8, 4, 4), "PyTorch", 1e-6, 1e-6, 1e-5) for size in tried)
    failures = tuple(Failure(f"engine {n}", LONG) for n in range(sizes))
    return Report(
        LONG, "interpreter", "seed 0", 0, tried, {"PyTorch": "2.13"}, found, failures, (Missing("x", LONG, "y"),)
    )


def raised(action: Callable[[], object]) -> Exception:
    try:
        action()
    except Exception as error:  # noqa: BLE001  whatever it is
        return error
    raise AssertionError("nothing was raised")


def parts(value: object) -> Iterator[tuple[str, object]]:
    """What a value is made of: fields and properties, items, attributes."""
    if isinstance(value, dict):
        for key, item in islice(value.items(), MOST_ITEMS):
            yield from ((f" key {key!r:.20}", key), (f"[{key!r:.20}]", item))
    elif isinstance(value, COLLECTIONS):
        yield from ((f"[{n}]", item) for n, item in enumerate(islice(value, MOST_ITEMS)))
    if is_ours(value) and isinstance(value, Record | tuple | Exception):
        fields = getattr(type(value), "__fields__", {})
        for name in dir(value):
            kept = name == "args" if isinstance(value, Exception) else name in fields and not fields[name].shown
            if not name.startswith("_") and not kept:
                yield f".{name}", getattr(value, name)


def is_few_texts(value: object) -> bool:
    return isinstance(value, tuple) and len(value) <= FEW and all(isinstance(item, str) for item in value)


def is_ours(value: object) -> bool:
    return type(value).__module__.startswith("spinedsl") and not isinstance(value, type)


def walk(start: object) -> Iterator[tuple[str, object]]:
    """Every value that hangs together with one, nearest first, each once, with the way to it."""
    seen: dict[int, object] = {id(start): start}
    pending = deque([("", start)])
    while pending and len(seen) < MOST_VALUES:
        way, value = pending.popleft()
        yield way, value
        for step, part in parts(value):
            if id(part) not in seen and (is_ours(part) or (isinstance(part, COLLECTIONS) and not is_few_texts(part))):
                seen[id(part)] = part
                pending.append((way + step, part))


def work_of(action: Callable[[], object]) -> int:
    """How many calls it makes, into Python and into C, and how often a generator goes on."""
    count = 0

    def profiled(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    gc.disable()  # what it would call while it collects is no work of the action
    sys.setprofile(profiled)
    try:
        action()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count


@pytest.mark.parametrize("asked", list(starts()))
def test_nothing_prints_more_than_a_screen(asked: str) -> None:
    seen = 0
    for way, value in walk(starts()[asked]()):
        seen += 1
        shown = repr(value)
        assert len(shown) <= MOST, f"{asked}{way}: {len(shown)} characters: {shown[:300]}"
        assert type(value).__repr__ is not object.__repr__, f"{asked}{way} prints as an address: {shown}"
        assert all(char.isprintable() or char == "\n" for char in shown), f"{asked}{way}: {shown!r}"
        work = work_of(lambda value=value: repr(value))  # type: ignore[misc]
        assert work <= MOST_CALLS, f"{asked}{way}: {work} calls for {shown}"
    assert seen > 0


def test_a_long_collection_in_a_record_prints_as_a_few_lines() -> None:
    class Held(Record):
        items: tuple[str, ...]
        by_name: dict[str, int]
        several: frozenset[str]

    items, by_name = tuple("abcdef"), dict.fromkeys("abcdef", 1)
    held = Held(items, by_name, frozenset(items))
    assert (type(held.items), type(held.by_name), type(held.several)) == (Items, Table, Unordered)
    assert (held.items, held.by_name, held.several) == (items, by_name, frozenset(items))
    assert hash(held.items) == hash(items)
    few = Held(items[:FEW], {}, frozenset())
    assert (type(few.items), type(few.by_name), type(few.several)) == (tuple, dict, frozenset)


def test_what_is_shown_of_collections() -> None:
    assert repr(Items([1, 2])) == "(1, 2)"
    assert repr(Items([1])) == "(1,)"
    assert repr(Items()) == "()"
    assert repr(Table({"a": 1, "b": (1, 2)})) == "{'a': 1, 'b': (1, 2)}"
    assert repr(Unordered(range(9))) == "{9 items}"
    assert repr(Items(range(1_000))).endswith(",\n 39,\n … 960 more)")
    assert repr(Items("x" * 90 for _ in range(50))).count("\n") == 8


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "'text'"),
        ("t" * 50, "'tttttttttttttttttttttttttttttttttttttttt'…"[:39] + "…"),
        (12, "12"),
        (1 << 500, "<a number of 501 bits>"),
        (None, "None"),
        (b"abc", "<3 bytes>"),
        ((1, "a"), "(1, 'a')"),
        ((1,), "(1,)"),
        ([], "[]"),
        ({"a": 1}, "{1 item}"),
        (tuple(range(7)), "(7 items)"),
        (len, "<len>"),
        (Path("x"), f"<{type(Path('x')).__name__}>"),
    ],
)
def test_what_is_shown_of_a_value_within_another(value: object, shown: str) -> None:
    assert brief(value) == shown


def test_a_text_is_cut_and_escaped() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "ab…"
    assert cut("a\x1b[2J\u202eb") == "a\\x1b[2J\\u202eb"
    assert len(cut("\x00" * 500)) == LINE
    assert short([1, 2, 3, 4]) == [1, 2, 3, 4]


def test_the_values_that_are_met_first() -> None:
    outcome = spinedsl.check(EXAMPLES / "spinenet.spine")
    assert repr(outcome).startswith("<Outcome: no mistakes; 7 networks in ")
    assert str(outcome) == "no mistakes"
    made = spinedsl.program(EXAMPLES / "spinenet.spine", network="SpineNet49")
    assert repr(made) == "<Program SpineNet49: 23 rows, image 3x640x640 -> P3, P4, P5, P6, P7>"
    assert repr(made.row("b2")) == "<Row block b2: bottleneck from b0, b1 -> 256x160x160 (level 2)>"
    assert repr(edit.Drop("b11")) == "<Drop: drop b11>"
    assert str(edit.Edits([edit.Drop("b11")])) == "with {\n    drop b11\n}"


def test_diagnostics_print_as_the_command_line_does() -> None:
    file = next((ROOT / "tests" / "mistakes").glob("E0303*.spine"))
    outcome = spinedsl.check(file)
    rendered = render(outcome.diagnostics)
    assert str(outcome) == str(outcome.diagnostics) == rendered.removesuffix("\n")
    (found,) = outcome.diagnostics
    assert str(found) == rendered.removesuffix("\n")
    assert repr(outcome.diagnostics).startswith("(E0303 ")
    assert found._repr_html_() == f"<pre>{escape(rendered.removesuffix(chr(10)))}</pre>"
    assert outcome._repr_html_() == f"<pre>{escape(repr(outcome))}</pre>{found._repr_html_()}"
    assert spinedsl.check(EXAMPLES / "spinenet.spine")._repr_html_().count("<pre>") == 1
    many = spinedsl.check(Source.from_text("block b0: residual\n" * 3_000))
    assert many._repr_html_().endswith(f"… {len(many.diagnostics) - 20} more</pre>")


def test_a_report_prints_what_it_found() -> None:
    report = report_of(3)
    assert str(report).startswith("engine 0 fails: ")
    agreed = replace(report, failures=())
    assert repr(agreed).endswith(": 1 engine agrees at 3 sizes>")
    assert str(agreed) == agreed.stamp


def test_exceptions_are_short_and_can_be_sent_to_another_process() -> None:
    for asked, start in starts().items():
        error = start()
        if isinstance(error, Exception):
            again = pickle.loads(pickle.dumps(error))
            assert (type(again), str(again), repr(again)) == (type(error), str(error), repr(error)), asked
    mistakes = raised(lambda: spinedsl.program(Source.from_text("block b0: residual\n" * 3)))
    assert isinstance(mistakes, api.Mistakes)
    assert len(pickle.loads(pickle.dumps(mistakes)).diagnostics) == len(mistakes.diagnostics) > 0


def test_nothing_is_compiled_by_what_a_value_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(record: Record) -> str:
        raise AssertionError(f"a {type(record).__name__} was printed")

    monkeypatch.setattr(Record, "__repr__", refuse)
    for file, network in ((EXAMPLES / "retinanet.spine", "RetinaNet49S"), (EXAMPLES / "convnext.spine", None)):
        for to in get_args(Target):
            spinedsl.compile(file, network=network, to=to)
