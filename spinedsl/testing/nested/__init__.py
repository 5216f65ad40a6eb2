"""Random definitions of every kind whose bodies are trees: loops in loops, choices in them, helpers called from them.

`spinedsl.testing.definitions` has block types that are flat lists of steps, which every engine takes. These go further:
sibling and nested loops that bind the same names, numbers derived from indices and from each other, numbers and
lists that change in loops, values that leave a loop, loops that do not run, calls of helpers with numbers computed
on the spot, `shared` in all of that, returns in choices; and resample, join, output, stem and head types made likewise.

PyTorch's code for such definitions is not right yet, so they are no part of `block_types` and `networks`.
"""

from spinedsl.testing.nested.files import NAME, PARTS, files, to_text

__all__ = ["NAME", "PARTS", "files", "to_text"]
