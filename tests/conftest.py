"""Profiles of Hypothesis: `pytest --hypothesis-profile soak -k random_networks` draws many more networks."""

from hypothesis import settings

settings.register_profile("soak", max_examples=1000)
