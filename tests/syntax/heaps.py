"""Texts of 64 KiB made to take long or much memory: each was the worst of its kind that was found."""

from __future__ import annotations

import random
from collections.abc import Callable

from spinedsl.testing.texts import PIECES

KIB_64 = 64 * 1024
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
SPENT = (
    "var y = x\nrepeat i in 1000 { repeat j in 60 { y = act(norm(conv(y, channels + i + j, kernel = 3))) } }\nreturn y"
)

LIST = "let l = [" + "x, " * 9_000 + "]\nvar y = x\n"


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


HEAPS: dict[str, str] = {
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
    "sums in loops": USED % (LIST + "repeat 1000 { y = sum(l) }\nreturn y"),
    "a long list in loops": USED % ("var y = x\nrepeat 1000 { y = max(" + "1, " * 9_000 + ") * y }\nreturn y"),
    "arguments": "def f(x) { return conv(x, " + ", ".join(f"k{i} = 1" for i in range(6_000)) + ") }",
    "inputs": HEAD + NET + "block b: residual level 2 from " + ", ".join(["s"] * 15_000) + "\noutput C2: b\n}\n",
    "imports": filled(lambda i: f"import std.b{i}\n"),
}  # fmt: skip


def pair(number: int) -> str:
    """The two blocks above."""
    return f"b{number - 1}, b{number - 2}" if number > 1 else "s"


def base(count: int) -> str:
    """A network with a parameter and so many blocks, for instances and edits."""
    rows = "".join(f"block b{i}: residual level 2 after {f'b{i - 1}' if i else 's'}\n" for i in range(count))
    return f"{HEAD}{NET.replace('N {', 'M(w = 1) {')}{rows}output C2: b{count - 1}\n}}\n"


