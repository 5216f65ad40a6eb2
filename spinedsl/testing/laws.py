"""The laws: what the compiler promises of every text and of every network, each in one place.

A law takes a source, one about networks also the name of a network that was checked. It returns nothing, and raises
`Broken` where it does not hold; any other exception is a fault too. They are what our own tests run, and `spine fuzz`.
"""

from __future__ import annotations

import re
import resource
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias
from unittest.mock import patch

import numpy as np

from spinedsl import agreement, api, driver
from spinedsl.agreement import FIXED, FUSED, INFERENCE, WITNESSES, Size, Witness, fixed_of, usual_sizes, witnesses_of
from spinedsl.analysis import Costs, costs, costs_by_row
from spinedsl.backends import BACKENDS, DEFAULT_OPSET
from spinedsl.diagnostics import Diagnostic, Outcome, Severity
from spinedsl.diagnostics.render import render
from spinedsl.lower import lower
from spinedsl.ops.channels import ALL
from spinedsl.ops.graph import Graph, flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Program
from spinedsl.ops.text import to_text
from spinedsl.ops.verify import verify
from spinedsl.passes import PASSES, Form, as_written, filled, recovered
from spinedsl.record import Record, names
from spinedsl.source import Source
from spinedsl.syntax.format import format_source
from spinedsl.syntax.parse import parse, tokens_of
from spinedsl.testing.given import INSTANCE, opened
from spinedsl.testing.rewrites import REWRITES, Rewritten
from spinedsl.testing.steps import stepped

TextLaw: TypeAlias = Callable[[Source], None]
NetworkLaw: TypeAlias = Callable[[Source, str], None]

KIB_64 = 64 * 1024  # characters; the limits below hold for files up to there
STEPS, STEPS_FOR_EACH = 3_000_000, 160  # calls of functions: a few characters may expand to much, and repairs are tried
BYTES = 200 * 2**20
SAME = 1e-9  # scaled difference of two runs of the interpreter in float64
IDLE = "W0710"  # a repeat that changes nothing
FLOAT = 1e-5  # of two sets of weights that are the same up to the rounding of float32
MOST = float(np.finfo(np.float32).max)
SEED = 7  # of weights and images
TRIES = 5  # draws of weights until a value counts as one that no output depends on
THREE = WITNESSES[:3]  # PyTorch in both precisions and ONNX Runtime, beside the interpreter


class Broken(Exception):
    """A law does not hold: what was promised, and what came instead."""


def require(holds: bool, message: str) -> None:
    """Raise `Broken` unless it holds."""
    if not holds:
        raise Broken(message)


# ---- of every text ----


def answered(source: Source) -> None:
    """Any text gives a value or diagnostics, each at a place in the text, in few steps and little memory."""
    held = _most_memory()
    (outcome, rendered), steps = stepped(lambda: _checked(source))
    used = _most_memory() - held
    if len(source.text) <= KIB_64:
        require(steps < most_steps(source.text), f"it takes {steps:,} steps to check")
        require(used < BYTES, f"it takes {used / 2**20:.0f} MB to check")
    for diagnostic in outcome.diagnostics:
        for span in _spans_of(diagnostic):
            require(0 <= span.start <= span.end <= len(span.source.text), f"{diagnostic.code.id} is at no place")
    require("\x00" not in rendered and "\u202e" not in rendered, "the messages hold hidden characters")
    if outcome.ok:
        assert outcome.value is not None
        found = outcome.value
        complete = {name for name, network in found.networks.items() if not driver.needs_arguments(network)}
        require(not found.unit.file.broken, "statements are dropped in silence")
        require(found.checked.keys() == complete, "networks are dropped in silence")
        require(all(defined.sound for defined in found.unit.own()), "a definition is unsound in silence")
    else:
        require(bool(outcome.diagnostics), "it is refused without a word")


def most_steps(text: str) -> int:
    """How many functions may be called for the answer to a text of up to 64 KiB."""
    return STEPS + STEPS_FOR_EACH * len(text)


def _checked(source: Source) -> tuple[Outcome[driver.Analysis], str]:
    outcome = driver.analyse(source)
    return outcome, render(outcome.diagnostics)


def _spans_of(diagnostic: Diagnostic) -> list[Any]:
    edits = [edit.span for fix in diagnostic.fixes for edit in fix.edits]
    return [diagnostic.span, *(label.span for label in diagnostic.others), *edits]


