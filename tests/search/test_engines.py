"""Laws that every engine keeps, and what each is for."""

from __future__ import annotations

import math
import sys
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest

from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.types import Type
from spinedsl.record import replace
from spinedsl.search import figures as figures_of
from spinedsl.search.engines import ENGINES, SEVERAL, make
from spinedsl.search.engines.controller import Controller
from spinedsl.search.engines.evolution import Evolution
from spinedsl.search.engines.nsga2 import Nsga2, crowding
from spinedsl.search.figures import WANTED, figure
from spinedsl.search.opening import open_space
from spinedsl.search.pareto import fronts
from spinedsl.search.records import Finished, Objective, finished
from spinedsl.source import Source
from spinedsl.spaces.candidates import Candidates
from spinedsl.spaces.decode import Excluded
from tests.building import op, single
from tests.search.spaces import SPACES
from tests.spaces.ways import measured

DEPTH = (Objective("depth", "maximize"),)
TWO = (Objective("entropy", "maximize"), Objective("multiply_adds", "minimize"))


@pytest.fixture(scope="module")
def candidates() -> Candidates:
    return open_space(SPACES, "AroundSpineNet49")


def searched(
    candidates: Candidates, engine: str, objectives: tuple[Objective, ...], budget: int, seed: int = 0
) -> list[Finished]:
    """What one worker would try."""
    made = make(engine, candidates, seed, objectives)
    figures = [figure(one.name, candidates) for one in objectives]
    found = []
    for slot in range(budget):
        proposal = made.ask(slot)
        values = tuple(one(proposal.priced) for one in figures)
        found.append(finished(slot, proposal.to_json(candidates.space), values))
        made.tell(found[-1])
    return found


def test_every_engine_has_a_file_and_a_class(candidates: Candidates) -> None:
    assert [type(make(name, candidates, 0, DEPTH)).__name__ for name in ENGINES] == list(ENGINES.values())


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_proposed_is_a_candidate_that_is_new(engine: str, candidates: Candidates) -> None:
    objectives = TWO if engine in SEVERAL else DEPTH
    tried = searched(candidates, engine, objectives, 120)
    assert len({one.genome for one in tried}) == 120
    for one in tried:
        priced = candidates.price(one.genome)
        assert not isinstance(priced, Excluded)
        assert priced.within
        assert priced.costs.multiply_adds == one.costs["multiply_adds"] <= 30e9
        assert all(parent < one.slot for parent in one.parents)
        assert bool(one.parents) == (one.origin in ("mutate", "crossover"))


@pytest.mark.parametrize("engine", ENGINES)
def test_proposals_follow_from_what_is_settled_in_any_order(engine: str, candidates: Candidates) -> None:
    """Workers that know the same propose the same: whatever came first, and whatever else they were asked."""
    objectives = TWO if engine in SEVERAL else DEPTH
    tried = searched(candidates, engine, objectives, 110)
    again = make(engine, candidates, 0, objectives)
    shuffled = Random(3).sample(tried, len(tried))
    for at, one in enumerate(shuffled):
        if at % 20 == 0:
            again.ask(at)
        again.tell(one)
    whole = make(engine, candidates, 0, objectives)
    for one in tried:
        whole.tell(one)
    for slot in (110, 111, 140):
        assert whole.ask(slot).to_json(candidates.space) == again.ask(slot).to_json(candidates.space)
    assert searched(candidates, engine, objectives, 40) == tried[:40]
    other = searched(candidates, engine, objectives, 5, seed=1)
    assert [one.genome for one in other] != [one.genome for one in tried[:5]]


