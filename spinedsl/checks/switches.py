"""Which lints are on, which of them count as errors, and their settings.

In: layers of what somebody asked for, the command line above a configuration. Out: a level for each lint. Only lints,
the warnings about files, are switched: never an error, nor what a network means. An `allow` row in a file stands
whatever is switched, since it gives its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from spinedsl.diagnostics import Default, Diagnostic, Rule
from spinedsl.record import Record, field, replace

LINTS = "W07"  # the group of warnings that can be switched
LEVELS = {"warn": Default.WARNING, "allow": Default.OFF, "deny": Default.ERROR}  # what is asked for, in words


class Layer(Record):
    """What one place asks for: levels by code, or by the beginning of several; settings by code. `where` names it."""

    where: str
    levels: Mapping[str, Default] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class Switches(Record):
    """Layers of what is asked for, the weakest first; without any, every rule does as it does by default."""

    layers: tuple[Layer, ...] = ()

    def level(self, rule: Rule) -> Default:
        """What a lint does: of each layer the longest beginning counts, and a stronger layer before a weaker.

        What is off by default is switched on by its own code alone: nobody who denies all warnings asks for more.
        """
        return self._decided(rule)[0]

    def settings(self, rule: Rule) -> dict[str, int]:
        """The settings of a rule, each from the strongest layer that has it."""
        found = {setting.name: setting.default for setting in rule.settings}
        for layer in self.layers:
            found |= layer.settings.get(rule.id, {})
        return found

    def applied(self, diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
        """The diagnostics without lints that are off; denied ones count as errors, and say by whom they are denied."""
        return tuple(diagnostics) if not self.layers else tuple(self._applied(diagnostics))

    def _applied(self, diagnostics: Iterable[Diagnostic]) -> Iterable[Diagnostic]:
        for found in diagnostics:
            level, where = self._decided(found.code)
            if level is Default.ERROR and found.code.default is not Default.ERROR:
                yield replace(found, denied=True).with_notes(f"a warning, which is denied {where}")
            elif level is not Default.OFF:
                yield found

    def _decided(self, rule: Rule) -> tuple[Default, str]:
        """The level of a rule, and where it was asked for."""
        level, where = rule.default, ""
        if not rule.id.startswith(LINTS):
            return level, where
        for layer in self.layers:
            matching = [begins for begins in layer.levels if rule.id.startswith(begins)]
            longest = max(matching, key=len, default=None)
            on = rule.default is not Default.OFF or level is not Default.OFF
            if longest is not None and (on or longest == rule.id):
                level, where = layer.levels[longest], layer.where
        return level, where


def showing(rule: Rule) -> Switches:
    """Switches that show a rule in its examples, also one that is off by default."""
    return Switches((Layer("for its example", {rule.id: Default.WARNING}),) if rule.default is Default.OFF else ())
