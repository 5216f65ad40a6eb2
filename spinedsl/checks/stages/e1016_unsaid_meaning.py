"""E1016: trained network whose output means nothing known."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1016",
    title="trained network whose output means nothing known",
    message="nothing says what network `{network}` of `{path}` is for: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A loss of one's own may train any output, whatever it means. To evaluate, predict and export, spine has
to know that: from a task row of the network, or from `kind` in [task], and the output has to fit it. An
output of two numbers is no classifier of three classes.

The module is there all the same: `spinedsl.training.build.open_trained(path)` gives it, with the
preprocessing that it was trained with.
""",
)
