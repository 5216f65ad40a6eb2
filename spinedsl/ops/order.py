"""Order: the order of a graph's operations that holds the least at once.

In: a `Graph`. Out: an `Order`. Small graphs are searched through, by the fullest moment of what has run so far, and the
order is proved to be the best; of others the best one found is taken, with a bound that no order can be below. The
order as written stays where none is better.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush

from spinedsl.ops.graph import Graph
from spinedsl.ops.memory import Memory, curve, read
from spinedsl.record import Record, replace

LOOKS = 20_000  # states that are looked at for a proof
BEAM = 40_000  # steps that are looked at, shared among the operations, where there is none
WIDEST = 48  # orders at most that are followed at once
READY = 24  # operations at most that each of them tries next


class Order(Record):
    """An order of a graph's operations: positions, the bytes of its fullest moment, and what no order is below."""

    positions: tuple[int, ...]
    peak: int
    bound: int

    @property
    def proved(self) -> bool:
        """No order is better."""
        return self.peak == self.bound


def ordered(graph: Graph, order: Order) -> Graph:
    """The graph in an order."""
    return replace(graph, nodes=tuple(graph.nodes[at] for at in order.positions))


def best_order(graph: Graph) -> Order:
    """The order that holds the least at once, of results that are written over what nothing else reads."""
    memory = Memory.of(graph, in_place=True)
    written = max(curve(graph, memory), default=memory.sizes[0])
    problem = _Problem(graph, memory)
    bound, exact = problem.searched(written)
    if exact is not None:
        return Order(exact, bound, bound)
    if bound >= written:
        return Order(tuple(range(len(graph.nodes))), written, written)
    positions, peak = problem.beamed()
    if peak >= written:
        return Order(tuple(range(len(graph.nodes))), written, bound)
    return Order(positions, peak, bound)


class _State(Record, eq=False):
    """What has run, as bits; what is ready; bytes alive now, and at the fullest moment; the last one, and before it."""

    done: int
    ready: tuple[int, ...]
    alive: int
    peak: int
    last: int = -1
    before: _State | None = None

    def path(self) -> tuple[int, ...]:
        """All that has run, in its order."""
        found, state = list[int](), self
        while state.before is not None:
            found.append(state.last)
            state = state.before
        return tuple(reversed(found))


class _Problem:
    """Operations by position, with what each needs, writes and ends."""

    def __init__(self, graph: Graph, memory: Memory) -> None:
        self.count = len(graph.nodes)
        makers = {node.result: at for at, node in enumerate(graph.nodes)}
        readers: dict[int, int] = {}
        self.sizes, holder = memory.sizes, memory.holder
        self.held: list[tuple[int, ...]] = []
        for at, node in enumerate(graph.nodes):
            held = {holder[value] for value in (*read(node), node.result) if self.sizes[holder[value]]}
            self.held.append(tuple(held))
            for one in held:
                readers[one] = readers.get(one, 0) | 1 << at
        kept = {holder[value] for value in graph.outputs.values()}
        self.readers = {one: bits for one, bits in readers.items() if one not in kept}
        self.written = [self.sizes[node.result] for node in graph.nodes]
        self.first = self.sizes[0]
        self.needs = [0] * self.count
        self.followers: list[list[int]] = [[] for _ in range(self.count)]
        for at, node in enumerate(graph.nodes):
            for maker in {makers[value] for value in node.inputs if value in makers}:
                self.needs[at] |= 1 << maker
                self.followers[maker].append(at)

    def start(self) -> _State:
        """Nothing has run."""
        ready = tuple(at for at in range(self.count) if not self.needs[at])
        return self.greedy(_State(0, ready, self.first, self.first))

    def ends(self, at: int, done: int) -> int:
        """Bytes that are free once an operation has run, `done` with it."""
        ended = (one for one in self.held[at] if one in self.readers and not self.readers[one] & ~done)
        return sum(self.sizes[one] for one in ended)

    def after(self, state: _State, at: int) -> _State:
        """The state in which one more has run."""
        done = state.done | 1 << at
        full = state.alive + self.written[at]
        ready = [one for one in state.ready if one != at]
        ready += [one for one in self.followers[at] if not self.needs[one] & ~done]
        return _State(done, tuple(ready), full - self.ends(at, done), max(state.peak, full), at, state)

    def greedy(self, state: _State) -> _State:
        """With all that has run which costs nothing: no new fullest moment, and no more alive than before.

        Nothing is lost by that: in any order from here, what ends is ended sooner, and nothing is alive for longer.
        """
        looked = 0
        while looked < len(state.ready):
            at = state.ready[looked]
            written = self.written[at]
            if state.alive + written <= state.peak and written <= self.ends(at, state.done | 1 << at):
                state, looked = self.after(state, at), 0
            else:
                looked += 1
        return state

    def following(self, state: _State) -> Iterator[_State]:
        """The states after this one: of very many, those that leave the least."""
        ready: Iterable[int] = state.ready
        if len(state.ready) > READY:
            ready = sorted(state.ready, key=lambda at: self.written[at] - self.ends(at, state.done | 1 << at))[:READY]
        return (self.greedy(self.after(state, at)) for at in ready)

    def searched(self, most: int) -> tuple[int, tuple[int, ...] | None]:
        """The least fullest moment and an order that has it; where that takes too long, a bound and none."""
        start = self.start()
        heap: list[tuple[int, int, int, _State]] = [(start.peak, 0, 0, start)]
        seen, number = {start.done: start.peak}, 0
        looks = min(LOOKS, 4_000_000 // max(1, self.count))
        for _ in range(looks):
            if not heap:
                return most, None
            peak, _, _, state = heappop(heap)
            if not state.ready:
                return peak, state.path()
            for at in state.ready:
                after = self.greedy(self.after(state, at))
                if after.peak < min(seen.get(after.done, most + 1), most + 1):
                    seen[after.done] = after.peak
                    number += 1
                    heappush(heap, (after.peak, -after.done.bit_count(), number, after))
        return (heap[0][0] if heap else most), None

    def beamed(self) -> tuple[tuple[int, ...], int]:
        """The best order of those that were followed side by side."""
        width = max(1, min(WIDEST, BEAM // max(1, self.count)))
        states: Sequence[_State] = (self.start(),)
        best: _State | None = None
        while states:
            found: dict[int, _State] = {}
            for state in states:
                if not state.ready:
                    best = state if best is None or state.peak < best.peak else best
                    continue
                for after in self.following(state):
                    other = found.get(after.done)
                    if other is None or after.peak < other.peak:
                        found[after.done] = after
            # Side by side stand states of which as much has run, as near as that can be told.
            states = sorted(found.values(), key=lambda one: (one.peak, one.alive, -one.done.bit_count()))[:width]
        assert best is not None
        return best.path(), best.peak
