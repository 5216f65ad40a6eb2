"""Bugs in search spaces: what they say, their candidates, their costs and their count."""

from benchmarks.plants.plant import Plant

COUNTED = ("tests/spaces/test_counting.py",)
DRAWN = ("tests/spaces/test_candidates.py",)
SMALL = ("tests/spaces/test_small.py",)

PLANTS: tuple[Plant, ...] = (
    Plant(
        "spaces: a window of one block more",
        "spaces/model.py",
        "max(slot - self.last, 0)",
        "max(slot - self.last - 1, 0)",
        COUNTED,
    ),
    Plant(
        "spaces: an orphan is absorbed whatever its channels",
        "spaces/decode.py",
        "return below if known.fits(genome, orphan, block) else None",
        "return below",
        (*DRAWN, *COUNTED),
    ),
    Plant(
        "spaces: a block that takes its maps one by one absorbs an orphan",
        "spaces/costing.py",
        "not block.direct and self.declared[block.name].maps == 1 for",
        "not block.direct for",
        SMALL,
    ),
    Plant(
        "spaces: a stem that nothing reads",
        "spaces/decode.py",
        "if left.isdisjoint(readers):",
        "if False:",
        SMALL,
    ),
    Plant(
        "spaces: what is dropped still reads its parents",
        "spaces/decode.py",
        """            elif space.fates[-1] == "drop":
                continue
""",
        """            elif space.fates[-1] == "drop":
                read.update(genome.parents[slot])
                continue
""",
        DRAWN,
    ),
    Plant(
        "spaces: costs of resampling by its source alone",
        "spaces/costing.py",
        "keys = [(source, kind) for source in sources]",
        "keys = [(source, source) for source in sources]",
        DRAWN,
    ),
    Plant(
        "spaces: what a block that piles maps up costs is taken from another of its kind",
        "spaces/costing.py",
        "            if not self.varies:  # which",
        "            if found is not None:  # which",
        DRAWN,
    ),
    Plant(
        "spaces: a mistake that was reported once is forgotten",
        "ir/expand/context.py",
        "        self.diagnostics.clear()\n        self._reported.clear()",
        "        self.diagnostics.clear()",
        DRAWN,
    ),
    Plant(
        "spaces: outputs of one level",
        "spaces/costing.py",
        "            if level in levels:\n",
        "            if level in levels and level is None:\n",
        DRAWN,
    ),
    Plant(
        "spaces: a mutation may choose the level that there is",
        "spaces/draw.py",
        "others = [shift for shift, reached in enumerate(block.levels) if reached != level]",
        "others = [shift for shift, reached in enumerate(block.levels)]",
        DRAWN,
    ),
    Plant(
        "spaces: networks differ by the names of blocks",
        "spaces/same.py",
        "others, ends.get(row.block, ()))))",
        "others, row.block)))",
        COUNTED,
    ),
    Plant(
        "spaces: inputs one by one are a set",
        "spaces/same.py",
        "apart = told_apart(declared)",
        "apart = False",
        ("tests/spaces/test_same.py",),
    ),
    Plant(
        "spaces: no outputs share a level",
        "spaces/costing.py",
        "kept or space.typed.outputs_any else",
        "kept else",
        ("tests/spaces/test_same.py",),
    ),
    Plant(
        "spaces: a network lies in a space whatever it shares",
        "spaces/proof.py",
        "weights.setdefault(event.path, len(weights)) if",
        "0 if",
        SMALL,
    ),
    Plant(
        "spaces: a network lies in a space with its inputs in any order",
        "spaces/proof.py",
        "elif own != theirs and told_apart(declared):",
        "elif False:",
        ("tests/spaces/test_same.py",),
    ),
    Plant(
        "spaces: a bound that is reached is broken",
        "spaces/model.py",
        'return value < self.bound or (value == self.bound and self.operator == "<=")',
        "return value < self.bound",
        DRAWN,
    ),
    Plant(
        "spaces: the parents of permuted blocks may be kept",
        "spaces/resolve.py",
        "            if name in windows:\n                continue\n",
        "            continue\n",
        ("tests/test_mistakes.py",),
    ),
    Plant(
        "spaces: what does not compile counts as a candidate",
        "spaces/tally.py",
        "            self.others[UNFIT] += 1\n",
        "            self.candidates += 1\n",
        COUNTED,
    ),
    Plant(
        "spaces: a space is to blame for one candidate that does not compile",
        "spaces/tally.py",
        "not self.candidates and not self.others[BOUND]",
        "not self.others[BOUND]",
        COUNTED,
    ),
    Plant(
        "spaces: what is beyond a bound is a candidate",
        "spaces/tally.py",
        "elif priced.within:",
        "elif priced:",
        (*DRAWN, *COUNTED),
    ),
    Plant(
        "spaces: an interval as if a sample were no sample",
        "spaces/count.py",
        "sqrt(share * (1 - share) / tried + Z * Z / (4 * tried * tried))",
        "sqrt(share * (1 - share) / tried)",
        COUNTED,
    ),
    Plant(
        "spaces: the parents of a slot are counted from one block fewer",
        "spaces/count.py",
        "[len(window.pool(slot)) for slot in slots]",
        "[len(window.pool(slot)) - (slot > slots[0]) for slot in slots]",
        COUNTED,
    ),
    Plant(
        "spaces: a network lies inside whatever it costs",
        "spaces/proof.py",
        "if value is not None and not keep.holds(value):",
        "if value is None:",
        ("tests/spaces/test_candidates.py::test_a_network_beyond_a_bound_lies_outside",),
    ),
    Plant(
        "spaces: a shift that leads below the stem",
        "spaces/shifts.py",
        "if stems and level < min(stems):",
        "if stems and level < min(stems) - 1:",
        ("tests/test_mistakes.py",),
    ),
    Plant(
        "spaces: a shift ends at the nearest level above",
        "spaces/shifts.py",
        "min(max(level + shift, lowest), highest)",
        "max(min(level + shift, highest), lowest + 1)",
        (*COUNTED, "tests/spaces/test_candidates.py::test_the_published_networks_lie_in_their_spaces"),
    ),
)
