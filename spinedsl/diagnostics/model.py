"""The data type of a diagnostic, and `Outcome`: a value, perhaps missing, with all that was reported until then."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from os import PathLike
from typing import Generic, TypeVar

from spinedsl.brief import LINE, Items, brief, counted, cut, lines
from spinedsl.diagnostics.plain import one_line
from spinedsl.record import Record, replace
from spinedsl.source import Span

_NUMBER = r"-?\s*[0-9][0-9.eE+-]*"
MAX_FACT = 300
MOST_SHOWN = 20  # in a notebook
MOST_COUNTED = 100  # for a line that a prompt shows
T = TypeVar("T")
U = TypeVar("U")


class Severity(StrEnum):
    """An error stops the compiler at the end of the stage; a warning never does."""

    ERROR = "error"
    WARNING = "warning"


class Label(Record):
    """A place and what is reported right there."""

    span: Span
    text: str

    def __brief__(self) -> str:
        return f"{self.span.__brief__()} {cut(self.text)}"


class Edit(Record):
    """Replace the text of `span` by `text`."""

    span: Span
    text: str

    def __brief__(self) -> str:
        return f"{self.span.__brief__()} {brief(self.span.text[:100])} -> {brief(self.text)}"


class Fix(Record):
    """A repair in words, and as edits where the compiler is sure of them; and what else helps if the edits do not."""

    text: str
    edits: tuple[Edit, ...] = ()
    instead: Fix | None = None

    def __brief__(self) -> str:
        return cut(self.text, 80) + (f" ({counted(len(self.edits), 'edit')})" if self.edits else "")


class Diagnostic(Record):
    """One mistake: its rule, its place, what was expected and got, the other places of a conflict, and the repair."""

    code: Rule
    message: str
    span: Span
    label: str
    others: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    inside: Span | None = None  # where the mistake shows, if `span` is only what led there
    denied: bool = False  # a warning that somebody wants to count as an error

    def __brief__(self) -> str:
        place = f"{self.span.__brief__()} " * bool(self.span.source.text)  # else the message names the file
        return f"{self.code.id} {place}{cut(self.message)}"

    def __str__(self) -> str:
        """As the command line prints it, without colours."""
        return _rendered([self]).removesuffix("\n")

    def _repr_html_(self) -> str:
        return _html(str(self))

    @property
    def severity(self) -> Severity:
        """Error or warning, as the rule is; a warning that is denied counts as an error."""
        return Severity.ERROR if self.denied else self.code.severity

    def seen_from(self, span: Span, label: str) -> Diagnostic:
        """The same at `span`, which led to the place where it shows. In another file, repairs stay in words."""
        others = (Label(self.span, self.label), *self.others)
        same_file = span.source is self.span.source
        fixes = self.fixes if same_file else tuple(replace(fix, edits=()) for fix in self.fixes)
        return replace(self, span=span, label=label, others=others, fixes=fixes, inside=self.span)

    def with_others(self, *labels: Label) -> Diagnostic:
        """The same with further places shown."""
        return replace(self, others=self.others + labels)

    def with_notes(self, *notes: str) -> Diagnostic:
        """The same with further notes."""
        return replace(self, notes=self.notes + notes)

    def with_fix(self, text: str, *edits: Edit, instead: Fix | None = None) -> Diagnostic:
        """The same with one more way to repair it, and another one if those edits lead to another error."""
        return replace(self, fixes=(*self.fixes, Fix(text, edits, instead)))

    def repaired(self, *edits: Edit, **facts: object) -> Diagnostic:
        """The same with the repair of its rule, whose `fix` is filled with `facts`."""
        return self.with_fix(self.code.fix.format(**facts), *edits)

    def with_value(self, span: Span, value: str) -> Diagnostic:
        """The same with the nearest value that can be; as an edit where a number stands there."""
        edits = (Edit(span, value),) if re.fullmatch(_NUMBER, span.text) else ()
        return self.with_fix(f"the nearest that can be is `{value}`", *edits)

    def with_rename(self, span: Span, name: str | None) -> Diagnostic:
        """The same with the suggestion to write `name` at `span`; unchanged when there is none."""
        return self if name is None else self.with_fix(f"did you mean `{name}`?", Edit(span, name))


class Default(StrEnum):
    """What a rule does where nobody says otherwise; only a warning can be switched, and an error cannot."""

    ERROR = "error"
    WARNING = "warning"
    OFF = "off"  # a warning, for those who ask for it


class LintSetting(Record):
    """A number that a lint takes: its name, what it is by default, its least and most, and what it says."""

    name: str
    default: int
    least: int
    most: int
    meaning: str


class Rule(Record):
    """What the compiler asks of a file, and all that it says where a file breaks it.

    `message` and `label` are templates over the facts given to `at`. `fix`, a template too, is the repair that helps
    wherever the rule is broken: `Diagnostic.repaired` gives it. A repair that depends on the case comes from the stage
    that finds the mistake. `wrong` and `right` are whole files, for `spine explain`; a rule that no text can break has
    none.
    """

    id: str  # a letter and four digits, which keep their meaning for good
    title: str
    message: str
    label: str
    default: Default
    explanation: str  # paragraphs: why the rule is there
    wrong: str = ""
    right: str = ""
    fix: str = ""
    settings: tuple[LintSetting, ...] = ()

    def __brief__(self) -> str:
        return f"{self.id}: {self.title}"

    @property
    def severity(self) -> Severity:
        """Of what breaks it: a rule that is off by default is a warning for those who ask for it."""
        return Severity.ERROR if self.default is Default.ERROR else Severity.WARNING

    def at(self, span: Span, **facts: object) -> Diagnostic:
        """A diagnostic of this rule at `span`; `facts` fill the templates."""
        short = {name: _short(fact) for name, fact in facts.items()}
        return Diagnostic(self, self.message.format(**short), span, self.label.format(**short))


def _short(fact: object) -> object:
    """A fact as a message can hold it: a name in a file may be as long as the file."""
    if not isinstance(fact, str | PathLike):
        return fact
    text = str(fact)
    return one_line(text if len(text) <= MAX_FACT else f"{text[: MAX_FACT - 1]}…")


class Diagnostics(Items[Diagnostic]):
    """A tuple of diagnostics. As text, and in a notebook, they are what the command line prints."""

    __slots__ = ()

    def __repr__(self) -> str:
        return lines((diagnostic.__brief__() for diagnostic in self), len(self), "(", ")")

    def __str__(self) -> str:
        return _rendered(self).removesuffix("\n") or "no mistakes"

    def _repr_html_(self) -> str:
        shown = str(Diagnostics(self[:MOST_SHOWN]))
        return _html(shown if len(self) <= MOST_SHOWN else f"{shown}\n\n… {len(self) - MOST_SHOWN} more")

    def __reduce__(self) -> tuple[type, tuple[tuple[Diagnostic, ...]]]:
        return Diagnostics, (tuple(self),)


def _rendered(diagnostics: Iterable[Diagnostic]) -> str:
    from spinedsl.diagnostics.render import render  # noqa: PLC0415  a clean file has nothing to render

    return render(diagnostics)


def _html(text: str) -> str:
    """What a notebook shows of a text that is laid out in lines."""
    from html import escape  # noqa: PLC0415  only a notebook needs it

    return f"<pre>{escape(text)}</pre>"


class Outcome(Record, Generic[T]):
    """A value, missing where nothing sensible could be made, and the diagnostics so far."""

    value: T | None
    diagnostics: tuple[Diagnostic, ...] = Diagnostics()

    def __post_init__(self) -> None:
        if type(self.diagnostics) is not Diagnostics:
            object.__setattr__(self, "diagnostics", Diagnostics(self.diagnostics))

    def __brief__(self) -> str:
        looked_at = self.diagnostics[:MOST_COUNTED]
        errors = sum([diagnostic.severity is Severity.ERROR for diagnostic in looked_at])
        found = [(errors, "error"), (len(looked_at) - errors, "warning")]
        more = "at least " * (len(self.diagnostics) > MOST_COUNTED)
        summary = more + ", ".join(counted(count, noun) for count, noun in found if count)
        held = brief(self.value, LINE).strip("<>").removeprefix("of ") if self.value is not None else "no value"
        return f": {summary or 'no mistakes'}; {held}"

    def __str__(self) -> str:
        """The diagnostics as the command line prints them."""
        return str(self.diagnostics)

    def _repr_html_(self) -> str:
        return _html(repr(self)) + (Diagnostics(self.diagnostics)._repr_html_() if self.diagnostics else "")

    @property
    def ok(self) -> bool:
        """There is a value and no error (warnings may be there)."""
        return self.value is not None and all(d.severity is not Severity.ERROR for d in self.diagnostics)

    def then(self, stage: Callable[[T], Outcome[U]]) -> Outcome[U]:
        """Go on to the next stage, if there is a value, and add up what was reported."""
        if self.value is None:
            return Outcome(None, self.diagnostics)
        following = stage(self.value)
        return Outcome(following.value, self.diagnostics + following.diagnostics)
