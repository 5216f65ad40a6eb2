"""How many examples a property draws, and which: the same ones for the same commit, or any.

pytest                                    # profile `commit`: few, and always the same, so a commit passes or does not
pytest --hypothesis-profile explore       # as few, others each time
pytest --hypothesis-profile soak          # a thousand of each, others each time
"""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

# Time is measured by benchmarks: a busy machine is no fault of the code.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("explore")
settings.register_profile("commit", derandomize=True)
settings.register_profile("soak", max_examples=1000)
settings.register_profile("first", phases=(Phase.explicit, Phase.generate))  # the first failure, not the smallest
settings.load_profile("commit")


def drawn(usual: int) -> settings:
    """Settings of a property that draws the usual number of examples, or that of the profile `soak`."""
    soak = settings.get_current_profile_name() == "soak"
    return settings(max_examples=settings().max_examples if soak else usual)
