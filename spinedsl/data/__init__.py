"""Pictures and labels: read, checked, changed at random, and put together as batches.

In: files as people have them. Out: a `Dataset` of `uint8` pixels and labels, every mistake in it, and the
batches of each step of a run, which follow from the step alone.
"""
