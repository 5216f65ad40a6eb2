"""Rules that a stage asks for where it meets the mistake: their words, and why they are there."""
