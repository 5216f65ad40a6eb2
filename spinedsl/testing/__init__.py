"""Property tests of networks: Hypothesis strategies for valid networks, edits, mistakes and texts, and the laws.

    from hypothesis import given, settings
    from spinedsl.testing import Space, networks

    MINE = Space.of("mynet.spine", levels=(2, 3, 4))

    @settings(deadline=None)  # else a busy machine is a failure
    @given(networks(MINE))
    def test_my_rule(text): ...

A network is a text that is valid by construction; what fails shrinks to a handful of blocks. `spinedsl.testing.laws`
has what the compiler promises of every text and every network, and `spine fuzz` tries that on a file.
"""

from spinedsl.extras import require

require("hypothesis")

from spinedsl.testing.definitions import block_types
from spinedsl.testing.edits import edits
from spinedsl.testing.mistakes import Mistake, mistakes
from spinedsl.testing.networks import networks
from spinedsl.testing.space import STANDARD, Space
from spinedsl.testing.texts import texts

__all__ = ["STANDARD", "Mistake", "Space", "block_types", "edits", "mistakes", "networks", "texts"]
