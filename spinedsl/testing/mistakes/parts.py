"""Mistakes in parts: a network of maps is put below the text, and into the network in a way that is wrong."""

from __future__ import annotations

from spinedsl.syntax import tree
from spinedsl.testing.mistakes.field import Field, Planter, Planters

EVEN = "block_type even__(x, channels) -> channels { return conv(x, channels, kernel = 1) }"
STEM = "stem_type stem__(image, channels) -> channels { return conv(image, channels, kernel = 1) }"
IMAGE = f"""{STEM}

network Part__ {{
    input image__: 3 x 64 x 64
    stem s__: stem__ channels 4
    output o__: s__
}}"""


def planted(row: str, *, rows: int = 1, shift: int = 0) -> Planter:
    """A part that takes one map and gives `rows`. `row` puts it in; its map may be `shift` levels off."""

    def plant(field: Field) -> str | None:
        given = field.row("block", fit=lambda row: row.level is not None and row.level > 0 and not row.is_inner)
        if given is None or any(isinstance(one, tree.Instance) for one in field.analysis.unit.networks.values()):
            return None  # in one made of the network the row may have another level
        level = (given.level or 0) + shift
        names = [f"c{n}__" for n in range(rows)]
        blocks = [f"    block {name}: even__ level {level} after i__ channels 4" for name in names]
        part = ["network Part__ {", f"    input i__: level {level}", *blocks, f"    output {', '.join(names)}", "}"]
        text = field.in_network(row.replace("READ", given.name))
        return text.rstrip("\n") + "\n\n" + "\n".join([EVEN, "", *part]) + "\n"

    return plant


def _no_part(field: Field) -> str | None:
    given = field.row("block", fit=lambda row: not row.is_inner)
    if given is None:
        return None
    return field.in_network(f"part p__: Part__ from {given.name}").rstrip("\n") + f"\n\n{IMAGE}\n"


def _space_of_a_part(field: Field) -> str:
    rows = ("input i__: level 2", "block c__: even__ level 2 after i__ channels 4", "output c__")
    part = "\n    ".join(["network Part__ {", *rows]) + "\n}"
    choice = "space Space__ of Part__ {\n    level_shift c__: 0..1 within 2..3\n}"
    return "\n\n".join([field.text.rstrip("\n"), EVEN, part, choice]) + "\n"


def _copies_that_differ(field: Field) -> str | None:
    """A shared part that gives twice the channels that it takes at first."""
    given = field.row("block", fit=lambda row: row.level is not None and row.level > 0 and not row.is_inner)
    if (
        given is None
        or given.type is None
        or any(isinstance(one, tree.Instance) for one in field.analysis.unit.networks.values())
    ):
        return None
    rows = (
        f"input i__: level {given.level}",
        f"block c__: even__ level {given.level} after i__ channels {2 * given.type.channels}",
        "output c__",
    )
    part = "\n    ".join(["network Part__ {", *rows]) + "\n}"
    text = field.in_network(f"part p__: shared Part__ from {given.name} repeat 2\n    output o__: p__")
    return "\n\n".join([text.rstrip("\n"), EVEN, part]) + "\n"


def _space_of_one_size(field: Field) -> str:
    rows = ("rules { sizes fixed }", "stem s__: stem__ channels 4", "block c__: even__ level 0 after s__ channels 4")
    network = "\n    ".join(["network One__ {", "input image__: 3 x 64 x 64", *rows, "output o__: c__"]) + "\n}"
    choice = "space Space__ of One__ {\n    types c__: even__\n}"
    return "\n\n".join([field.text.rstrip("\n"), STEM, EVEN, network, choice]) + "\n"


PLANTERS: Planters = {
    "E0241": (planted("part p__: Part__ from READ, READ"), planted("part p__: Part__")),
    "E0242": (planted("part p__: Part__ from READ\n    output x__, y__: p__"),),
    "E0243": (planted("part p__: Part__ from READ repeat 2", rows=2),),
    "E0244": (_no_part,),
    "E0245": (planted("part p__: Part__ from READ\n    output o__: p__", rows=2),),
    "E0331": (planted("part p__: Part__ from READ", shift=1), planted("part p__: Part__ from READ", shift=-1)),
    "E0333": (_copies_that_differ,),
    "E0326": (_space_of_a_part,),
    "E0350": (_space_of_one_size,),
}
