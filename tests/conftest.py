"""Profiles of Hypothesis: `pytest tests/laws --hypothesis-profile soak` draws many more examples of each law."""

from hypothesis import settings

settings.register_profile("soak", max_examples=1000)
