"""Edits of settings: `widths`, `defaults` and `rules` entry by entry, the others as a whole, and values of parameters.

In: a `Draft` and one edit after another. Out: the draft's items after them, each entry at its own place; settings made
twice and edits that change nothing are reported.
"""

from __future__ import annotations

from typing import TypeAlias, cast

from spinedsl import checks as say
from spinedsl.diagnostics import Edit, Label, nearest, one_of
from spinedsl.ir.edits.draft import Draft, is_none
from spinedsl.ops.primitives import ALIASES
from spinedsl.record import Record, field
from spinedsl.source import Span
from spinedsl.syntax import tree

Entry: TypeAlias = tree.WidthItem | tree.DefaultItem | tree.RuleItem
KINDS = (tree.Input, tree.Defaults, tree.Widths, tree.Rules, tree.Setting, tree.Binding)


class SettingsEditor(Record, frozen=False):
    """Edits the settings of a draft, each once."""

    draft: Draft
    done: dict[str, Span] = field(default_factory=dict)  # by their words: set here

    def edit(self, edit: tree.SettingItem) -> None:
        """Replace a setting, or those of its entries that are given."""
        word = word_of(edit)
        assert word is not None
        at = next((at for at, item in enumerate(self.draft.items) if word_of(item) == word), None)
        before = cast("tree.SettingItem | None", None if at is None else self.draft.items[at])
        if word in self.done:
            found = say.SETTING_TWICE.at(edit.span, what=word, where="network", name=self.draft.instance.name.text)
            found = found.with_others(Label(self.done[word], "first set here"))
            self.draft.diagnostics.append(found.repaired())
            return
        self.done[word] = edit.span
        if isinstance(edit, tree.Binding) and self.parameter(edit.name.text) is not None:
            self.not_a_let(edit)
            return
        if isinstance(edit, tree.Setting) and is_none(edit):
            self.unset(edit, at)
            return
        if isinstance(edit, tree.Defaults | tree.Widths | tree.Rules) and not edit.items:
            self.draft.nothing(edit.span, f"`{word}` has no entries", "nothing is set here")
        self.note_repeated(before, edit)
        if at is None or before is None:
            self.draft.items.append(edit)
        else:
            self.draft.items[at] = merge(before, edit)
            self.draft.trace.written.setdefault(word, before.span)

    def note_repeated(self, before: tree.SettingItem | None, edit: tree.SettingItem) -> None:
        """Say what of the edit changes nothing."""
        pairs: list[tuple[tree.SettingItem | Entry, tree.SettingItem | Entry]] = (
            [(before, edit)] if before is not None else []
        )
        if isinstance(edit, tree.Defaults | tree.Widths | tree.Rules):
            pairs = [(old, new) for new in edit.items for old in entries(before) if key_of(old) == key_of(new)]
        for old, new in pairs:
            same = self.draft.same
            if isinstance(old, tree.DefaultItem | tree.Setting) and isinstance(new, tree.DefaultItem | tree.Setting):
                repeated = same(old.use, new.use)
            else:
                repeated = same(old, new)
            if repeated:
                text = " ".join(new.span.text.split())
                self.draft.nothing(new.span, f"`{text}` is set already", "the same", old.span)

    def unset(self, edit: tree.Setting, at: int | None) -> None:
        """`resample none`: the network has the setting no more."""
        if at is not None:
            del self.draft.items[at]
            return
        found = say.NO_SUCH_CLAUSE.at(edit.span, row=f"network `{self.draft.base.name.text}`", name=edit.keyword)
        found = found.with_others(
            Label(self.draft.base.name.span, f"`{self.draft.base.name.text}` has no `{edit.keyword}`")
        )
        self.draft.diagnostics.append(found.repaired(Edit(edit.span, "")))

    def give(self, edit: tree.Argument) -> None:
        """`width = 2`: an argument, which is given with those in parentheses; here only that it changes something."""
        assert edit.name is not None
        name = edit.name.text
        parameter = self.parameter(name)
        given = [other for other in self.draft.instance.given if other.name is not None and other.name.text == name]
        if parameter is None or len(given) > 1:  # a second one is a mistake of its own
            return
        before = self.draft.network.arguments.get(name, parameter.default)
        if before is not None and tree.alike(before, edit.value):
            self.draft.nothing(edit.span, f"`{name}` is {edit.value.span.text} already", "the same", before.span)

    def unread_lets(self) -> None:
        """A `let` that the network does not have is one more: only another edit can read it."""
        own = {item.name.text for item in self.draft.base.items if isinstance(item, tree.Binding)}
        edits = self.draft.instance.edits or ()
        added = [
            edit.name
            for edit in edits
            if isinstance(edit, tree.Binding) and edit.name.text not in own and self.parameter(edit.name.text) is None
        ]
        read = _names_in(edits) | self.draft.network.mentioned if added else set()  # or may be there, unread
        for name in added:
            if name.text in read:
                continue
            where = f"in network `{self.draft.instance.base.text}`, and no edit reads a new one"
            found = say.UNKNOWN_NAME.at(name.span, kind="`let`", name=name.text, where=where)
            near = nearest(name.text, own)
            if near is None:
                known = f"its `let`s are {one_of(own, conjunction='and')}" if own else "it has none"
                found = found.with_notes(known).with_fix("read it in another edit, or take it away")
            self.draft.diagnostics.append(found.with_rename(name.span, near))

    def parameter(self, name: str) -> tree.Parameter | None:
        """The network's parameter of that name."""
        return next((found for found in self.draft.base.parameters if found.name.text == name), None)

    def not_a_let(self, edit: tree.Binding) -> None:
        """A parameter edited as a `let`; the other way round is reported where arguments are taken."""
        parameter = self.parameter(edit.name.text)
        assert parameter is not None
        found = say.WRONG_KIND.at(edit.name.span, name=edit.name.text, got="a parameter", expected="a `let`")
        found = found.with_others(Label(parameter.name.span, "a parameter here"))
        keyword = Span(edit.span.source, edit.span.start, edit.name.span.start)
        self.draft.diagnostics.append(found.with_fix(f"write `{edit.name.text} = …`", Edit(keyword, "")))


