"""E1014: worker process that ended."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1014",
    title="worker process that ended",
    message="the worker process {pid} {reason} while it made {task}",
    label="",
    default=Default.ERROR,
    explanation="""\
Worker processes read images ahead of the steps that need them. One of them ended, so its images will
not come, and the run stops. The last checkpoint stays as it was, and `--resume` goes on from it: what
comes then is what would have come.

Mostly memory ran out, and the system ended the process that had most of it. Fewer workers, a smaller
batch or smaller images need less. With `workers = 0` in [run] there are no such processes, and
whatever goes wrong with an image shows where it happens.
""",
)
