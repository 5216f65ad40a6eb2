"""The settings of a network's parts: what a part says of itself, and of the network around it where it says nothing.

In: the settings of the network, and its frames. Out: the settings for a row, with what `defaults` mean there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from spinedsl import checks as say
from spinedsl.diagnostics import Label
from spinedsl.ir.elaborate.ranges import has_levels
from spinedsl.ir.elaborate.settings import Settings
from spinedsl.ir.elaborate.using import level_of
from spinedsl.ir.parts.interface import Taken, taken_by
from spinedsl.ops.primitives import ALIASES
from spinedsl.record import replace
from spinedsl.syntax import tree

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedRow


class Framing:
    """The settings of each part, made when its first row comes."""

    def __init__(self, settings: Settings, least: int, most: int) -> None:
        self.outer = settings
        self.frames = settings.network.declared.frames
        self.of_parts: dict[str, Settings] = {"": settings}
        self.inputs: dict[str, tuple[int, int]] = {"": (least, most)}
        self.sound: dict[str, bool] = {"": True}
        self.waiting: dict[str, list[Taken]] = {}  # maps of a part that were not there when its first row came
        context = settings.context
        self.meant = {"": (context.roles, context.attributes, context.defined)}
        self.at = ""

    def enter(self, row: str, rows: Mapping[str, TypedRow]) -> Settings | None:
        """The settings for a row, whose defaults count from now on; None where its part was given what does not fit."""
        prefix = self.prefix(row)
        if prefix not in self.of_parts:
            self.make(prefix)
        if prefix:
            self.sound[prefix] = self.fits(prefix, rows)
        if prefix != self.at:
            self.outer.context.set_defaults(*self.meant[prefix])
            self.at = prefix
        return self.of_parts[prefix] if self.sound[prefix] else None

    def prefix(self, row: str) -> str:
        """The part that a row is of."""
        prefix = row.rpartition(".")[0]
        return prefix if prefix in self.frames else ""

    def around(self, prefix: str) -> str:
        """The part that a part stands in."""
        outer = prefix.rpartition(".")[0]
        while outer and outer not in self.frames:
            outer = outer.rpartition(".")[0]
        return outer

    def make(self, prefix: str) -> None:
        """The settings of one part, those of what is around it being made before."""
        outer = self.around(prefix)
        if outer not in self.of_parts:
            self.make(outer)
        items = self.frames[prefix].items
        around = self.of_parts[outer]
        own = next((item for item in items if isinstance(item, tree.Defaults)), None)
        widths = next((item for item in items if isinstance(item, tree.Widths)), None)
        rules = next((item for item in items if isinstance(item, tree.Rules)), None)
        network = replace(
            around.network,
            defaults=_over(own, around.network.defaults),
            widths=widths,
            rules=rules or around.network.rules,
        )
        settings = Settings(network, self.outer.context)
        settings.values.env = self.outer.values.env
        settings.read_widths(around)
        settings.widths = {**around.widths, **settings.widths}
        settings.widths_known = settings.widths_known and around.widths_known
        context = self.outer.context
        self.meant[prefix] = self.meant[outer]
        if own is not None:
            settings.defaults()
            self.meant[prefix] = context.roles, context.attributes, context.defined
            self.at = prefix
        own_inputs = rules is not None and any(item.name.text == "inputs" for item in rules.items)
        self.inputs[prefix] = settings.input_rule() if own_inputs else self.inputs[outer]
        self.of_parts[prefix] = settings
        self.sound.setdefault(prefix, True)

    def fits(self, prefix: str, rows: Mapping[str, TypedRow]) -> bool:
        """What a part is given so far has the levels and channels that its network asks for: each is looked at once."""
        frame, settings, sound = self.frames[prefix], self.of_parts[prefix], self.sound[prefix]
        if prefix not in self.waiting:
            maps = [item for item in frame.items if isinstance(item, tree.Maps) and has_levels(settings, item)]
            self.waiting[prefix] = [one for item in maps for one in taken_by(item)]
            sound = sound and len(maps) == sum(isinstance(item, tree.Maps) for item in frame.items)
        waiting = self.waiting[prefix]
        for taken in [one for one in waiting if frame.inputs[one.name.text].text in rows]:
            waiting.remove(taken)
            name = frame.inputs[taken.name.text]
            type_ = rows[name.text].type
            level, channels = settings.level(taken.level), None
            if taken.channels is not None:
                channels = settings.width(taken.channels, f"`channels` of `{taken.name.text}`")
            if level is None or (channels is None and taken.channels is not None):
                sound = False
            elif type_ is not None and (type_.level != level or channels not in (None, type_.channels)):
                wanted = f"level {level}" + (f" and {channels} channels" if channels is not None else "")
                found = say.PART_MISFIT.at(
                    name.span, part=prefix, input=taken.name.text, source=name.text, expected=wanted,
                    got=f"{level_of(type_)} and {type_.channels} channels",
                )  # fmt: skip
                place = Label(taken.name.span, f"`{taken.name.text}` is taken here")
                self.outer.report(found.with_others(place).repaired())
                sound = False
        return sound


def _over(own: tree.Defaults | None, outer: tree.Defaults | None) -> tree.Defaults | None:
    """What a part says over what the network around it says."""
    if own is None or outer is None:
        return own or outer
    given = {_key(item) for item in own.items}
    return replace(own, items=(*(item for item in outer.items if _key(item) not in given), *own.items))


def _key(item: tree.DefaultItem) -> str:
    return item.role.text if item.role is not None else ALIASES.get(item.use.name.text, item.use.name.text)
