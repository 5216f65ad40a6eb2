"""What the parser expected, in the words of a person, and how a statement of each kind reads."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from spinedsl.source import Source
from spinedsl.syntax.machine import END

WORDS = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a text in quotes",
    "COMPARE": "a comparison",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "COMMA": "`,`",
    "COLON": "`:`",
    "EQUAL": "`=`",
    "DOT": "`.`",
    "__ANON_0": "`->`",
    "__ANON_1": "`..`",
    END: "the end of the line",
}
PUNCTUATION = {"COLON": ":", "COMMA": ",", "EQUAL": "=", "RPAR": ")", "RSQB": "]", "RBRACE": "}", "LPAR": "("}
SIGNS = frozenset(
    {"PLUS", "MINUS", "TIMES", "OVER", "BAD", "_END"}
)  # written as a value or its continuation, or not at all
STARTS_A_VALUE = frozenset({"NUMBER", "NAME", "LPAR", "LSQB", "TRUE", "FALSE", "MINUS", "NOT", "SHARED", "STRING"})
GOES_ON_WITH_A_VALUE = frozenset({"LSQB", "COMPARE", "PLUS", "MINUS", "TIMES", "OVER", "DOT", "AND", "OR", "IF"})
_RUN_TOGETHER = re.compile(r"(level|repeat|channels|from|after|absorb|stem|block|output|head)_?(\w+)")
_NETWORK = re.compile(r"\bnetwork\s+(\w+)(?:\s*=\s*(\w+))?")
EXAMPLES = {
    "SPINE": "spine 1",
    "IMPORT": "import std.blocks",
    "NETWORK": "network Name(width = 1.0) { … }",
    "BLOCK_TYPE": "block_type plain(x, channels, stride = 1) -> channels { … }",
    "STEM_TYPE": "stem_type plain_stem(image, channels) -> channels { … }",
    "RESAMPLE_TYPE": "resample_type plain(x, source, target) -> target.in_channels { … }",
    "JOIN_TYPE": "join_type plain_sum(inputs) { … }",
    "OUTPUT_TYPE": "output_type plain(x, channels) -> channels { … }",
    "DEF": "def helper(x, channels) { … }",
    "fn": "fn wider(v, by = 2) { return v * by }",
    "INPUT": "input image: 3 x 640 x 640",
    "DEFAULTS": "defaults { act relu, norm batch_norm(epsilon = 1e-3), conv(padding = same) }",
    "WIDTHS": "widths { level 2: 64, level 3..7: 256 }",
    "RULES": "rules { inputs 1..3 }",
    "ALLOW": 'allow W0701 "the reason"',
    "STEM": "stem s: resnet_stem channels 64",
    "BLOCK": "block b3: residual level 4 from b0, b1",
    "OUTPUT": "output P3: endpoint from b13 channels 256",
    "RESAMPLE": "resample spinenet(alpha = 0.5)",
    "JOIN": "join activated_sum",
    "TASK": "task classify: classification from logits",
    "PART": "part neck: BiFPN(channels = 64) from b3, b4, b5",
    "edit": "block b7 level 5",
    "space": "space Small of Net { … }",
    "permute": "permute b2..b11",
    "parents": "parents b2..b11: 2 of last 5",
    "level_shift": "level_shift b2..b11: -1..2 within 2..7",
    "types": "types b2..b11: bottleneck, residual",
    "orphans": "orphans absorb else drop",
    "keep": "keep multiply_adds <= 90G",
    "LET": "let y = relu(x)",
    "VAR": "var y = x",
    "RETURN": "return y",
    "REPEAT": "repeat i in 3 { … }",
    "EACH": "each p in features { … }",
}


def in_words(accepts: AbstractSet[str]) -> str:
    """The terminals that could have come, as a person would say it."""
    words: list[str] = []
    left = set(accepts) - SIGNS
    if {"NUMBER", "LPAR", "NAME"} <= left:
        words.append("a value")
        left -= STARTS_A_VALUE
    elif {"PLUS", "TIMES"} <= accepts:
        left -= GOES_ON_WITH_A_VALUE
    words += sorted(WORDS[terminal] for terminal in left if terminal in WORDS and terminal != END)
    words += [f"`{terminal.lower()}`" for terminal in sorted(left) if terminal not in WORDS]
    if END in left:
        words.append(WORDS[END])
    if len(words) > 1:
        return ", ".join(words[:-1]) + " or " + words[-1]
    return words[0] if words else "something else"


def parted(word: str) -> str | None:
    """`level 4` for `level4`."""
    parts = _RUN_TOGETHER.fullmatch(word)
    return f"{parts[1]} {parts[2]}" if parts is not None else None


def may_be_row(source: Source, name: str) -> bool:
    """A row of the file has that name, or a network of another file may have such a row, which is edited here."""
    if (
        re.search(rf"\b(?:stem|block|output|head|part|input)\s+(?:\w+,\s*)*{re.escape(name)}\b", source.text)
        is not None
    ):
        return True
    made_of = {match[2] for match in _NETWORK.finditer(source.text)} - {None}
    return not made_of <= {match[1] for match in _NETWORK.finditer(source.text)}
