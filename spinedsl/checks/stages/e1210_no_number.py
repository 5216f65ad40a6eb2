"""E1210: fitness that is no number."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1210",
    title="fitness that is no number",
    message="the fitness of a candidate is no number: {got}",
    label="expected a finite number",
    default=Default.ERROR,
    explanation="""\
The last line that a command of `--fitness-command` prints has to be one number, as in `0.731` or `-12`; what a Python
callable returns has to be one, or one for each objective. Neither may be nan or infinite: a search has to be able to
say which of two candidates is better. What goes to standard error is not read.
""",
)
