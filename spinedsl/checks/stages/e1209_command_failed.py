"""E1209: command that fails."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1209",
    title="command that fails",
    message="the command of {option} {what}",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
A command that measures a candidate is given the path of a `.spine` file as its last argument, or in the place of
`{}`, and prints a number. One that changes a candidate reads a `.spine` text and prints another. Both end with
exit status 0. The command is not run by a shell: write `sh -c '...'` for pipes and variables.
A search stops at a command that cannot be started, at the first one that fails before any has succeeded, and at ten
failures in a row. Others are kept in the study with their reason: such a candidate counts, and has no value.
""",
)