def _most_memory() -> int:
    """The most memory that this process ever held, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def formatted(source: Source) -> None:
    """Formatting keeps the tree and every comment, and changes nothing the second time."""
    parsed = parse(source)
    if not parsed.ok:
        return
    once = format_source(source).value
    assert once is not None
    after = Source.from_text(once, source.name, source.origin)
    require(_bare(parse(after).value) == _bare(parsed.value), "formatting changes the tree")
    require(comments(after) == comments(source), "formatting changes the comments")
    require(format_source(after).value == once, "formatting twice is another text")


def _bare(node: object) -> object:
    """A tree without its places."""
    if isinstance(node, tuple):
        return tuple(_bare(part) for part in node)
    if isinstance(node, Record) and not isinstance(node, Source):
        parts = (name for name in names(type(node)) if name not in ("span", "head", "extent", "source"))
        return (type(node).__name__, *(_bare(getattr(node, name)) for name in parts))
    return node


def comments(source: Source) -> list[str]:
    """Every comment of a text without mistakes of form: what begins with `#` between two tokens."""
    found: list[str] = []
    end = 0
    for token in tokens_of(source):
        start = token.start_pos or 0
        found += re.findall(r"#[^\n]*", source.text[end:start])
        end = start + len(token.value)
    return [comment.rstrip() for comment in [*found, *re.findall(r"#[^\n]*", source.text[end:])]]


def repaired(source: Source) -> None:
    """Of a text with one mistake: every repair that is suggested as an edit, applied, removes it and leads to no other.

    No error that was not reported before stands in a line that the repair changed.
    """
    found = driver.analyse(source).diagnostics
    before = Counter((one.code.id, one.message) for one in found)
    for diagnostic in found:
        for fix in diagnostic.fixes:
            if not fix.edits or fix.edits[0].span.source is not source:
                continue
            text, changed = source.text, set[int]()
            for change in sorted(fix.edits, key=lambda change: change.span.start, reverse=True):
                text = text[: change.span.start] + change.text + text[change.span.end :]
                first, lines = change.span.line, change.text.count("\n")
                gone = change.span.text.count("\n")
                changed = {line + lines - gone if line > first else line for line in changed}
                changed |= {*range(first, first + lines + 1)}
            after = driver.analyse(Source.from_text(text, source.name, source.origin)).diagnostics
            key, now = (diagnostic.code.id, diagnostic.message), Counter((one.code.id, one.message) for one in after)
            require(now[key] < before[key], f"{key[0]} is still there after: {fix.text}")
            for one in after:
                new = one.severity is Severity.ERROR and (one.code.id, one.message) not in before
                there = new and one.span.source.text == text and one.span.line in changed
                require(not there, f"{key[0]} leads to {one.code.id} {one.message} by: {fix.text}")


# ---- of every network that was checked ----


def program_of(source: Source, network: str) -> Program:
    """The program of a checked network."""
    outcome = driver.analyse(source, only=network)
    messages = "; ".join(f"{d.code.id} {d.message}" for d in outcome.diagnostics)
    require(outcome.value is not None and network in outcome.value.checked, f"it is refused: {messages}")
    assert outcome.value is not None
    return lower(outcome.value.checked[network])


def compiled(source: Source, network: str, backends: Sequence[str] = tuple(BACKENDS)) -> None:
    """It lowers, keeps every promise of a program, every backend emits it, and emits the same the second time."""
    program = program_of(source, network)
    verify(program)
    for name in backends:
        files = api.emit(program, to=name)
        require(all(files.values()), f"{name} gives an empty file")
        require(api.emit(program_of(source, network), to=name) == files, f"{name} gives other bytes the second time")


def agreed(source: Source, network: str, witnesses: Sequence[Witness] = THREE) -> None:
    """PyTorch, ONNX Runtime and the interpreter give the same shapes and numbers, at several sizes, with axes open."""
    program = program_of(source, network)
    _agree(program, usual_sizes(program)[:2], witnesses)


def agreed_at_fixed_size(source: Source, network: str) -> None:
    """So does the ONNX model without an open axis, which declares the shapes that it gives."""
    program = program_of(source, network)
    _agree(program, [Size(1, program.input_type.height, program.input_type.width)], [FIXED])


def _agree(program: Program, sizes: Sequence[Size], witnesses: Sequence[Witness]) -> None:
    report = agreement.agree(program, sizes, seed=SEED, witnesses=witnesses)
    require(not report.missing, "; ".join(f"{one.witness}: {one.reason}" for one in report.missing))
    compared = len(report.sizes) * len(program.outputs) * len(witnesses)
    require(report.agrees, "; ".join(report.disagreements()))
    require(len(report.differences) == compared, f"{len(report.differences)} of {compared} outputs were compared")


def trained(source: Source, network: str) -> None:
    """In training the shapes are the same, and every parameter gets a gradient, unless W0704 says why not.

    Every input of every row gets one in any case, by whatever it is read.
    """
    program, checked = program_of(source, network), driver.analyse(source).value
    assert checked is not None
    graph, size = flatten(program), usual_sizes(program)[1]
    training = agreement.train(program, agreement.lively_weights(graph.parameters, SEED), size, SEED)
    for name, shape in agreement.shapes_of(graph, size).items():
        require(training.shapes[name] == shape, f"{name} is {training.shapes[name]} in training, not {shape}")
    typed = checked.checked[network].typed
    told = any(typed.unread_values) or any(read != ALL for read in typed.walked.read.values())
    require(told or not training.unreached, f"no gradient reaches {', '.join(training.unreached[:3])}")
    unread = {*agreement.unconnected(program, SEED)}
    for seed in range(SEED + 1, SEED + TRIES):  # a few narrow maps may be zero behind a relu for some weights
        unread = unread and unread & {*agreement.unconnected(program, seed)}
    lost = [f"`{read}` of `{row}`" for row, read in sorted(unread)]
    require(not lost, f"no output has a gradient on {', '.join(lost)}")


def counted(source: Source, network: str) -> None:
    """Parameters and multiply-adds in closed form are those that torch counts, altogether and of each row."""
    program = program_of(source, network)
    graph = flatten(program)
    closed, found = costs(graph), agreement.counted(program)
    ours = (closed.parameters, closed.multiply_adds)
    require(ours == found, f"parameters and multiply-adds are {ours} in closed form, {found} as torch counts")
    by_row: dict[str, Costs] = {}
    for row, cost in costs_by_row(graph).items():
        name = program.weights_of(row)
        by_row[name] = by_row.get(name, Costs()) + cost
    for name, counted_ in agreement.counted_by_row(program).items():
        require(by_row[name] == counted_, f"`{name}` costs {by_row[name]} in closed form, {counted_} as torch counts")


def indifferent(source: Source, network: str) -> None:
    """Rewrites that cannot matter do not: the same outputs from the same weights."""
    analysis = driver.analyse(source, only=network).value
    assert analysis is not None
    program = program_of(source, network)
    for what, rewrite in REWRITES.items():
        rewritten = rewrite(analysis, network)
        if rewritten is not None:
            _same(what, program, program_of(rewritten.source, rewritten.network), rewritten)


def optimised(source: Source, network: str) -> None:
    """Every pass, all of them, in any order and twice, give the same from the same weights; so does ONNX Runtime."""
    program = program_of(source, network)
    graph = flatten(program)
    weights = agreement.lively_weights(graph.parameters, SEED)
    image = agreement.image(program, usual_sizes(program)[-1], SEED)
    before = run(graph, weights, image, dtype=np.float64)
    chains: dict[str, tuple[str, ...]] = {name: (name,) for name in PASSES}
    chains |= {"all": (*PASSES,), "all in reverse": (*PASSES,)[::-1], "all twice": (*PASSES, *PASSES)}
    for what, names_ in chains.items():
        form = as_written(graph)
        for name in names_:
            form = PASSES[name](form)
            once = len(form.graph.nodes)
            require(len(PASSES[name](form).graph.nodes) == once, f"{name} does more the second time")
        tensors, wrong = filled(form.recipes, weights, MOST)
        require(not wrong, f"{what}: no numbers of {', '.join(wrong)}")
        after = run(form.graph, {**weights, **tensors}, image, dtype=np.float64)
        for name in graph.outputs:
            difference = float(np.abs(before[name] - after[name]).max())
            most = float(np.abs(before[name]).max())
            require(before[name].shape == after[name].shape, f"{what}: another shape of {name}")
            require(difference <= SAME * most, f"{what}: {name} changes by {difference:.1e} of {most:.1e}")
        if what in ("all", "all in reverse", "fold", "absorb"):
            _told_again(graph, form, {**weights, **tensors}, image, what)
    engine, own = witnesses_of(DEFAULT_OPSET, 2, "onnxruntime")[2], program.input_type
    _agree(program, usual_sizes(program)[:2], (engine,))
    with patch.multiple("spinedsl.passes.winograd", LEAST=1, BLOCK=1, LOWEST=1, MOST=4):  # networks by chance are small
        if any("rows" in node.attributes for node in PASSES["winograd"](as_written(graph)).graph.nodes):
            _agree(program, usual_sizes(program)[:2], (engine,))
            _agree(program, [Size(1, own.height, own.width)], (fixed_of(2, "onnxruntime"),))


def _told_again(graph: Graph, form: Form, tensors: Mapping[str, Any], image: Any, what: str) -> None:
    """Of the tensors of a rewritten graph, weights that give the network what that graph gives."""
    if any("scaled_inputs" in str(recipe) and "standardised" in str(recipe) for recipe in form.recipes.values()):
        return  # such kernels cannot be told
    there = {name: tensors[name].astype(np.float32) for name in form.graph.parameters}
    again = recovered(form.recipes, there, {name: one.shape for name, one in form.parameters.items()})
    before, after = run(form.graph, there, image, dtype=np.float64), run(graph, again.tensors, image, dtype=np.float64)
    require(again.tensors.keys() == graph.parameters.keys(), f"{what}: other tensors are told again")
    for name in graph.outputs:
        difference, most = (float(np.abs(one).max()) for one in (before[name] - after[name], before[name]))
        require(difference <= FLOAT * most, f"{what}: {name} changes by {difference:.1e} with weights told again")


def inferred(source: Source, network: str) -> None:
    """The file for inference and the fused module give what the interpreter gives, from the network's own tensors."""
    program = program_of(source, network)
    _agree(program, usual_sizes(program)[:2], (INFERENCE, FUSED))


