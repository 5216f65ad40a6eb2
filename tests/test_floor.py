"""The floor of coverage: below it is a failure, far above it a reason to raise it."""

from tests.floor import FLOOR, verdict


def test_verdicts() -> None:
    lines = round(80 * FLOOR)
    at_floor = verdict((lines, 8000), (round(20 * FLOOR), 2000))
    assert at_floor[0] == 0
    assert f"{FLOOR:.2f}% of the lines and branches of the core, of 2,000 branches alone {FLOOR:.2f}%" in at_floor[1]
    assert verdict((lines - 1, 8000), (round(20 * FLOOR), 2000))[0] == 1
    above = verdict((8000, 8000), (2000, 2000))
    assert above[0] == 0
    assert above[1].endswith(f"the floor is {FLOOR}%: raise it to 99.5%")
