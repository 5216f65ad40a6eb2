"""Bugs in figures: places, routes, colours, words, pages, and what `watch` sends."""

from benchmarks.plants.plant import Plant

PLANTS: tuple[Plant, ...] = (
    Plant(
        "growth: each block looks at all before it",
        "draw/layout.py",
        "if xs[i] + most <= x:",
        "if i < 0:",
        ("tests/test_growth.py",),
    ),
    Plant(
        "escaping: the page is not escaped",
        "draw/svg.py",
        "autoescape=True",
        "autoescape=False",
        ("tests/hostile/test_payloads.py", "tests/draw"),
    ),
)
