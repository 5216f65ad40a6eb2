"""An index may be called as a generated class would call the submodules of an iteration."""

from __future__ import annotations

import re
from itertools import product

import pytest

from tests.backends.torch.test_emit import assert_right
from tests.backends.torch.texts import program

TOWER = """\
block_type tower(x, channels, stride = 1, n = 2) -> channels {{
    var q = conv(x, channels, kernel = 3, stride = stride)
    let more = q * 2
    {body}
    return q
}}"""
STEP = "q = q + conv(q, channels, kernel = 1) * (INDEX * INDEX + 1)"
EACH = """each p in [q, more] {
        repeat INDEX in n { q = q + norm(shared conv(p, channels, kernel = 1)) * INDEX }
    }"""
BODIES = {
    "a repeat": f"repeat INDEX in n {{ {STEP} }}",
    "an iteration with a let": "repeat INDEX in n {\n let y = conv(q, channels, kernel = 1)\n q = q + y * INDEX\n }",
    "an index that decides": "repeat INDEX in n { q = q + conv(q, channels, kernel = 2 * INDEX + 1) }",
    "the inner of two": f"repeat i in n {{ repeat INDEX in n {{ {STEP} }} }}",
    "the outer of two": f"repeat INDEX in n {{ repeat i in n {{ {STEP} }} }}",
    "the second of two": f"repeat i in n {{ {STEP.replace('INDEX', 'i')} }}\n    repeat INDEX in n {{ {STEP} }}",
    "what is shared": f"repeat INDEX in n {{ {STEP.replace('conv', 'shared conv')} }}",
    "an item": "each INDEX in [q, more] { q = q + conv(INDEX, channels, kernel = 1) }",
    "a number": "each INDEX in [1, 3] { q = q + conv(q, channels, kernel = INDEX) * INDEX }",
    "in an each": EACH,
}
NAMES = ("rep", "rep_2", "rep0", "rep_numbers", "numbers", "own", "y0")
NO_ITEMS = ("rep_2", "rep0")  # which name submodules of a `repeat`, so checking refuses an item of that name
CASES = [case for case in product(BODIES, NAMES) if not ("each INDEX" in BODIES[case[0]] and case[1] in NO_ITEMS)]


@pytest.mark.parametrize(("body", "name"), CASES)
def test_an_index_of_any_name(body: str, name: str) -> None:
    text = re.sub(r"\bINDEX\b", name, BODIES[body])
    assert_right(program(TOWER.format(body=text), "block b: tower level 3 after s"))
