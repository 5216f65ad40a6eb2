"""The report: what was compared, and how far each witness is from the reference."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor, inf, log10

from spinedsl.brief import counted, cut
from spinedsl.record import Record, replace


class Size(Record):
    """Sizes of an input: images, and pixels."""

    batch: int
    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.batch} x {self.height}x{self.width}"


class Overflow(Record):
    """Where a network's own numbers stop being finite: the first row, and the precision that it is computed in."""

    row: str
    precision: str


class Difference(Record):
    """One output of one witness at one size, against the reference.

    `largest` is the largest difference of two numbers, `scaled` that over the largest number of the reference, and
    `allowed` the most that `scaled` may be. Numbers that are missing or not finite differ infinitely; where the network
    itself gives none that are finite, `overflow` says so.
    """

    size: Size
    output: str
    shape: tuple[int, ...]
    witness: str
    largest: float
    scaled: float
    allowed: float
    overflow: Overflow | None = None

    def __brief__(self) -> str:
        within = f"{self.scaled:.1e} of {self.allowed:.0e} allowed"
        return f"{cut(self.output, 30)} by {self.witness} at {self.size}: {within}"

    @property
    def agrees(self) -> bool:
        """The two are the same, as far as the witness can tell."""
        return self.scaled <= self.allowed


class Failure(Record):
    """A witness that did not come to an end."""

    witness: str
    reason: str


class Missing(Record):
    """A witness that cannot be asked here, and what would install it."""

    witness: str
    reason: str
    install: str


class Report(Record):
    """A network by all witnesses. `reference` is what the others are held against; `witnesses` have their versions."""

    network: str
    reference: str
    weights: str
    seed: int
    sizes: tuple[Size, ...]
    witnesses: dict[str, str]
    differences: tuple[Difference, ...]
    failures: tuple[Failure, ...]
    missing: tuple[Missing, ...]

    def __brief__(self) -> str:
        engines, sizes = counted(len(self.witnesses), "engine"), counted(len(self.sizes), "size")
        verdict = f"{'agrees' if len(self.witnesses) == 1 else 'agree'}" if self.agrees else "do not all agree"
        return f"{cut(self.network, 40)}: {engines} {verdict} at {sizes}"

    def __str__(self) -> str:
        """How near each witness comes; or everything that differs, a line each."""
        return self.stamp if self.agrees and self.witnesses else "\n".join(self.disagreements()) or repr(self)

    @property
    def agrees(self) -> bool:
        """Every witness ran, and every output of each is the reference's."""
        return not self.failures and all(difference.agrees for difference in self.differences)

    def disagreements(self) -> Iterator[str]:
        """Every witness that failed and every output that differs, in words."""
        for failure in self.failures:
            yield f"{failure.witness} fails: {failure.reason}"
        overflows: dict[str, None] = {}
        for found in self.differences:
            if found.overflow is not None:
                row, precision = found.overflow.row, found.overflow.precision
                overflows[f"{found.output} at {found.size} is not finite in {precision}, from row `{row}` on"] = None
            elif not found.agrees:
                yield (
                    f"{found.witness} differs in {found.output} at {found.size}: scaled {found.scaled:.1e}, "
                    f"allowed {found.allowed:.0e}"
                )
        yield from overflows

    @property
    def at_fault(self) -> bool:
        """The compiler or an engine is at fault, and not a network whose own numbers are not finite."""
        return bool(self.failures) or any(not one.agrees and one.overflow is None for one in self.differences)

    @property
    def reason(self) -> str:
        """Why it does not agree, in words."""
        if self.at_fault:
            return "this is a fault of the compiler or of an engine"
        return f"with {self.weights}, the network itself gives numbers that are not finite"

    @property
    def stamp(self) -> str:
        """One sentence for what was compiled, with the largest scaled difference of each witness."""
        found = [f"{name} {version} within {self.within(name)}" for name, version in self.witnesses.items()]
        *others, last = found
        names = f"{', '.join(others)} and {last}" if others else last
        return (
            f"{names} of the reference interpreter, as a share of each output's largest number, "
            f"with {self.weights} at {', '.join(map(str, self.sizes))}"
        )

    def within(self, witness: str) -> str:
        """`2e-06`: the largest scaled difference of a witness, rounded up to one digit."""
        largest = max((one.scaled for one in self.differences if one.witness == witness), default=0.0)
        digit = 10.0 ** floor(log10(largest)) if 0 < largest < inf else 0.0
        return f"{ceil(largest / digit) * digit:.0e}" if digit else f"{largest:g}"

    def joined(self, other: Report) -> Report:
        """Both reports as one: of the same network and witnesses at other sizes."""
        return replace(
            self,
            sizes=self.sizes + other.sizes,
            differences=self.differences + other.differences,
            failures=tuple(dict.fromkeys(self.failures + other.failures)),
        )
