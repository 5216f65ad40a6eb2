"""Property tests of one's own block types: run with pytest, from the folder of this file or anywhere.

`Space.of` reads the types of a file: those that it defines and imports. `networks` draws valid networks of them, with
the levels, channels and numbers of inputs that are asked for; what fails shrinks to a block or two.
"""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import spinedsl
from spinedsl import edit
from spinedsl.testing import Space, edits, laws, networks

FILE = Path(__file__).parents[1] / "tutorial/5_own_block.spine"
MINE = Space.of(FILE, levels=(2, 3, 4), inputs=3, sizes=("any",))
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no mistake


@settings(UNHURRIED, max_examples=30)
@given(networks(MINE))
def test_whatever_is_made_of_my_blocks_keeps_my_rule(text: str) -> None:
    """A rule of this space: no block has more than three inputs, and the outputs are maps of its levels."""
    program = spinedsl.program(MINE.source(text))
    assert all(len(row.inputs) <= 3 for row in program.rows if row.kind == "block")
    assert {row.level for row in program.pyramid} <= {2, 3, 4}


@settings(UNHURRIED, max_examples=5)
@given(networks(MINE))
def test_the_engines_agree_on_my_blocks(text: str) -> None:
    """PyTorch, ONNX Runtime and the reference interpreter give the same numbers."""
    laws.agreed(MINE.source(text), "Net")


@settings(UNHURRIED, max_examples=10)
@given(st.data())
def test_edits_of_my_network_are_networks(data: st.DataObject) -> None:
    """Random edits of the network as it is written."""
    file = spinedsl.parse(FILE).value
    assert file is not None
    changes = data.draw(edits(file.source, "OwnBlock"))
    edited = edit.apply(file.source, changes, base="OwnBlock", name="Edited")
    assert spinedsl.check(edited, network="Edited").ok
