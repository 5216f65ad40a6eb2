"""Laws of marks: whatever changed between two networks, the figure of both says it, and stays legible."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spinedsl.cli.draw import marked
from spinedsl.compare import Side, Tier, compare
from spinedsl.compare.marks import ROWS, markings
from tests.compare.test_laws import old, side_of, softened
from tests.draw.test_layout import faults
from tests.profiles import drawn
from tests.test_edit_laws import edited

SIDES = softened().map(lambda drawn: side_of(*drawn)) | edited().map(lambda drawn: side_of(drawn[0]))


@given(SIDES, st.booleans())
@drawn(60)
def test_the_figure_marks_what_changed(made: Side | None, back: bool) -> None:
    if made is None:
        return
    sides = (made, old()) if back else (old(), made)
    found = compare(*sides)
    markings_ = before, after = markings(found)
    for one, marking in zip(sides, markings_, strict=True):
        rows = {row.name for row in one.program.rows}
        assert marking.rows.keys() <= rows
        assert {name for ends in marking.arrows for name in ends} <= rows
    for change in found.changes:
        if change.kind in ROWS and change.how == "renamed":
            assert before.rows[change.old].kind == "renamed"
            assert f"was {change.old}" in after.rows[change.new].note
        elif change.kind in ROWS and change.how in ("added", "dropped"):
            assert (after if change.how == "added" else before).rows[change.name].kind == change.how
    if found.tier is Tier.NUMERIC or (found.tier is Tier.WEIGHTS and found.tensors.reshaped):
        assert before.rows or before.arrows or after.rows or after.arrows
    assert faults(marked(found)) == []
