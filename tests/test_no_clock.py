"""No test depends on how fast the machine is: whatever is held is counted, and what has to happen is waited for.

Looked for in the tests, the examples and `spinedsl.testing`: clocks, limits of time other than `HANG`, which only ends
what hangs, and the limits of time that Hypothesis has of its own. Seconds belong in `benchmarks/`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.profiles import drawn
from tests.texts import ROOT

CLOCKS = {"time", "timeit"}
NOW = {"now", "today", "utcnow"}  # of dates, which may stand in data
LIMITS = {"timeout": "HANG", "deadline": "None"}  # what these may be
WAITS = {"wait", "join", "settimeout"}
MAY = {  # and why
    "tests/patience.py": "waits",
    "tests/soak.py": "is asked for so many minutes, and says what they gave",
    "tests/laws/sections.py": "says how long a batch took",
    "tests/test_no_clock.py": "holds examples of what is looked for",
}
FILES = sorted(
    path
    for folder in ("tests", "examples", "spinedsl/testing")
    for path in (ROOT / folder).rglob("*.py")
    if str(path.relative_to(ROOT)) not in MAY and "demo" not in path.parts
)


def clocks_of(text: str) -> Iterator[str]:
    """What a text has to do with time."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in CLOCKS)
        elif isinstance(node, ast.ImportFrom) and node.module in CLOCKS:
            yield f"from {node.module}"
        elif isinstance(node, ast.Attribute) and node.attr in NOW:
            yield ast.unparse(node)
        elif isinstance(node, ast.keyword) and node.arg in LIMITS:
            if (limit := ast.unparse(node.value)) != LIMITS[node.arg]:
                yield f"{node.arg}={limit}"
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in WAITS:
            numbers = [a for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, int | float)]
            yield from (f"{ast.unparse(node.func)}({number.value!r})" for number in numbers)


def test_nothing_looks_at_a_clock() -> None:
    assert len(FILES) > 100
    found = {path.name: clocks for path in FILES if (clocks := list(clocks_of(path.read_text(encoding="utf-8"))))}
    assert found == {}, "count (`stepped`, `lines`) or wait (`until`, `HANG`) instead"


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "from time import sleep",
        "import timeit",
        "datetime.now(UTC)",
        "subprocess.run(command, timeout=60)",
        "frames.get(timeout=limit)",
        "process.wait(10)",
        "stop.wait(0.3)",
        "settings(max_examples=3, deadline=200)",
    ],
)
def test_what_does_is_found(text: str) -> None:
    assert len(list(clocks_of(text))) == 1


def test_properties_take_their_time() -> None:
    """As our own do, so do those that users copy: in the documents, in the examples, in the docstrings."""
    assert drawn(5).deadline is None
    assert "too_slow" in str(drawn(5).suppress_health_check)
    copied = ["docs/testing.md", "examples/testing/test_own_space.py", "spinedsl/testing/__init__.py"]
    for name in copied:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert text.count("@given(") == len(
            re.findall(r"@settings\((?:UNHURRIED|deadline=None).*\n *@given\(", text)
        ), name
        assert "@given(" in text
