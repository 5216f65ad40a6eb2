r"""The explanations: why a rule is there, and a file that breaks it beside one that keeps it.

In: `explained/E0303.md`, one file a code: paragraphs, then the wrong file and the right one as two ```spine blocks, or
paragraphs alone where no text can cause the code. Out: an `Explanation`. A character that a reader could not see is
written `\u{202e}` in an example, as the renderer shows it; a byte that is no text, `\x{f6}`.
"""

from __future__ import annotations

import re
from pathlib import Path

from spinedsl.record import Record

FOLDER = Path(__file__).with_name("explained")
_BLOCK = re.compile(r"^```spine\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_ESCAPE = re.compile(r"\\([ux])\{([0-9a-f]+)\}")


class Example(Record):
    """A whole file, as it is shown."""

    shown: str

    @property
    def data(self) -> bytes:
        """The file itself: what is escaped in `shown` stands there."""
        data = b""
        end = 0
        for escape in _ESCAPE.finditer(self.shown):
            number = int(escape[2], 16)
            data += self.shown[end : escape.start()].encode()
            data += bytes([number]) if escape[1] == "x" else chr(number).encode()
            end = escape.end()
        return data + self.shown[end:].encode()


class Explanation(Record):
    """What is said of a code; both examples, or neither."""

    paragraphs: tuple[str, ...]
    wrong: Example | None
    right: Example | None


def explanation(code: str) -> Explanation:
    """The explanation of a code of the catalogue."""
    text = (FOLDER / f"{code}.md").read_text(encoding="utf-8")
    examples = [Example(block[1]) for block in _BLOCK.finditer(text)]
    wrong, right = examples or (None, None)
    words = _BLOCK.sub("", text).split("\n\n")
    return Explanation(tuple(" ".join(part.split()) for part in words if part.strip()), wrong, right)
