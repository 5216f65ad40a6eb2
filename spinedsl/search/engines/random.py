"""Random search: every candidate as likely as the others. What was tried is not tried again while there is more."""

from __future__ import annotations

from spinedsl.search.engines.engine import Told
from spinedsl.search.records import Proposal


class Random(Told):
    """Looks at nothing but what was tried."""

    def ask(self, slot: int) -> Proposal:
        """A candidate drawn at random."""
        return self.sample(slot)
