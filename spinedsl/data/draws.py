"""What is drawn at random, as a function of (seed, epoch, index, purpose): nothing is kept from one draw to the next.

In: those numbers. Out: `Draws`, a stream of numbers of its own for each combination of them. A run that stops and goes
on draws the same as one that never stopped, and so does any number of workers.

The words are those of Philox with these as its key and counter; how a word becomes a number is written here, since
NumPy keeps the words of a bit generator from version to version, and not what its `Generator` makes of them.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_WORDS = 2**64
_AT_ONCE = 16  # words that are drawn together


class Purpose(IntEnum):
    """What is drawn for: two purposes never share a number."""

    ORDER = 1
    AUGMENT = 2
    MIX = 3
    BOOTSTRAP = 4
    SPLIT = 5
    CLASS = 6


class Draws:
    """A stream of random numbers that follows from (seed, epoch, index, purpose), and has `branch`es beside it."""

    def __init__(
        self, seed: int, epoch: int = 0, index: int = 0, purpose: Purpose = Purpose.AUGMENT, branch: int = 0
    ) -> None:
        # The lowest word of the counter counts the blocks of one stream: no two streams ever meet.
        counter = np.array([0, index % _WORDS, epoch % _WORDS, int(purpose)], dtype=np.uint64)
        self._bits = np.random.Philox(counter=counter, key=np.array([seed % _WORDS, branch], dtype=np.uint64))
        self._left: list[int] = []

    def words(self, count: int) -> NDArray[np.uint64]:
        """So many random words of 64 bits, after those that were drawn before."""
        left = np.array(self._left[:count], dtype=np.uint64)
        self._left = self._left[count:]
        fresh = self._bits.random_raw(count - len(left)) if count > len(left) else left[:0]
        return np.concatenate([left, fresh])

    def _word(self) -> int:
        if not self._left:
            self._left = [int(word) for word in self._bits.random_raw(_AT_ONCE)]
        return self._left.pop(0)

    def share(self) -> float:
        """A number from 0 up to, not including, 1."""
        return (self._word() >> 11) * 2.0**-53

    def between(self, low: float, high: float) -> float:
        """A number from `low` up to `high`."""
        return low + (high - low) * self.share()

    def below(self, limit: int) -> int:
        """A whole number from 0 up to, not including, `limit`, which is at least 1."""
        return (self._word() * limit) >> 64

    def chance(self, probability: float) -> bool:
        """True as often as `probability` says: never of 0, always of 1."""
        return self.share() < probability

    def permutation(self, count: int) -> NDArray[np.int64]:
        """The numbers from 0 to `count` - 1 in random order."""
        order: NDArray[np.int64] = np.argsort(self.words(count), kind="stable").astype(np.int64)
        return order
