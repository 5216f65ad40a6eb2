"""Parse edits that stand in a text of their own: a `with { … }` without the network that it edits.

In: a `Source`. Out: an instance with the edits, or what is wrong with their form, at its place in that source.
"""

from __future__ import annotations

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Label, Outcome
from spinedsl.record import replace
from spinedsl.source import Source, Span
from spinedsl.syntax import tree
from spinedsl.syntax.parse import parse

HEAD = "network edited = base "  # on the first line of the edits: their lines keep their numbers
EXPECTED = "`with { … }`"


def parse_edits(source: Source) -> Outcome[tree.Instance]:
    """The instance that the edits would make of some network. Its places are in a text with a head before the edits."""
    outcome = parse(Source(source.name, HEAD + source.text))
    file = outcome.value
    assert file is not None
    if outcome.diagnostics:
        return Outcome(None, tuple(_moved(diagnostic, source) for diagnostic in outcome.diagnostics))
    instance = file.networks[0]
    assert isinstance(instance, tree.Instance)
    if instance.span.end > len(HEAD):
        end = instance.span.end
        place = instance.arguments[0].span if instance.arguments else Span(instance.span.source, end - 1, end)
        found = say.UNEXPECTED.at(place, found=place.text, expected=EXPECTED)
        found = found.with_fix("give parameters their values among the edits, as in `width = 2`")
    elif instance.edits is None:
        end = len(HEAD) + len(source.text)
        found = say.ENDS_EARLY.at(Span(instance.span.source, end, end), last="", expected="")
        found = replace(found, label=f"expected {EXPECTED}")
    elif len([*file.networks, *file.definitions, *file.imports]) > 1:
        rest = instance.span.source.text[instance.extent.end :]
        start = instance.extent.end + len(rest) - len(rest.lstrip())
        after = Span(instance.span.source, start, start + len(rest.strip()))
        found = say.UNEXPECTED.at(after, found=after.text, expected="nothing after the edits")
    else:
        return Outcome(instance)
    return Outcome(None, (_moved(found, source),))


def _moved(diagnostic: Diagnostic, source: Source) -> Diagnostic:
    """The same, reported about the edits without the head before them."""

    def at(span: Span) -> Span:
        start = max(span.start - len(HEAD), 0)
        return Span(source, start, max(span.end - len(HEAD), start))

    return replace(
        diagnostic,
        span=at(diagnostic.span),
        others=tuple(Label(at(label.span), label.text) for label in diagnostic.others),
        fixes=tuple(
            replace(fix, edits=tuple(Edit(at(edit.span), edit.text) for edit in fix.edits)) for fix in diagnostic.fixes
        ),
    )
