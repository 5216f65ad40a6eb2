"""What no output depends on, by the walk back from the outputs, against the gradients that PyTorch finds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given

from spinedsl import agreement, driver
from spinedsl.checks.networks import e0321_dead_input
from spinedsl.ir.typed import CheckedNetwork, TypedNetwork
from spinedsl.lower import lower
from spinedsl.ops.depends import Depends
from spinedsl.source import Source
from spinedsl.testing import STANDARD, networks
from tests.profiles import drawn
from tests.texts import VALID, text_of

# What reads a part of what it is given, and so may leave an input of this row, or of rows above, without any reader.
NARROW = """
join_type first_of(inputs) { return first(inputs) }
join_type last_alone(inputs) { return last(inputs) }
join_type in_turn(inputs) { return concat(rest(inputs), first(inputs)) }
join_type sized(inputs) {
    var y = first(inputs)
    each p in rest(inputs) { y = y + resize(y, like = p) }
    return y
}
join_type faded(inputs) { return first(inputs) + sum(inputs) * 0 }
block_type begins(x, channels, stride = 1) -> channels {
    return act(conv(slice(x, max(1, floor(x.channels / 2))), channels, kernel = 3, stride = stride))
}
block_type both(x, channels, stride = 1) -> channels * 2 {
    let y = conv(x, channels, kernel = 1, stride = stride)
    return concat(y, act(conv(x, channels, kernel = 3, stride = stride)))
}
block_type beside(x, channels, stride = 1) -> channels * 2 {
    let y = conv(slice(x, floor((x.channels + 1) / 2)), channels, kernel = 3, stride = stride)
    return concat(y, relu(conv(slice(x, 1, start = x.channels - 1), channels, kernel = 3, stride = stride)))
}
block_type shuffled(x, channels, stride = 1) -> channels {
    let y = reshape(transpose(reshape(concat(x, x), 2, x.channels)), x.channels * 2)
    return conv(slice(y, 2), channels, kernel = 1, stride = stride)
}
block_type each_alone(x, channels, stride = 1) -> channels {
    let y = norm(conv(x, x.channels, kernel = 3, stride = stride, groups = x.channels))
    return conv(slice(y, 1, start = x.channels - 1), channels, kernel = 1)
}
block_type upper_part(x, channels, stride = 1) -> floor(channels / 2) {
    return slice(conv(x, channels, kernel = 3, stride = stride), floor(channels / 2))
}
resample_type cut(x, source, target) -> target.in_channels {
    let y = concat(conv(x, 1, kernel = 1), conv(x, target.in_channels, kernel = 1))
    var z = slice(y, target.in_channels, start = 1)
    if target.level > x.level { repeat target.level - x.level { z = max_pool(z, kernel = 3, stride = 2) } }
    if target.level < x.level { z = upsample(z, levels = x.level - target.level) }
    return z
}
output_type lower_part(x) { return slice(x, max(1, floor(x.channels / 2))) }
head_type of_the_last(features) { return flatten(global_average_pool(last(features))) }
"""
NARROWING = STANDARD.but(
    head=STANDARD.head + NARROW,
    blocks=("cell", "begins", "both", "beside", "shuffled", "each_alone", "upper_part", "upper", "residual", "merged"),
    joins=("piled", "first_of", "last_alone", "in_turn", "sized", "faded", "plain_sum"),
    resamples=("cut", "averaged"),
    outputs=("", "lower_part"),
    heads=("", "of_the_last", "classifier(classes = 3)"),
    defaults=("act swish, norm batch_norm", "act gelu, norm identity"),
    sizes=("divisible",),
    levels=(2, 3),
    inputs=3,
    most=6,
    made=1,
)


def by_gradients(typed: TypedNetwork) -> set[tuple[str, str]]:
    return agreement.unconnected(lower(CheckedNetwork(typed)))


def by_the_walk(typed: TypedNetwork) -> set[tuple[str, str]]:
    """Dead inputs, and all inputs of rows that nothing reads any more."""
    walked = typed.walked
    found = {(given.row.name, given.source) for given in walked.dead}
    for row in typed.rows.values():
        if row.declared.row.kind in ("stem", "block") and not walked.read.get(row.name):
            sources = [name.text for name in (*row.declared.sources, *row.declared.absorbed)]
            found |= {(row.name, source) for source in sources or [typed.input_name]}
    return found


def test_inputs_without_a_gradient_are_the_dead_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that are right but for dead inputs: the set is the same, input by input."""
    monkeypatch.setattr(e0321_dead_input, "check", lambda network: ())
    counts: Counter[str] = Counter()

    @drawn(60)
    @given(networks(NARROWING))
    def the_same(text: str) -> None:
        analysis = driver.analyse(NARROWING.source(text)).value
        assert analysis is not None
        typed = analysis.checked["Net"].typed
        found = by_the_walk(typed)
        assert found == by_gradients(typed), text
        counts["dead"] += bool(found)
        counts["alive"] += not found
        counts["in the row"] += len(typed.walked.dead)

    the_same()
    assert min(counts["dead"], counts["alive"]) >= 5, counts


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_definitions_of_the_prelude_and_the_examples_read_every_map(path: Path) -> None:
    """What the compiler takes for granted of the prelude, and that a walk of all of them agrees with the short way."""
    analysis = driver.analyse(Source.from_text(text_of(path), path.name, str(path))).value
    assert analysis is not None
    for network in analysis.checked.values():
        short, long = network.typed.depends, network.typed.asked(Depends(trusted=""))
        assert not network.typed.walked.dead
        for call in (call for row in network.typed.rows.values() for call in row.uses):
            assert short.needs(call.module) == long.needs(call.module), call.module.definition
