"""How many examples a law draws: the usual number on every commit, more in the profile `soak`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def drawn(usual: int) -> settings:
    """Settings of a law on random networks: it draws the usual number, or that of the profile `soak`."""
    soak = settings.get_current_profile_name() == "soak"
    count = settings().max_examples if soak else usual
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])