def taken(source: Source, network: str) -> None:
    """A number made a parameter or a `let` changes nothing; another given for it does, or it is reported."""
    outcome = driver.analyse(source)
    analysis = outcome.value
    assert analysis is not None
    warned = {found.code.id for found in outcome.diagnostics}  # of the text as it is
    if IDLE in warned:
        return  # of some number it is known already that it changes nothing
    before = _key_of(program_of(source, network))
    for one in opened(analysis, network):
        what = f"`{one.number.text}` of line {one.number.line}"
        require(_key_of(program_of(one.as_parameter, network)) == before, f"{what} as a parameter is another network")
        require(_key_of(program_of(one.as_edit, network)) == before, f"{what} as a `let` is another network")
        given, edited = _made(one.as_parameter, warned), _made(one.as_edit, warned)
        require(given != before, f"another {what} is taken, and nothing is reported")
        require(given == edited, f"{what} is another network by an argument than by an edit")
        passed = given is None or given == _made(one.passed_on, warned)
        require(passed, f"{what} is another network by a parameter of the instance")
        codes = [found.code.id for found in driver.analyse(one.as_argument).diagnostics]
        codes = [code for code in codes if code not in warned]
        require(codes == ["E0203"], f"a `let` given as an argument is answered {' '.join(codes) or 'by nothing'}")


