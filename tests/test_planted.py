"""The bugs that `benchmarks/planted.py` plants still fit the code: it has what each of them changes."""

import pytest

from benchmarks.planted import ROOT
from benchmarks.plants import PLANTS, Plant


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.what)
def test_the_code_has_what_a_plant_changes(plant: Plant) -> None:
    text = (ROOT / "spinedsl" / plant.file).read_text(encoding="utf-8")
    assert plant.old in text
    assert plant.old != plant.new
    assert all((ROOT / name.partition("::")[0]).exists() for name in plant.tests)
