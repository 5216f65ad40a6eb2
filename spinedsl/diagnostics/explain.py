r"""The explanations: why a rule is there, and a file that breaks it beside one that keeps it.

In: a rule. Out: an `Explanation`. A character that a reader could not see is written `\u{202e}` in an example, as the
renderer shows it; a byte that is no text, `\x{f6}`.
"""

from __future__ import annotations

import re

from spinedsl.diagnostics.model import Rule
from spinedsl.record import Record

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
    """What is reported about a code; both examples, or neither."""

    paragraphs: tuple[str, ...]
    wrong: Example | None
    right: Example | None


def explanation(rule: Rule) -> Explanation:
    """What there is to say of a rule beyond its message."""
    examples = [Example(text) if text else None for text in (rule.wrong, rule.right)]
    return Explanation(tuple(" ".join(part.split()) for part in rule.explanation.split("\n\n")), *examples)