def _made(source: Source, warned: Collection[str]) -> object:
    """The instance of an opened network, or nothing where more is reported about it than warnings of known codes."""
    found = driver.analyse(source)
    assert found.value is not None
    if any(diagnostic.code.id not in warned for diagnostic in found.diagnostics):
        return None
    return _key_of(lower(found.value.checked[INSTANCE]))


def _key_of(program: Program) -> object:
    """All that a network computes, and its tensors, by their names."""
    graph = flatten(program)
    nodes = [(node.primitive, node.inputs, node.attributes, node.parameters, node.result) for node in graph.nodes]
    return nodes, graph.types, graph.parameters, graph.rows, graph.outputs, program.input_type, program.divisor


def _same(what: str, program: Program, other: Program, rewritten: Rewritten) -> None:
    """Both give the same from the same weights: those of one name, or of one position where rows were renamed."""
    graph, second = flatten(program), flatten(other)
    weights = agreement.lively_weights(graph.parameters, SEED)
    carried: dict[str, Any] = weights
    if rewritten.renamed:
        shapes = [[p.shape for p in g.parameters.values()] for g in (graph, second)]
        require(shapes[0] == shapes[1], f"{what} changes the parameters")
        carried = dict(zip(second.parameters, weights.values(), strict=True))
    require(carried.keys() == second.parameters.keys(), f"{what} changes the parameters' names")
    if what == "an unused definition":
        require(to_text(program) == to_text(other), f"{what} changes the program")
    image = agreement.image(program, usual_sizes(program)[0], SEED)
    ours, theirs = (run(g, w, image, dtype=np.float64) for g, w in ((graph, weights), (second, carried)))
    require(len(program.outputs) == len(other.outputs), f"{what} changes the outputs")
    for before, after in zip(program.outputs, other.outputs, strict=True):
        most = float(np.abs(ours[before]).max())
        require(ours[before].shape == theirs[after].shape, f"{what} changes the shape of {before}")
        difference = float(np.abs(ours[before] - theirs[after]).max())
        require(difference <= SAME * most, f"{what} changes {before} by {difference:.1e}")


TEXT_LAWS: Mapping[str, TextLaw] = {
    "answered": answered,
    "formatted": formatted,
}
NETWORK_LAWS: Mapping[str, NetworkLaw] = {
    "compiled": compiled,
    "agreed": agreed,
    "agreed at a fixed size": agreed_at_fixed_size,
    "trained": trained,
    "counted": counted,
    "indifferent": indifferent,
    "optimised": optimised,
    "inferred": inferred,
    "taken": taken,
}


def _of_its_text(law: TextLaw) -> NetworkLaw:
    return lambda source, network: law(source)


EVERY: Mapping[str, NetworkLaw] = {name: _of_its_text(law) for name, law in TEXT_LAWS.items()} | {**NETWORK_LAWS}