@pytest.mark.parametrize("engine", ENGINES)
def test_generators_of_everybody_stay_as_they_are(engine: str, candidates: Candidates) -> None:
    """Who searches beside other work draws as if nobody searched, and changes nothing of what that work draws."""
    import random

    import numpy as np
    import torch

    def states() -> tuple[object, ...]:
        return random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()

    before = states()
    tried = searched(candidates, engine, TWO if engine in SEVERAL else DEPTH, 24)
    assert states() == before
    random.seed(5)
    np.random.seed(5)
    torch.manual_seed(5)
    assert searched(candidates, engine, TWO if engine in SEVERAL else DEPTH, 24) == tried


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "random"])
def test_it_beats_random_search(engine: str, candidates: Candidates) -> None:
    """Over three seeds each: `benchmarks/searched.py` has ten, and the p-value."""

    def best(engine: str, seed: int) -> float:
        return max(one.values[0] for one in searched(candidates, engine, DEPTH, budget, seed) if one.values)

    budget = 120 if engine == "controller" else 250
    own = [best(engine, seed) for seed in range(3)]
    assert min(own) > max(best("random", seed) for seed in range(3))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_failure_is_never_a_parent(engine: str, candidates: Candidates) -> None:
    made = make(engine, candidates, 0, DEPTH)
    depth = figure("depth", candidates)
    for slot in range(150):
        proposal = made.ask(slot)
        values = None if slot % 3 == 1 else (depth(proposal.priced),)
        made.tell(finished(slot, proposal.to_json(candidates.space), values, "" if values else "it failed"))
    assert all(parent % 3 != 1 for slot in range(150, 160) for parent in made.ask(slot).parents)


def test_the_population_are_the_youngest_whoever_they_are(candidates: Candidates) -> None:
    made = make("evolution", candidates, 0, DEPTH)
    assert isinstance(made, Evolution)
    tried = searched(candidates, "random", DEPTH, 130)
    for one in Random(1).sample(tried, len(tried)):
        made.tell(one)
    assert [one.slot for one in made.settled] == list(range(30, 130))
    made.tournament = made.population  # all are drawn
    best = max(tried[30:], key=lambda one: (one.values or (), one.slot))
    assert made.ask(130).parents == (best.slot,)


def test_an_elite_is_of_whole_generations(candidates: Candidates) -> None:
    made = make("nsga2", candidates, 0, TWO)
    assert isinstance(made, Nsga2)
    tried = searched(candidates, "random", TWO, 2 * made.population)
    for count, one in enumerate(tried, 1):
        made.tell(one)
        assert made.whole == count // made.population
        assert len(made.elite) == (made.population if made.whole else 0)


def test_more_is_better_in_every_score(candidates: Candidates) -> None:
    (tried,) = searched(candidates, "random", TWO, 1)
    made = make("nsga2", candidates, 0, TWO)
    assert isinstance(made, Nsga2)
    assert tried.values is not None
    assert made.scores(tried) == (tried.values[0], -tried.values[1])
    assert made.scores(replace(tried, values=None)) == (float("-inf"), float("-inf"))


def test_the_controller_learns_of_a_failure_as_of_the_worst_of_its_batch(candidates: Candidates) -> None:
    tried = searched(candidates, "controller", DEPTH, 10)
    worst = min(one.values for one in tried[1:] if one.values)
    proposals = []
    for values in (None, worst, (worst[0] + 100,)):
        made = make("controller", candidates, 0, DEPTH)
        for one in (replace(tried[0], values=values), *tried[1:]):
            made.tell(one)
        assert isinstance(made, Controller)
        proposals.append([one.tolist() for one in made.network.parameters()])
    assert proposals[0] == proposals[1] != proposals[2]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("sign", [(-1,), (1,), (-1, 1), (0, 0, 0, -1)])
def test_values_at_the_end_of_all_numbers_are_learned_from(
    engine: str, sign: tuple[int, ...], candidates: Candidates
) -> None:
    made = make(engine, candidates, 0, DEPTH)
    for slot in range(60):
        value = sign[slot % len(sign)] * sys.float_info.max
        made.tell(finished(slot, made.ask(slot).to_json(candidates.space), (value,)))
    if isinstance(made, Controller):
        assert all(one.isfinite().all() for one in made.network.parameters())
        assert made.baseline is not None
        assert math.isfinite(made.baseline)
        assert math.isfinite(made.spread)


