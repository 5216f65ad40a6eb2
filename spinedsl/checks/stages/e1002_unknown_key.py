"""E1002: unknown setting."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1002",
    title="unknown setting",
    message="nothing reads the setting `{name}`",
    label="{where}",
    default=Default.ERROR,
    explanation="""\
A setting that nothing reads would be ignored, and what it was meant to change would stay as it is,
perhaps for hours of training. So every key is known, and stands in the table that it belongs to; the message
lists what that table has.

It happens with `learning_rate = 0.1` for `rate` in [optimizer], with `distance = 4` for `levels` in
[W0702], and with a key below the wrong head.
""",
)
