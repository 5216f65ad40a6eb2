"""Bugs in how files of weights are told apart, read, matched and converted."""

from benchmarks.plants.plant import Plant

PLANTS: tuple[Plant, ...] = (
    Plant(
        "digest: of the name, not of the numbers",
        "weights/sealed.py",
        "hashlib.sha256(data).hexdigest()",
        "hashlib.sha256(name.encode()).hexdigest()",
        ("tests/weights/test_sealed.py",),
    ),
    Plant(
        "digest: one bit of the mark of a model",
        "ops/digests.py",
        "MAX_FLIPPED = 8",
        "MAX_FLIPPED = 0",
        ("tests/weights",),
    ),
)
