"""Bugs in the language: its texts, the formatter, expansion, names and edits."""

from benchmarks.plants.plant import Plant

PLANTS: tuple[Plant, ...] = (
    Plant(
        "prelude: activation before the addition",
        "prelude/blocks.spine",
        "act(expand + shortcut(x, like = expand, stride = stride))",
        "act(expand) + shortcut(x, like = expand, stride = stride)",
        ("tests/published/test_published.py",),
    ),
    Plant(
        "prelude: resampling the other way",
        "prelude/resample.spine",
        "upsample(y, levels = -down)",
        "upsample(y, levels = -down, mode = bilinear)",
        ("tests/published/test_published.py",),
    ),
    Plant(
        "names: a second call of one name",
        "ir/naming.py",
        'candidate = f"{name}_{count}"',
        'candidate = f"{name}{count}"',
        ("tests/ir/test_naming.py",),
    ),
    Plant(
        "names: what is shared has an index",
        "ir/naming.py",
        "if call.shared and self.home is not None:",
        "if False:",
        ("tests/ir", "tests/test_heads.py"),
    ),
    Plant(
        "divisor: of the highest level declared, not reached",
        "ir/elaborate/network.py",
        "max([self.context.deepest, *(row.level or 0 for row in self.rows.values())])",
        "max([0, *(row.level or 0 for row in self.rows.values())])",
        ("tests/ir",),
    ),
    Plant(
        "edit: `before` puts the row after",
        "ir/edits/rows.py",
        'self.draft.items.index(target) + (edit.place.word == "after")',
        "self.draft.items.index(target) + 1",
        ("tests/ir/test_edits.py", "tests/test_edit_laws.py"),
    ),
    Plant(
        "limit: never reached",
        "ir/expand/context.py",
        "if self.work.left >= 0:",
        "if True:",
        ("tests/test_limits.py", "tests/syntax/test_any_text.py"),
    ),
    Plant(
        "formatter: a comment dropped",
        "syntax/format.py",
        "line.comment = self.comments.pop(0).text",
        "line.comment = self.comments.pop(0).text[:40]",
        ("tests/syntax/test_format.py",),
    ),
    Plant(
        "formatter: a comma after a value in brackets",
        "syntax/format.py",
        'comma = "" if _is_group(tokens, opener) else ","',
        'comma = ","',
        ("tests/syntax/test_format.py",),
    ),
    Plant(
        "layout: a value that ends in `.level` does not end its line",
        "syntax/layout.py",
        """return kind in CAN_END or (kind == "LEVEL" and self.tokens[index - 1].type == "DOT")""",
        "return kind in CAN_END",
        ("tests/syntax/test_layout.py",),
    ),
    Plant(
        "loops: an index counts from 1",
        "ir/expand/statements.py",
        "self.env[index] = iteration",
        "self.env[index] = iteration + 1",
        ("tests/laws/test_nested.py",),
    ),
    Plant(
        "numbers: channels are rounded, not floored",
        "ir/expand/attributes.py",
        "count = floor(value)",
        "count = round(value)",
        ("tests/laws/test_nested.py",),
    ),
)
