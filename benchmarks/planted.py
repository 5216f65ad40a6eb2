"""Plant bugs, one at a time, in a copy of the package, and see which tests notice: `python benchmarks/planted.py`.

Each is a small change of the kind that somebody might make. The tests that are named with it run in the copy. The
goldens in `generated/` are left out: they would notice nearly everything without knowing what is right. Exit status 1
if one survives.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
COPIED = (
    "spinedsl",
    "tests",
    "grammar",
    "examples",
    "generated",
    "benchmarks",
    "pyproject.toml",
    "MODELS.md",
    "README.md",
)
AGREE = "tests/laws/test_laws.py::test_three_witnesses_agree"
PAPER = "tests/published/test_paper.py"


class Plant(NamedTuple):
    """A bug: what it breaks, in which file, which text becomes which, and the tests that should notice."""

    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


PLANTS = (
    Plant(
        "shape rule: channels of a concat",
        "ops/rules.py",
        "replace(first, channels=sum(x.channels for x in types))",
        "replace(first, channels=max(x.channels for x in types))",
        ("tests/ops",),
    ),
    Plant(
        "shape rule: sizes rounded down",
        "ops/types.py",
        "return -(-size >> level)",
        "return size >> level",
        ("tests/test_any_size.py",),
    ),
    Plant(
        "padding: what is odd goes before",
        "ops/rules.py",
        "return total // 2, total - total // 2",
        "return total - total // 2, total // 2",
        ("tests/test_same_padding.py", "tests/ops"),
    ),
    Plant(
        "padding: symmetric by the stride",
        "ops/rules.py",
        "return (reach - 1) // 2, (reach - 1) // 2",
        "return reach // 2, reach // 2",
        ("tests/test_same_padding.py", "tests/ops", AGREE),
    ),
    Plant(
        "cost: groups forgotten",
        "ops/rules.py",
        "result.channels * (types[0].channels // groups) * kernel * kernel",
        "result.channels * types[0].channels * kernel * kernel",
        ("tests/analysis", PAPER),
    ),
    Plant(
        "cost: shared weights counted for each use",
        "analysis/costs.py",
        "            if name in counted:\n                continue\n",
        "",
        ("tests/analysis", PAPER),
    ),
    Plant(
        "receptive field: dilation forgotten",
        "analysis/receptive.py",
        'at.number("stride"), at.number("dilation")',
        'at.number("stride"), 1',
        ("tests/analysis/test_receptive.py",),
    ),
    Plant(
        "receptive field: every position as the first",
        "analysis/reach.py",
        "for position in range(period):",
        "for position in range(1):",
        ("tests/analysis/test_receptive.py",),
    ),
    Plant(
        "receptive field: bilinear takes one neighbour",
        "analysis/receptive.py",
        "ceil(last) if half else floor(last)",
        "floor(last)",
        ("tests/analysis/test_receptive.py",),
    ),
    Plant(
        "receptive field: where a bilinear position falls",
        "analysis/receptive.py",
        "place = (position + half) * ratio - half",
        "place = position * ratio",
        ("tests/analysis/test_receptive.py",),
    ),
    Plant(
        "receptive field: a transposed convolution is cut before it",
        "analysis/receptive.py",
        "(p + cut) // stride)",
        "p // stride)",
        ("tests/analysis/test_receptive.py",),
    ),
    Plant(
        "receptive field: of two ways the first",
        "analysis/reach.py",
        "found = list(dict.fromkeys(reaches))",
        "found = list(dict.fromkeys(reaches))[:1]",
        ("tests/analysis/test_receptive.py",),
    ),
    Plant(
        "receptive field: the padding of a window shifts nothing",
        "analysis/receptive.py",
        "lambda p: (p * stride - before, p * stride - before + reach)",
        "lambda p: (p * stride, p * stride + reach)",
        ("tests/analysis/test_receptive.py",),
    ),
    Plant(
        "receptive field: a slice reads all channels",
        "analysis/receptive.py",
        "_listed(inputs[0])[start : start + at.result.channels])",
        "_listed(inputs[0])[: at.result.channels])",
        ("tests/analysis/test_receptive.py",),
    ),
    Plant(
        "check: three inputs pass",
        "checks/input_count.py",
        "least <= count <= most",
        "least <= count <= most + 1",
        ("tests/test_mistakes.py",),
    ),
    Plant(
        "dead inputs: a slice reads from the beginning",
        "ops/channels.py",
        'wanted & (1 << result.channels) - 1) << cast(int, attributes["start"])',
        "wanted & (1 << result.channels) - 1) << 0",
        ("tests/ops/test_channels.py",),
    ),
    Plant(
        "dead inputs: of several readers the first one counts",
        "ops/depends.py",
        "live[value.name] = live.get(value.name, 0) | wanted",
        "live[value.name] = wanted",
        ("tests/ops/test_depends.py",),
    ),
    Plant(
        "dead inputs: an absorbed map is the first of a join",
        "checks/dead_input.py",
        "    arrived += [(name, None) for name in row.declared.absorbed]",
        "    arrived[:0] = [(name, None) for name in row.declared.absorbed]",
        ("tests/test_mistakes.py",),
    ),
    Plant(
        "check: four levels are not far", "checks/long_resample.py", "FAR = 3", "FAR = 4", ("tests/test_mistakes.py",)
    ),
    Plant(
        "check: sizes that do not divide pass",
        "checks/divisible.py",
        "if got % typed.divisor:",
        "if got % 2:",
        ("tests/test_mistakes.py", "tests/cli/test_commands.py"),
    ),
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
        "ONNX: concat in the other order",
        "backends/onnx/operators.py",
        'step.last("Concat", *inputs, axis=1)',
        'step.last("Concat", *inputs[::-1], axis=1)',
        ("tests/backends/onnx",),
    ),
    Plant(
        "ONNX: epsilon of a batch norm",
        "backends/onnx/operators.py",
        "epsilon=epsilon, momentum=momentum",
        "epsilon=1e-5, momentum=momentum",
        ("tests/backends/onnx", AGREE),
    ),
    Plant(
        "PyTorch: momentum is the share kept",
        "backends/torch/operators.py",
        "use: 1 - cast(Fraction, value)",
        "use: cast(Fraction, value)",
        ("tests/backends/torch",),
    ),
    Plant(
        "PyTorch: absorbed maps forgotten",
        "backends/torch/network.py",
        "for name in row.absorbed]",
        "for name in ()]",
        ("tests/backends/torch", "tests/published"),
    ),
    Plant(
        "interpreter: average over the padding too",
        "ops/interpret.py",
        "return cast(Array, total / counted)",
        "return cast(Array, total / counted.max())",
        ("tests/ops", AGREE),
    ),
    Plant(
        "initialiser: variance by the other fan",
        "ops/rules.py",
        'fan_in if attributes["init_fan"] == "fan_in" else fan_out',
        'fan_out if attributes["init_fan"] == "fan_in" else fan_in',
        ("tests/ops",),
    ),
    Plant(
        "initialiser: uniform of a third of the variance",
        "ops/initial.py",
        "math.sqrt(3 * variance)",
        "math.sqrt(variance)",
        ("tests/ops",),
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
    Plant(
        "divisor: of the highest level declared, not reached",
        "ir/elaborate/network.py",
        "max([self.context.deepest, *(row.level or 0 for row in self.rows.values())])",
        "max([0, *(row.level or 0 for row in self.rows.values())])",
        ("tests/ir",),
    ),
    Plant(
        "PyTorch: every resampling reads a row's first input",
        "backends/torch/network.py",
        "yield connection.source, connection.resample",
        "yield row.inputs[0].source, connection.resample",
        ("tests/backends/torch", AGREE),
    ),
    Plant(
        "PyTorch: the maps of a head permuted",
        "backends/torch/network.py",
        "tuple(self.locals[connection.source] for connection in row.inputs)",
        "tuple(self.locals[connection.source] for connection in row.inputs[::-1])",
        ("tests/test_heads.py", AGREE),
    ),
    Plant(
        "graph: every resampling reads a row's first input",
        "ops/graph.py",
        "value = values[connection.source]",
        "value = values[row.inputs[0].source]",
        ("tests/ops", AGREE),
    ),
    Plant(
        "attribute default: slope of hard_sigmoid",
        "ops/primitives.py",
        'Attribute("slope", Kind.POSITIVE, Fraction(1, 6))',
        'Attribute("slope", Kind.POSITIVE, Fraction(1, 5))',
        ("tests/ops",),
    ),
    Plant(
        "attribute default: epsilon of norms",
        "ops/primitives.py",
        "Fraction(1, 100_000)",
        "Fraction(1, 1000)",
        ("tests/ops",),
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
        "growth: each block looks at all before it",
        "draw/layout.py",
        "if xs[i] + most <= x:",
        "if i < 0:",
        ("tests/test_growth.py",),
    ),
    Plant(
        "formatter: a comment dropped",
        "syntax/format.py",
        "line.comment = self.comments.pop(0).text",
        "line.comment = self.comments.pop(0).text[:40]",
        ("tests/syntax/test_format.py",),
    ),
    Plant(
        "escaping: docstrings keep their quotes",
        "backends/torch/names.py",
        """.replace('"', "'")""",
        "",
        ("tests/hostile/test_payloads.py",),
    ),
    Plant(
        "escaping: the page is not escaped",
        "draw/svg.py",
        "autoescape=True",
        "autoescape=False",
        ("tests/hostile/test_payloads.py", "tests/draw"),
    ),
    Plant(
        "escaping: names reach the terminal",
        "diagnostics/plain.py",
        "return hidden().sub(",
        "return text or hidden().sub(",
        ("tests/hostile/test_payloads.py",),
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
        "loops: what an iteration sets is lost",
        "ops/graph.py",
        'self.body(iteration, named, (*prefix, f"{statement.path}{index}"), shared)',
        'self.body(iteration, dict(named), (*prefix, f"{statement.path}{index}"), shared)',
        ("tests/laws/test_nested.py",),
    ),
    Plant(
        "loops: weights are shared beyond the `each`",
        "ops/graph.py",
        'self.body(iteration, named, (*prefix, f"{statement.path}{index}"), prefix)',
        'self.body(iteration, named, (*prefix, f"{statement.path}{index}"), outer)',
        ("tests/laws/test_nested.py",),
    ),
    Plant(
        "numbers: channels are rounded, not floored",
        "ir/expand/attributes.py",
        "count = floor(value)",
        "count = round(value)",
        ("tests/laws/test_nested.py",),
    ),
    Plant(
        "output: a file of somebody else is replaced",
        "cli/output.py",
        "if start and not any(kind.begins(whole)",
        "if not start and not any(kind.begins(whole)",
        ("tests/cli/test_targets.py",),
    ),
    Plant(
        "output: what is read may be replaced under another name",
        "cli/output.py",
        "if Path(output).samefile(str(name)):",
        "if output == str(name):",
        ("tests/cli/test_targets.py",),
    ),
    Plant(
        "quiet: notes are printed all the same",
        "cli/voice.py",
        "    if not MANNER.quiet:\n        warn(text)",
        "    if text:\n        warn(text)",
        ("tests/cli/test_conventions.py",),
    ),
    Plant(
        "colours: FORCE_COLOR before NO_COLOR",
        "cli/voice.py",
        'if os.environ.get("NO_COLOR"):',
        'if os.environ.get("NO_COLOR") and "FORCE_COLOR" not in os.environ:',
        ("tests/cli/test_voice.py",),
    ),
    Plant(
        "packages: only the first that is missing",
        "extras.py",
        "raise MissingPackage(lacking)",
        "raise MissingPackage(lacking[:1])",
        ("tests/cli/test_missing.py",),
    ),
    Plant(
        "writing: in place",
        "cli/output.py",
        "temporary.replace(path)",
        "path.write_bytes(data)",
        ("tests/cli/test_write_whole.py",),
    ),
    Plant(
        "prompt: a collection prints all its items",
        "brief.py",
        "room = MOST - TAIL",
        "room = 100 * MOST",
        ("tests/test_brief.py",),
    ),
    Plant(
        "prompt: a long tuple in a record stays Python's own",
        "record.py",
        "and len({a}) > few else ",
        "and len({a}) > few * 10_000 else ",
        ("tests/test_brief.py",),
    ),
    Plant(
        "Python: a size of no pixels is taken",
        "given.py",
        "0 < number <= MOST_PIXELS",
        "0 <= number <= MOST_PIXELS",
        ("tests/test_interface.py",),
    ),
    Plant(
        "Python: what a text is that is no path is not said",
        "given.py",
        "if any(sign in path for sign in SIGNS):",
        "if all(sign in path for sign in SIGNS):",
        ("tests/test_interface.py",),
    ),
    Plant(
        "Python: a loaded network has no type",
        "api.py",
        ") -> Backbone:",
        ") -> object:",
        ("tests/test_typed.py",),
    ),
)


class Noticed(NamedTuple):
    """What became of a bug: the tests that failed, and how long that took."""

    by: list[str]
    seconds: float
    output: str


def copied(folder: Path) -> None:
    """The package and its tests, without what was left behind."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def noticed(plant: Plant, folder: Path) -> Noticed:
    """Plant a bug in the copy, run its tests, take it out again."""
    file = folder / "spinedsl" / plant.file
    text = file.read_text(encoding="utf-8")
    if text.count(plant.old) < 1 or plant.old == plant.new:
        raise SystemExit(f"{plant.what}: {plant.file} has no {plant.old!r} any more")
    file.write_text(text.replace(plant.old, plant.new, 1), encoding="utf-8")
    started = time.monotonic()
    options = ["-q", "-p", "no:cacheprovider", "--maxfail=3", "--tb=no", "--hypothesis-profile", "first"]
    command = [sys.executable, "-m", "pytest", *options, *plant.tests]
    env = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, env=env)
    file.write_text(text, encoding="utf-8")
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return Noticed(failed, time.monotonic() - started, done.stdout + done.stderr)


def chosen(words: list[str]) -> Iterator[Plant]:
    """The bugs whose description has one of the words; all, if there are none."""
    return (plant for plant in PLANTS if not words or any(word in plant.what for word in words))


def main() -> int:
    """Print what notices each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only bugs whose description has one of these")
    survived = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copied(folder)
        plants = list(chosen(parser.parse_args().words))
        for plant in plants:
            found = noticed(plant, folder)
            survived += not found.by
            first = found.by[0] if found.by else "SURVIVES"
            print(f"{plant.what}: {first}, {found.seconds:.0f} s", flush=True)
            if not found.by:
                print(found.output[-600:])
    print(f"{len(plants) - survived} of {len(plants)} noticed")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