# What is expensive for its length: networks made of others, lists, loops, expansions that are all different.
HEAPS |= {
    "edits of one": filled(lambda i: f"network A{i} = M with {{ drop b1 }}\n", base(400)),
    "edits in a chain": filled(
        lambda i: f"network A{i} = {f'A{i - 1}' if i else 'M'} with {{ block b0 channels {i + 1} }}\n", base(300)
    ),
    "edits adding": filled(
        lambda i: f"add block c{i}: residual level 2 after s before b0\n", base(10) + "network V = M with {\n", "}\n"
    ),
    "edits moving": filled(
        lambda i: f"move b{i % 900} after b{(i * 7) % 900}\n", base(900) + "network V = M with {\n", "}\n"
    ),
    "defs with big lists in loops": USED
    % ("let l = [" + "x, " * 9_000 + "]\nvar y = x\nrepeat 1000 { y = first(l) }\nreturn g(l)")
    + "def g(l) { return first(l) }\n",
    "calls with big lists": USED % (LIST + "repeat 1000 { y = g(l) }\nreturn y") + "def g(l) { return first(l) }\n",
    "calls with big lists and a number": USED
    % ("let l = [" + "x, " * 9_000 + "]\nvar y = x\nrepeat i in 1000 { y = g(l, i) }\nreturn y")
    + "def g(l, i) { return first(l) }\n",
    "rest": USED % (LIST.replace("let", "var") + "var y = x\nrepeat i in 1000 { l = rest(l) }\nreturn first(l)"),
    "len": USED % (LIST + "repeat i in 1000 { y = y * len(l) }\nreturn y"),
    "concat": USED % (LIST + "repeat i in 1000 { y = concat(l) }\nreturn y"),
    "conv loops": USED % (SPENT),
    "sep conv calls": USED
    % ("var y = x\nrepeat i in 1000 { repeat j in 60 { y = g(y, i * 60 + j + 1) } }\nreturn conv(y,channels,kernel=1)")
    + "def g(x, c) { return act(norm(conv(x, c, kernel = 3))) }\n",
    "calls of calls": USED
    % ("var y = x\nrepeat i in 1000 { repeat j in 60 { y = g(y, i * 60 + j + 1) } }\nreturn conv(y,channels,kernel=1)")
    + "def g(x, c) { return h(x, c) }\ndef h(x, c) { return k(x, c) }\n"
    + "def k(x, c) { return conv(x, c, kernel = 1) }\n",
    "bottlenecks": filled(
        lambda i: f"block b{i}: bottleneck level {2 + i % 5} channels {64 + i} from {pair(i)}\n",
        HEAD + NET,
        "output P: b1\n}\n",
    ),
    "bottlenecks repeat": filled(
        lambda i: f"block b{i}: bottleneck level {2 + i % 5} channels {64 + i} from {pair(i)} repeat 1000\n",
        HEAD + NET,
        "output P: b1\n}\n",
    ),
    "thousand inputs": HEAD
    + NET.replace("join", "rules { inputs 1..1000 }\njoin")
    + "".join(f"block b{i}: residual level 2 after s\n" for i in range(500))
    + "".join(f"block c{j}: residual level 3 from " + ", ".join(f"b{i}" for i in range(500)) + "\n" for j in range(14))
    + "output P: c1\n}\n",
    "one line": HEAD + NET.replace("\n", " ; ") + " block b: residual level q from w " * 1700,
    "one line of names": "def f(x) { return " + " + ".join(f"u{i}" for i in range(8000)) + " }",
    "lets": filled(
        lambda i: f"let v{i} = v{i - 1} + v{i - 1}\n" if i else "let v0 = 1\n", "def f(x) {\n", "return x }"
    ),
    "network lets": filled(lambda i: f"let v{i} = v{i - 1} * 3\n" if i else "let v0 = 1\n", HEAD + NET, "}"),
    "network params": HEAD + "network N(" + ", ".join(f"p{i} = {i}" for i in range(4800)) + ") { }",
    "instances args": HEAD
    + "network N("
    + ", ".join(f"p{i} = {i}" for i in range(1000))
    + ") { }\n"
    + "".join(f"network A{i} = N()\n" for i in range(2000)),
    "instances chain args": HEAD
    + "network N("
    + ", ".join(f"p{i} = {i}" for i in range(1000))
    + ") { }\n"
    + "".join(f"network A{i} = {f'A{i - 1}' if i else 'N'}(p{i % 1000} = 2)\n" for i in range(1500)),
    "defaults": HEAD + "network N { defaults { " + ", ".join("act relu" for i in range(6000)) + " } }",
    "widths": HEAD + "network N { widths { " + ", ".join(f"level {i % 17}: 64" for i in range(4500)) + " } }",
    "heads": filled(
        lambda i: f"head h{i}: t from P\n",
        HEAD
        + "head_type t(f) { each p in f { yield p } }\n"
        + NET
        + "block b: residual level 2 after s\noutput P: b\n",
        "}\n",
    ),
    "yields": HEAD
    + "head_type t(f) {\n"
    + "".join(f"let y{i} = first(f)\nyield y{i}\n" for i in range(1500))
    + "}\n"
    + NET
    + "block b: residual level 2 after s\noutput P: b\n"
    + "".join(f"head h{i}: t from P\n" for i in range(100))
    + "}\n",
    "conditions": USED
    % ("var y = x\n" + "".join(f"if channels == {i} {{ y = relu(y) }} " for i in range(1600)) + "return y"),
    "conditional loops": USED
    % (
        "var y = x\nrepeat 1000 { "
        + "".join(f"if channels == {i} {{ y = relu(y) }} " for i in range(1500))
        + " }\nreturn y"
    ),
    "big exprs in loops": USED % ("var y = x\nrepeat 1000 { let z = " + " + ".join(["1"] * 14000) + " }\nreturn y"),
    "big map exprs in loops": USED % ("var y = x\nrepeat 1000 { y = " + " + ".join(["x"] * 14000) + " }\nreturn y"),
    "if exprs": USED % ("var y = x\nrepeat 1000 { let z = " + "1 if channels == 2 else " * 2500 + " 1 }\nreturn y"),
    "conds nested": USED % ("var y = x\nrepeat 1000 { repeat 1000 { if channels == 0 { y = relu(y) } } }\nreturn y"),
    "fractions": USED % ("var n = 1\nvar y = x\nrepeat 1000 { repeat 1000 { n = (n + 1) / 3 } }\nreturn y"),
    "defs all unused": filled(lambda i: f"def f{i}(x) {{ return conv(x, {i}, kernel = 1) }}\n"),
    "defs calling one": filled(lambda i: f"def f{i}(x) {{ return f0(x) }}\n" if i else "def f0(x) { return x }\n"),
    "block types used": filled(
        lambda i: f"block_type f{i}(x, channels) -> channels {{ return conv(x, channels, kernel = 1) }}\n",
        HEAD,
        NET + "".join(f"block b{i}: f{i} level 2 after s\n" for i in range(100)) + "}",
    ),
    "signatures": HEAD
    + "block_type f(x, channels) -> "
    + "channels + " * 5300
    + " 0 { return conv(x, channels, kernel = 1) }\n"
    + NET
    + "".join(f"block b{i}: f level 2 after s\n" for i in range(100))
    + "}",
    "signatures from": HEAD
    + "block_type f(x, channels) -> "
    + "0 + " * 14000
    + " channels { return conv(x, channels, kernel = 1) }\n"
    + NET
    + "block a: f level 2 after s\n block b0: f level 2 from a, s\n"
    + "".join(f"block b{i}: f level 2 from a, b{i - 1}\n" for i in range(1, 100))
    + "output P: b99\n}",
    "params default": HEAD
    + "block_type f(x, channels, q = "
    + "0 + " * 14000
    + " 1) -> channels { return conv(x, channels, kernel = 1) }\n"
    + NET
    + "block a: f level 2 after s\n block b0: f level 2 from a, s\n"
    + "".join(f"block b{i}: f level 2 from a, b{i - 1}\n" for i in range(1, 100))
    + "output P: b99\n}",
    "level exprs": HEAD
    + NET
    + "block a: residual level "
    + "0 + " * 14000
    + " 2 after s\n output P: a\n}\n"
    + "".join(f"network A{i} = N()\n" for i in range(300)),
    "widths exprs": HEAD
    + NET.replace(": 64", ": 64 + " + "0 + " * 9000 + "0")
    + "block a: residual level 2 after s\n output P: a\n}\n"
    + "".join(f"network A{i} = N()\n" for i in range(500)),
    "many params": HEAD
    + "def f("
    + ", ".join(f"a{i} = 1" for i in range(4000))
    + ") { return a0 }\n"
    + USED.replace(HEAD, "") % ("var y = x\n repeat 1000 { repeat 50 { y = y + f() } }\n return y"),
    "nested networks": "network N {\n" * 5000,
    "half parse half work": filled(
        lambda i: f"let v{i} = u{i}\n",
        USED % (SPENT) + "def q(x) {\n",
        "return x }",
    ),
    "half blocks half work": filled(
        lambda i: f"network A{i} = N()\n",
        USED % (SPENT),
    ),
}
