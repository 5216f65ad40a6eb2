"""Text from files, made fit for a terminal: what it would act on, or not show, stands there as an escape."""

from __future__ import annotations

import re
from functools import cache

from spinedsl.brief import counted

__all__ = ["HIDDEN", "counted", "hidden", "one_line", "printable"]

# Controls, what turns the direction of writing, what has no width, and halves of characters.
HIDDEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f"
)


@cache
def hidden() -> re.Pattern[str]:
    """Matches each of these characters. Compiled on first use: few texts need it."""
    return re.compile(f"[{HIDDEN}]")


def printable(text: str) -> str:
    """`text` with every character that a terminal would act on shown as an escape; line ends stay."""
    if text.isascii() and text.isprintable():
        return text
    return hidden().sub(lambda match: f"\\u{{{ord(match[0]):x}}}", text).replace("\t", " ")


def one_line(text: object) -> str:
    """The same of a name, which cannot begin a line of its own."""
    return printable(str(text)).replace("\n", "\\n")
