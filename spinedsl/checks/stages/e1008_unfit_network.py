"""E1008: network that does not fit its task."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1008",
    title="network that does not fit its task",
    message="network `{network}` cannot be trained for {task}: {reason}",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
A task asks for an output of a certain form: classification for a vector with a number for each class,
embedding for a vector. A network gets one by a head, such as `head logits: classifier(classes = 10)
from P3, P4, P5`; a backbone of another file gets it by `network Mine = Backbone with { add head … }`.

Where the network has several heads, `[task] output` chooses one.
""",
)