def test_a_crowd_at_the_end_of_all_numbers_has_distances() -> None:
    most = sys.float_info.max
    assert crowding([(-most,), (0.0,), (most,), (most / 2,)]) == [math.inf, 0.75, math.inf, 0.5]
    assert crowding([(0.0,), (5e-324,), (1e-323,)]) == [math.inf, 1.0, math.inf]


def test_a_space_that_is_tried_out_is_tried_again() -> None:
    """No engine ends where nothing is new."""
    small = open_space(SPACES, "Neck")
    for engine in ENGINES:
        tried = searched(small, engine, DEPTH, 260)
        assert len(tried) == 260
        assert len({one.genome for one in tried}) <= 200


APART = """\
spine 1
import std.blocks
import std.resample
import std.stems

network Net {
    input image: 3 x 32 x 32
    defaults { act relu, norm batch_norm }
    widths { level 2..3: 8 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 8
    block b: residual  level 2  after s
    block c: residual  level 3  from b
    output C2: b
    output C3: c
}

space Apart of Net { level_shift b..c: -1..1 within 2..3 }
"""


def test_no_engine_stops_at_a_candidate_with_no_other_next_to_it() -> None:
    """Where `b` and `c` have changed levels, either by itself would come to the level of the other."""
    apart = open_space(Source.from_text(APART), "Apart")
    for engine in ENGINES:
        tried = searched(apart, engine, DEPTH, 40)
        blocks = apart.space.blocks
        levels = {tuple(blocks[at].levels[level] for at, level in enumerate(one.genome.levels)) for one in tried}
        assert levels == {(2, 3), (3, 2)}, engine


# ---- the controller ----


def test_every_genome_has_one_sequence_of_choices(candidates: Candidates) -> None:
    from spinedsl.search.engines.controller import allowed, choices_of, genome_of, steps_of

    for name in ("AroundSpineNet49", "WindowOfFour", "Neck"):
        space = open_space(SPACES, name)
        steps = steps_of(space.space)
        for number in range(30):
            genome = space.sample(1, number).genome
            chosen = choices_of(space.space, genome)
            assert genome_of(space.space, chosen) == genome
            for at, step in enumerate(steps):
                before = chosen[at - step.at : at]
                assert allowed(space.space, step, before)[chosen[at]]
    small = open_space(SPACES, "Neck")
    assert sequences(small, ()) == small.decisions, "no more and no fewer sequences than genomes"


def sequences(candidates: Candidates, begun: tuple[int, ...]) -> int:
    """How many sequences of choices begin so."""
    from spinedsl.search.engines.controller import allowed, steps_of

    steps = steps_of(candidates.space)
    if len(begun) == len(steps):
        return 1
    step = steps[len(begun)]
    fits = allowed(candidates.space, step, begun[len(begun) - step.at :])
    return sum(sequences(candidates, (*begun, option)) for option in range(step.count) if fits[option])


def test_the_gradient_is_that_of_reinforce(candidates: Candidates) -> None:
    """A batch makes what was better than the baseline more likely, what was worse less."""
    import torch

    from spinedsl.search.engines.controller import Controller, choices_of

    made = Controller(candidates, 0, DEPTH)
    tried = []
    for slot in range(made.batch):
        proposal = made.ask(slot)
        tried.append(finished(slot, proposal.to_json(candidates.space), (1.0 if slot < 3 else 0.0,)))
    given = torch.tensor([choices_of(candidates.space, one.genome) for one in tried])
    before = made._run(len(tried), given)[1]
    for one in reversed(tried):
        made.tell(one)
    after = made._run(len(tried), given)[1]
    assert made.learned == made.batch
    moved = (after - before).tolist()
    assert sum(moved[:3]) / 3 > 0 > sum(moved[3:]) / 7
    assert made.baseline == pytest.approx(0.3)


# ---- NSGA-II against what is plain ----


def dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))


