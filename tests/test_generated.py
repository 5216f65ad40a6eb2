"""`generated/` is what the compiler makes today, file by file, and every example is in it."""

from __future__ import annotations

from pathlib import Path

from tests.generate import GENERATED, NETWORKS, ROOT, files


def test_every_example_is_generated() -> None:
    examples = ROOT / "examples"
    shipped = {str(path.relative_to(examples)) for path in examples.rglob("*.spine")}
    assert shipped == NETWORKS.keys()


def test_generated_files_are_fresh() -> None:
    expected = files()
    present = {str(path.relative_to(GENERATED)) for path in GENERATED.rglob("*") if path.is_file()}
    assert present == expected.keys(), "run `make generate`"
    stale = [name for name, data in expected.items() if Path(GENERATED, name).read_bytes() != data]
    assert stale == [], "run `make generate`"