def _names_in(edits: tuple[tree.EditItem, ...]) -> set[str]:
    """The names that edits read, or may read where they could not be read themselves."""
    names: set[str] = set()
    for node in tree.walk(*edits):
        if isinstance(node, tree.Ident):
            names.add(node.name)
        elif isinstance(node, tree.DefaultItem):
            names.add(node.use.name.text)  # `act name`
        elif isinstance(node, tree.Broken):
            names.update(node.mentions)
    return names


def word_of(item: object) -> str | None:
    """What a setting is called, `widths` or `let n`: a network has it once. None for what is no setting."""
    if isinstance(item, tree.Setting):
        return item.keyword
    if isinstance(item, tree.Binding):
        return f"let {item.name.text}"
    return type(item).__name__.lower() if isinstance(item, KINDS) else None


def merge(before: tree.SettingItem, edit: tree.SettingItem) -> tree.SettingItem:
    """The setting after the edit: its entries replace those of their keys."""
    if isinstance(edit, tree.Widths) and isinstance(before, tree.Widths):
        return tree.Widths(edit.items, edit.span, before)
    keys = {key_of(entry) for entry in entries(edit)}
    if isinstance(edit, tree.Defaults) and isinstance(before, tree.Defaults):
        kept = (item for item in before.items if key_of(item) not in keys)
        return tree.Defaults((*kept, *edit.items), edit.span)
    if isinstance(edit, tree.Rules) and isinstance(before, tree.Rules):
        others = (item for item in before.items if key_of(item) not in keys)
        return tree.Rules((*others, *edit.items), edit.span)
    return edit


def entries(setting: tree.SettingItem | None) -> tuple[Entry, ...]:
    """The entries of a setting that has some; of `widths` over others, those of the last edit."""
    return setting.items if isinstance(setting, tree.Defaults | tree.Widths | tree.Rules) else ()


def key_of(entry: Entry) -> str:
    """What an entry is of: a role, an operation by its own name, a rule, or the levels as they are written."""
    if isinstance(entry, tree.WidthItem):
        high = entry.high if entry.high is not None else entry.low
        return f"{entry.low.span.text}..{high.span.text}"
    if isinstance(entry, tree.RuleItem):
        return entry.name.text
    name = entry.use.name.text
    return entry.role.text if entry.role is not None else ALIASES.get(name, name)