def test_fronts_are_those_of_the_definition() -> None:
    random = Random(5)
    for _ in range(50):
        scores = [tuple(float(random.randint(0, 4)) for _ in range(random.choice((1, 2, 3, 4)))) for _ in range(14)]
        scores = [score[: len(scores[0])] + (0.0,) * (len(scores[0]) - len(score)) for score in scores]
        left, expected = set(range(len(scores))), []
        while left:
            front = {one for one in left if not any(dominates(scores[other], scores[one]) for other in left)}
            expected.append(sorted(front))
            left -= front
        assert fronts(scores) == expected


@pytest.mark.parametrize("count", [2, 3, 4])
def test_fronts_are_those_of_optuna(count: int) -> None:
    """An independent implementation: its best trials are the first front, and without these the second."""
    import optuna

    random = Random(7)
    scores = [tuple(random.choice((random.random(), 0.5)) for _ in range(count)) for _ in range(60)]
    left = [*range(len(scores))]
    for front in fronts(scores)[:2]:
        study = optuna.create_study(directions=["maximize"] * count)
        for at in left:
            study.add_trial(optuna.create_trial(values=scores[at]))
        assert sorted(left[trial.number] for trial in study.best_trials) == front
        left = [at for at in left if at not in front]


def test_a_candidate_without_values_is_behind_all_others() -> None:
    lost = (float("-inf"),) * 3
    assert fronts([lost, (0.0, 0.0, -1.0), lost, (0.0, 0.0, -2.0)]) == [[1], [3], [0, 2]]
    assert fronts([]) == []


def test_crowding_by_hand() -> None:
    assert crowding([(0.0, 4.0), (1.0, 3.0), (3.0, 1.0), (4.0, 0.0)]) == [
        float("inf"), 3 / 4 + 3 / 4, 3 / 4 + 3 / 4, float("inf"),
    ]  # fmt: skip
    assert crowding([(0.0, 0.0), (1.0, 1.0), (4.0, 4.0)]) == [float("inf"), 2.0, float("inf")]
    assert crowding([(1.0, 1.0)]) == [float("inf")]


# ---- figures ----


def test_depth_and_entropy_are_those_of_the_compiled_graph(candidates: Candidates) -> None:
    """Against the longest way through the graph that the compiler makes of the text, all stages included."""
    for name, number in product(("AroundSpineNet49", "Neck"), range(4)):
        space = open_space(SPACES, name)
        one = space.sample(3, number)
        depth, entropy = measured(space, one, space.costing.compiled(one.candidate))
        assert figure("depth", space)(one) == pytest.approx(depth)
        assert figure("entropy", space)(one) == pytest.approx(entropy)
    assert set(WANTED) == {"depth", "entropy", "parameters", "multiply_adds", "memory"}


@pytest.mark.parametrize(
    ("primitive", "given"), [("conv", {"kernel": 3, "groups": 4}), ("conv_transpose", {"kernel": 4})]
)
def test_a_fan_in_is_how_many_numbers_are_summed(primitive: str, given: dict[str, Any]) -> None:
    """As a kernel of ones says in the middle of a map of ones."""
    program = single(lambda x: op(primitive, x, channels=8, **given), Type(16, 8, 8, 3))
    graph = flatten(program)
    (node,), shapes = graph.nodes, {name: one.shape for name, one in graph.parameters.items()}
    ones = {name: np.ones(shape, np.float32) for name, shape in shapes.items()}
    summed = run(graph, ones, np.ones((1, 16, 8, 8), np.float32))["b"]
    middle = float(summed[0, 0, summed.shape[2] // 2, summed.shape[3] // 2])
    assert figures_of._fan_in(node, shapes) == pytest.approx(math.log(middle))


def test_memory_is_that_of_stats(candidates: Candidates) -> None:
    from spinedsl.ops.memory import peak_activation_bytes

    one = candidates.sample(0, 1)
    assert figure("memory", candidates)(one) == peak_activation_bytes(candidates.costing.compiled(one.candidate))
