"""E1213: command that makes no candidate."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1213",
    title="command that makes no candidate",
    message="what the command of --mutate-with made of candidate {slot} is no candidate of space `{space}`",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
The command of `--mutate-with` is given a candidate on standard input and prints another: a whole `.spine` file with one
network, which is checked as every file is, and has to lie within the space. It is asked three times for each candidate;
then spine changes one decision itself. If it has never given a candidate, the search stops.
""",
)
