"""Bugs in what `diff` and `breaking` say."""

from benchmarks.plants.plant import Plant

PLANTS: tuple[Plant, ...] = ()
