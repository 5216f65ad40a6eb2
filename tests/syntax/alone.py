"""Answers the heaps whose names come in, each in a process of its own that holds no more than the compiler needs."""

from __future__ import annotations

import json
import os
import resource
import sys
from functools import partial

from spinedsl import driver
from spinedsl.diagnostics.render import render
from spinedsl.source import Source
from spinedsl.testing.steps import stepped
from tests.syntax.heaps import HEAD, HEAPS


def answer(source: Source) -> int:
    """How much is said of a text."""
    outcome = driver.analyse(source)
    render(outcome.diagnostics)
    return len(outcome.diagnostics)


def main() -> None:
    """Say of each name what its answer took: steps, megabytes at most, and how much was said."""
    resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
    driver.analyse(Source.from_text(HEAD))  # the prelude is read
    for name in sys.stdin:
        ours, theirs = os.pipe()
        child = os.fork()
        if not child:
            os.close(ours)
            source = Source.from_text(HEAPS[json.loads(name)], "any.spine")
            said, steps = stepped(partial(answer, source))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
            os.write(theirs, json.dumps({"steps": steps, "megabytes": peak, "said": said}).encode())
            os._exit(0)
        os.close(theirs)
        with os.fdopen(ours) as file:
            sys.stdout.write(f"{file.read() or {}}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
