"""The bench: how long a network takes in each engine, side by side, and what of the machine that uses.

In: a `Job`: a program, weights, an image, a number of threads. Out: a `Bench`: times of every engine, which ran in
turns in one process, and what the machine is and can do. Nothing here prints.
"""
