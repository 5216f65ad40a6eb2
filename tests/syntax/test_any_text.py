"""Whatever a text holds, it is answered: a value and diagnostics in it, never an exception, and soon."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinedsl import driver
from spinedsl.source import Source
from spinedsl.testing import laws
from spinedsl.testing.laws import KIB_64
from spinedsl.testing.texts import PIECES
from tests.texts import mutated

HEAD = "spine 1\nimport std.blocks\nimport std.stems\nimport std.resample\n"
NET = """network N {
    input image: 3 x 128 x 128
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 64 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 64
"""
USED = (
    HEAD
    + "block_type f(x, channels) -> channels {\n%s\n}\n"
    + NET
    + "    block b: f level 2 after s\n    output C2: b\n}\n"
)


def answer(text: str) -> None:
    """It is answered as the law says."""
    laws.answered(Source.from_text(text, "any.spine"))


@given(mutated())
@settings(max_examples=500, deadline=None)
def test_mutated_files(text: str) -> None:
    answer(text)


@given(st.lists(st.sampled_from(PIECES), max_size=80))
@settings(max_examples=300, deadline=None)
def test_heaps_of_pieces(pieces: list[str]) -> None:
    answer(" ".join(pieces))


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_characters(text: str) -> None:
    answer(text)


def filled(line: Callable[[int], str], head: str = "", tail: str = "") -> str:
    """Lines until the text has 64 KiB."""
    parts = [head]
    size = len(head) + len(tail)
    while size < KIB_64:
        parts.append(line(len(parts) - 1))
        size += len(parts[-1])
    return "".join(parts)[:KIB_64] + tail


def chance(alphabet: list[str], count: int, joint: str = "") -> str:
    pick = random.Random(1)
    return joint.join(pick.choice(alphabet) for _ in range(count))


HEAPS = {
    "NUL": "\0" * KIB_64,
    "letters and NUL": "a\0" * (KIB_64 // 2),
    "bidirectional controls": "a\u202eb\u2066" * (KIB_64 // 4),
    "Cyrillic letters": "\u0430" * KIB_64,
    "bytes": chance([chr(byte) for byte in range(256)], KIB_64),
    "ASCII": chance([chr(byte) for byte in range(32, 127)], KIB_64),
    "words": chance(list(PIECES), KIB_64 // 5, " "),
    "one line of quotes": '"' * KIB_64,
    "quotes": '"\n' * (KIB_64 // 2),
    "braces that close": "}" * KIB_64,
    "braces that open": "def f(x) " + "{" * 10_000,
    "ifs in ifs": "def f(x, a = true) { " + "if a { " * 9_000,
    "parentheses": "def f(x) { return " + "(" * 10_000 + "x" + ")" * 10_000 + " }",
    "parentheses that open": "def f(x) { return " + "(" * 60_000,
    "a sum of 5,000": "def f(x) { return " + " + ".join(["x"] * 5_000) + " }",
    "minus signs": "def f(x) { return " + "-" * 60_000 + "x }",
    "a long number": "def f(x) { return conv(x, " + "9" * 60_000 + ", kernel = 1) }",
    "a long exponent": "def f(x) { return conv(x, 1e" + "9" * 60_000 + ", kernel = 1) }",
    "a long name": "def f(x) { return " + "a" * 60_000 + "(x) }",
    "a long path": 'import "' + "a" * 60_000 + '"',
    "else if": "def f(x, a = 1) { if a == 1 { return x } " + "else if a == 2 { return x } " * 2_000 + " return x }",
    "statements cut short": filled(lambda i: "let\n", "def f(x) {\n", "}"),
    "unknown words": filled(lambda i: f"w{i} q\n"),
    "unknown values": filled(lambda i: f"let v{i} = u{i}\n", "def f(x) {\n", "return x }"),
    "unknown blocks": filled(lambda i: f"block b{i}: residual level 2 from y{i}, z{i}\n", HEAD + NET, "}\n"),
    "blocks that nothing uses": filled(lambda i: f"block b{i}: residual level 2 after s\n", HEAD + NET, "}\n"),
    "one name": filled(lambda i: "block b: residual level 2 after s\n", HEAD + NET, "}\n"),
    "blocks below": filled(lambda i: f"block b{i}: residual level 2 from b{i + 1}, b{i + 2}\n", HEAD + NET, "}\n"),
    "blocks of 1,000": filled(lambda i: f"block b{i}: residual level 2 after s repeat 1000\n", HEAD + NET, "}\n"),
    "widths of its own": filled(
        lambda i: f"block b{i}: bottleneck level {2 + i % 5} channels {64 + i} from {f'b{i - 1}, s' if i else 's'}\n",
        HEAD + NET, "}\n",
    ),
    "instances": filled(
        lambda i: f"network A{i} = M(w = {i + 1})\n",
        HEAD
        + NET.replace("N {", "M(w = 1) {").replace(": 64 }", ": 64 + w }")
        + "".join(f"block b{i}: bottleneck level 2 after {f'b{i - 1}' if i else 's'}\n" for i in range(200))
        + "output C2: b199\n}\n",
    ),
    "instances of instances": filled(lambda i: f"network A{i} = A{i + 1}\n"),
    "networks": filled(lambda i: f"network N{i} {{ }}\n"),
    "a chain of definitions": filled(lambda i: f"def f{i}(x) {{ return f{i + 1}(x) }}\n"),
    "doubling definitions": "".join(f"def f{i}(x) {{ return f{i + 1}(x) + f{i + 1}(x * 2) }}\n" for i in range(40))
    + "def f40(x) { return relu(x) }\n"
    + USED % "return conv(f0(x), channels, kernel = 1)",
    "loops in loops": USED % ("var y = x\n" + "repeat 1000 { " * 19 + "y = relu(y)" + " }" * 19 + "\nreturn y"),
    "empty loops": USED % ("repeat 1000 { " * 19 + " }" * 19 + "\nreturn x"),
    "sums in loops": USED % ("let l = [" + "x, " * 9_000 + "]\nvar y = x\nrepeat 1000 { y = sum(l) }\nreturn y"),
    "a long list in loops": USED % ("var y = x\nrepeat 1000 { y = max(" + "1, " * 9_000 + ") * y }\nreturn y"),
    "arguments": "def f(x) { return conv(x, " + ", ".join(f"k{i} = 1" for i in range(6_000)) + ") }",
    "inputs": HEAD + NET + "block b: residual level 2 from " + ", ".join(["s"] * 15_000) + "\noutput C2: b\n}\n",
    "imports": filled(lambda i: f"import std.b{i}\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEAPS)
def test_heaps(name: str) -> None:
    text = HEAPS[name]
    assert len(text) <= KIB_64 + 200
    answer(text)


def rows(count: int) -> str:
    """A network that the checks accept, of so many rows."""
    first = "block b0: residual level 2 after s\nblock b1: residual level 3 from s, b0\n"
    following = [f"block b{i}: residual level {2 + i % 4} from b{i - 1}, b{i - 2}\n" for i in range(2, count)]
    return "".join([HEAD, NET, first, *following, f"output P: b{count - 1}\n}}\n"])


def test_time_grows_with_the_number_of_rows() -> None:
    """Twice the rows take at most about twice the time."""

    def seconds(count: int) -> float:
        text = rows(count)
        times: list[float] = []
        for _ in range(3):
            started = time.process_time()
            assert driver.analyse(Source.from_text(text)).diagnostics == ()
            times.append(time.process_time() - started)
        return min(times)

    assert seconds(4_000) < 2.6 * seconds(2_000)


def test_a_file_of_megabytes() -> None:
    (diagnostic,) = driver.analyse(Source.from_text("# a\n" * 1_100_000)).diagnostics[:1]
    assert diagnostic.code.id == "E0601"
