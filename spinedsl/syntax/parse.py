"""Parse: from a `Source` to `tree.File`, with every mistake of form reported once and the rest of the file kept.

The tokens are cut into `statements`, and each is parsed from the start symbol that its place asks for. What
cannot be read becomes `tree.Broken`, which remembers the names it mentions, so that nobody complains of them later.
"""

from __future__ import annotations

from _thread import allocate_lock
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Fix, Outcome
from spinedsl.record import replace
from spinedsl.source import Source, Span
from spinedsl.syntax import characters, tables, tree
from spinedsl.syntax.build import Builder, Mistake
from spinedsl.syntax.edits import begins_edit, misread
from spinedsl.syntax.machine import Machine, Token, Unexpected
from spinedsl.syntax.statements import (
    BRACED_ROWS,
    DEFINITION_KINDS,
    IN_BODIES,
    NETWORK_STATEMENTS,
    ROW_KINDS,
    ROWS,
    Statement,
    cut,
    last_of,
    span_of,
)

if TYPE_CHECKING:
    from spinedsl.syntax.misread import Misreadings

MAX_FILE_CHARACTERS = 4_000_000
MAX_EXPRESSION_DEPTH = 64
MAX_BODY_DEPTH = 20
MAX_REPORTED = 200  # mistakes of form; a file with more is no file of this language
HEADS = {"IF": "if_head", "REPEAT": "repeat_head", "EACH": "each_head", "ELSE": "else_head"}
CHOICE_STARTS = {
    "permute": "plain_choice",
    "parents": "parents_choice",
    "level_shift": "shift_choice",
    "types": "types_choice",
    "orphans": "plain_choice",
    "keep": "keep_choice",
}

_builder = Builder()
_lock = allocate_lock()


@cache
def _machine() -> Machine:
    return Machine(tables.load(), _builder)


def parse(source: Source, guesses: int | None = None) -> Outcome[tree.File]:
    """The file as a tree, and every mistake of form in it. There is always a tree, even of an empty file.

    `guesses` is how many tokens may be read to find strays, where it is not as many as usual.
    """
    if len(source.text) > MAX_FILE_CHARACTERS:
        empty = tree.File(source, None, (), (), (), sound=False)
        return Outcome(empty, (say.FILE_TOO_LARGE.at(source.span(0, 1), limit=MAX_FILE_CHARACTERS),))
    diagnostics, text = characters.inspect(source)
    hidden = sorted(diagnostic.span.start for diagnostic in diagnostics)
    with _lock:
        tokens = _machine().tokens(text)
        file, reported = _read(source, tokens, hidden)
        if reported and not hidden:
            from spinedsl.syntax.strays import read_again  # noqa: PLC0415  for mistakes only

            file, reported = read_again(source, tokens, _read, _machine().tokens, (file, reported), guesses)
    diagnostics += reported
    return Outcome(replace(file, sound=not diagnostics), tuple(say.first(diagnostics, MAX_REPORTED)))


def _read(source: Source, tokens: Sequence[Token], hidden: Sequence[int] = ()) -> tuple[tree.File, list[Diagnostic]]:
    """The tree of tokens, and what is wrong with their form. `hidden` is where characters stand that were refused."""
    _builder.source = source
    statements, unbalanced = cut(source, tokens)
    parser = _Parser(source)
    parser.hidden = hidden
    parser.diagnostics = unbalanced
    file = parser.file(statements)
    return file, [*parser.diagnostics, *parser.at_last()]


@cache
def keywords() -> frozenset[str]:
    """The words that are no names."""
    return _machine().keywords()


def is_name(text: str) -> bool:
    """A text that can name something."""
    return text.isascii() and text.isidentifier() and text not in keywords()


def tokens_of(source: Source) -> list[Token]:
    """The tokens of a text whose characters are all in order."""
    return _machine().tokens(source.text)


class _Parser:
    """Statements to nodes, collecting what is wrong."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self.broken: list[tree.Broken] = []
        self.hidden: Sequence[int] = ()  # where characters stand that were refused
        self._misreadings: Misreadings | None = None

    @property
    def misreadings(self) -> Misreadings:
        """What says why something could not be read; most files do not need it."""
        if self._misreadings is None:
            from spinedsl.syntax.misread import Misreadings  # noqa: PLC0415

            self._misreadings = Misreadings(self.source)
        return self._misreadings

    def at_last(self) -> Iterable[Diagnostic]:
        """What is reported about the whole file, once all of it was read."""
        return () if self._misreadings is None else self._misreadings.keywords_as_names()

    # ---- one statement ----

    def read(self, statement: Statement, start: str) -> Any | None:
        """The node of a statement's own tokens, or None with the reason reported."""
        if statement.reported:
            return None
        bad = next((token for token in statement.tokens if token.type == "BAD"), None)
        if bad is not None:
            self.say(self.misreadings.bad(bad, statement))
            return None
        try:
            node = _machine().parse(start, statement.tokens)
        except Unexpected as error:
            if statement.head in ROW_KINDS and "NAME" in error.accepts:
                statement.stopped = error.position
            if self.holds_hidden(statement):
                return None
            if statement.unclosed is not None and not (statement.head in BRACED_ROWS and error.position == 1):
                self.say(self.misreadings.unclosed(statement.unclosed, statement, error))
            else:
                self.say(self.misreadings.unexpected(statement, error))
            return None
        except Mistake as mistake:
            self.say(mistake.diagnostic)
            return None
        if len(statement.tokens) > MAX_EXPRESSION_DEPTH and tree.depth(node) > MAX_EXPRESSION_DEPTH:
            span = self.extent(statement)
            place = span.source.span(span.start, min(span.end, span.start + 40))
            limit = f"at most {MAX_EXPRESSION_DEPTH} levels"
            found = say.TOO_DEEP.at(place, what="an expression", limit=limit)
            self.say(found.with_fix("name parts of it with `let`, or `sum` a list"))
            return None
        return node

    def holds_hidden(self, statement: Statement) -> bool:
        """A character that was refused stands in the statement, and may be why it makes no sense."""
        span = self.extent(statement)
        index = bisect_left(self.hidden, span.start)
        return index < len(self.hidden) and self.hidden[index] < span.end

    def say(self, diagnostic: Diagnostic | None) -> None:
        """Say it, unless it was reported before."""
        if diagnostic is not None:
            self.diagnostics.append(diagnostic)

    def broke(self, statement: Statement) -> tree.Broken:
        """A stand-in for a statement that was not understood."""
        from spinedsl.syntax.broken import broken_of  # noqa: PLC0415  for mistakes only

        broken = broken_of(self.source, statement)
        self.broken.append(broken)
        return broken

    def stray_body(self, statement: Statement, edit: Edit | None = None) -> None:
        """Braces after a statement that has none. `edit` would make sense of them."""
        if statement.body is not None and statement.opener is not None and not statement.reported:
            span = span_of(self.source, statement.opener)
            found = say.UNEXPECTED.at(span, found="{", expected="the end of the line")
            if edit is not None:
                found = found.with_fix(f"edits stand in `{edit.text}{{ … }}`", edit)
            else:
                rest = Span(span.source, span.start, max(last_of(self.source, statement).end, span.end))
                found = found.with_fix("take the braces away", Edit(rest, ""))
            self.say(found)
            statement.reported = True

    # ---- the file ----

    def file(self, statements: list[Statement]) -> tree.File:
        """The node of the whole file, of its statements in order."""
        version: int | None = None
        imports: list[tree.Import] = []
        definitions: list[tree.Definition] = []
        networks: list[tree.Network | tree.Instance] = []
        spaces: list[tree.Space] = []
        for index, statement in enumerate(statements):
            head = statement.head
            if head in DEFINITION_KINDS:
                if (definition := self.definition(statement)) is not None:
                    definitions.append(definition)
            elif head == "NETWORK":
                network = self.network(statement)
                networks += [network] if network is not None else []
            elif head == "SPINE":
                version = self.version(statement, index)
            elif head == "IMPORT":
                self.stray_body(statement)
                if (import_ := self.read(statement, "import_head")) is not None:
                    imports.append(import_)
                else:
                    self.broke(statement)
            elif statement.is_space:
                space = self.space(statement)
                spaces += [space] if space is not None else []
            elif _is_from_import(statements[index : index + 2]):
                self.imported_from(*statements[index : index + 2])
            elif index and self.goes_on(statements[index - 1], statement):
                self.broke(statement)  # what lacks the head of its network or definition is one mistake
            else:
                self.unknown_statement(statement, "at the top of a file")
        return tree.File(
            self.source,
            version,
            tuple(imports),
            tuple(definitions),
            tuple(networks),
            tuple(self.broken),
            spaces=tuple(spaces),
        )

    def goes_on(self, before: Statement, statement: Statement) -> bool:
        """Both are part of one network or definition, indented, whose head is missing."""
        together = any(before.head in kind and statement.head in kind for kind in (ROWS, IN_BODIES))
        return together and span_of(self.source, statement.tokens[0]).column > 1

    def imported_from(self, begun: Statement, rest: Statement) -> None:
        """`from std import blocks`, which is two statements here: reported once."""
        from spinedsl.syntax.begins import from_import  # noqa: PLC0415  for mistakes only

        self.say(from_import(self.source, begun, rest))
        self.broke(begun)
        rest.reported = True

    def version(self, statement: Statement, index: int) -> int | None:
        self.stray_body(statement)
        number = self.read(statement, "version_head")
        if number is None:
            return None
        span = span_of(self.source, number)
        if number.value != "1":
            self.say(say.UNKNOWN_VERSION.at(span, got=number.value).repaired(Edit(span, "1")))
        elif index > 0:
            place, top = self.extent(statement), self.source.span(0, 0)
            fix = Fix("move `spine 1` to the first line", (Edit(top, "spine 1\n"), Edit(place, "")))
            self.say(replace(say.VERSION_FIRST.at(place), fixes=(fix,)))
        return 1

    def unknown_statement(self, statement: Statement, where: str) -> tree.Broken:
        """A statement that begins as none does here."""
        broken = self.broke(statement)
        if statement.reported or statement.tokens[0].type == "BAD":
            self.read(statement, "simple")
            return broken
        from spinedsl.syntax.begins import not_a_statement  # noqa: PLC0415  for mistakes only

        self.say(not_a_statement(self.source, statement, where))
        return broken

    # ---- definitions ----

    def definition(self, statement: Statement) -> tree.Definition | None:
        node = self.read(statement, "definition_head")
        if node is not None and statement.body is None:
            self.needs_body(statement, "`{`")
        body = self.body(statement.body or [], 0)
        if node is None or statement.body is None:
            self.broke(statement)
            return None
        kind, name, parameters, signature = node
        return tree.Definition(kind, name, parameters, signature, body, self.extent(statement))

    def body(self, statements: list[Statement], depth: int) -> tree.Body:
        if depth > MAX_BODY_DEPTH and statements:
            self.too_deep(statements[0], "a definition")
            return (self.broke(statements[0]),)
        nodes: list[tree.Statement] = []
        for statement in statements:
            node = self.statement(statement, nodes, depth)
            if node is not None:  # an `else` is part of the `if` before it
                nodes.append(node)
        return tuple(nodes)

    def statement(self, statement: Statement, before: list[tree.Statement], depth: int) -> tree.Statement | None:
        head = statement.head
        if head in ("IF", "REPEAT", "EACH", "ELSE"):
            return self.compound(statement, before, depth)
        if head in ("LET", "VAR", "RETURN", "YIELD", "NAME") and not (head == "NAME" and not _is_assignment(statement)):
            self.stray_body(statement)
            node: tree.Statement | None = self.read(statement, "simple")
            return node if node is not None else self.broke(statement)
        return self.unknown_statement(statement, "in a definition")

    def compound(self, statement: Statement, before: list[tree.Statement], depth: int) -> tree.Statement | None:
        """A statement with a body: `if`, `else`, `repeat` or `each`."""
        if statement.body is None:
            self.needs_body(statement, "`{`")
            statement.reported = True
        reported = len(self.diagnostics)
        node = self.read(statement, HEADS[statement.head])
        body = self.body(statement.body or [], depth + 1)
        span = self.extent(statement)
        if statement.head == "ELSE":
            return self.otherwise(statement, node, body, before, failed=len(self.diagnostics) > reported)
        if node is None:
            return self.broke(statement)
        if statement.head == "IF":
            return tree.If(node, body, (), span)
        if statement.head == "REPEAT":
            return tree.Repeat(node[0], node[1], body, span)
        return tree.Each(node[0], node[1], body, span)

    def otherwise(
        self,
        statement: Statement,
        condition: tree.Expr | None,
        body: tree.Body,
        before: list[tree.Statement],
        *,
        failed: bool,
    ) -> tree.Statement | None:
        """Hang an `else` on the end of the `if` chain before it; None once it hangs there."""
        if failed or statement.reported:
            return self.broke(statement)
        other: tree.Body = body
        if condition is not None:
            other = (tree.If(condition, body, (), self.extent(statement)),)
        chain: list[tree.If] = []
        previous = before[-1] if before else None
        while isinstance(previous, tree.If):
            chain.append(previous)
            previous = previous.other[0] if len(previous.other) == 1 else None
        if not chain or chain[-1].other:
            if not (before and isinstance(before[-1], tree.Broken)):
                span = span_of(self.source, statement.tokens[0])
                fix = "put it behind the `}` of its `if`, or take it away"
                self.say(say.ELSE_WITHOUT_IF.at(span).with_fix(fix))
            return self.broke(statement)
        if len(chain) > MAX_BODY_DEPTH:
            self.too_deep(statement, "a chain of `else if`")
            return self.broke(statement)
        for part in reversed(chain):
            other = (tree.If(part.condition, part.then, other, part.span),)
        before[-1] = other[0]
        return None

    # ---- networks ----

    def network(self, statement: Statement) -> tree.Network | tree.Instance | None:
        if statement.makes_instance or statement.has_edits:
            return self.instance(statement)
        node = self.read(statement, "network_head")
        if node is not None and statement.body is None:
            self.needs_body(statement, "`{` or `=`")
        items = tuple(self.row(part) for part in statement.body or [])
        if node is None or statement.body is None or (statement.closer is None and not statement.body):
            self.broke(statement)
            return None
        head = span_of(self.source, statement.tokens[0]).to(span_of(self.source, statement.tokens[-1]))
        return tree.Network(node[0], node[1], items, self.extent(statement), head)

    def instance(self, statement: Statement) -> tree.Instance | None:
        """`network A = B(…)`, perhaps `with` edits: each of them is parsed by itself, as rows are."""
        if not statement.has_edits:
            self.stray_body(statement, Edit(self.before_body(statement), "with "))
        elif statement.body is None:
            self.needs_body(statement, "`{`")
            statement.reported = True
        head: tree.Instance | None = self.read(statement, "edited_head" if statement.has_edits else "instance")
        edits = tuple(self.edit(part) for part in statement.body or []) if statement.has_edits else None
        if head is None:
            self.broke(statement)
            return None
        return replace(head, edits=edits, extent=self.extent(statement)) if edits is not None else head

    def edit(self, statement: Statement) -> tree.EditItem:
        statement.is_edit = True
        if begins_edit(statement):
            self.stray_body(statement)
            found = misread(self.source, statement)
            if found is not None and not statement.reported:
                self.say(found)
                statement.reported = True
            node: Any = self.read(statement, "edit")
            if isinstance(node, tree.Outputs | tree.Maps):
                word = span_of(self.source, statement.tokens[0])
                found = say.UNEXPECTED.at(word, found=word.text, expected="an edit of a row or setting")
                if isinstance(node, tree.Outputs):
                    found = found.with_fix(f"add each by itself, as in `add output {node.names[0].text}: n1.P3`")
                self.say(found)
                node = None
            return node if node is not None else self.broke(statement)
        return self.unknown_statement(statement, "in `with`")

    def before_body(self, statement: Statement) -> Span:
        """Where the body of a statement opens, or the statement ends."""
        last = statement.opener or statement.tokens[-1]
        start = span_of(self.source, last).start
        return Span(self.source, start, start)

    def row(self, statement: Statement) -> tree.NetworkItem:
        if statement.head in NETWORK_STATEMENTS or statement.is_task:
            self.stray_body(statement)
            node: tree.NetworkItem | None = self.read(statement, "row")
            return node if node is not None else self.broke(statement)
        return self.unknown_statement(statement, "in a network")

    # ---- search spaces ----

    def space(self, statement: Statement) -> tree.Space | None:
        node = self.read(statement, "space_head")
        if node is not None and statement.body is None:
            self.needs_body(statement, "`{`")
        items = tuple(self.choice(part) for part in statement.body or [])
        if node is None or statement.body is None:
            self.broke(statement)
            return None
        return tree.Space(node[0], node[1], items, self.extent(statement))

    def choice(self, statement: Statement) -> tree.ChoiceItem:
        """One row of a space, read from the start symbol that its word asks for."""
        start = choice_start(statement)
        if start is None:
            return self.unknown_statement(statement, "in a space")
        self.stray_body(statement)
        node: tree.ChoiceItem | None = self.read(statement, start)
        return node if node is not None else self.broke(statement)

    def extent(self, statement: Statement) -> Span:
        return statement_span(self.source, statement)

    def too_deep(self, statement: Statement, what: str) -> None:
        """Braces within braces, without end."""
        span = span_of(self.source, statement.tokens[0])
        found = say.TOO_DEEP.at(span, what=what, limit=f"at most {MAX_BODY_DEPTH} levels")
        self.say(found.with_fix("join the conditions with `and`, or give the inner part a `def` of its own"))

    def needs_body(self, statement: Statement, expected: str) -> None:
        """A statement that ends where its braces should begin."""
        if not statement.reported:
            last = span_of(self.source, statement.tokens[-1])
            self.say(say.ENDS_EARLY.at(last, last=last.text, expected=expected))


def statement_span(source: Source, statement: Statement) -> Span:
    """From a statement's first token to the end of its body."""
    return span_of(source, statement.tokens[0]).to(last_of(source, statement))


def choice_start(statement: Statement) -> str | None:
    """The start symbol that reads a row of a space; None where no row begins so."""
    absorbs = [token.type for token in statement.tokens[1:2]] == ["ABSORB"]
    word = statement.tokens[0].value
    return "orphans_choice" if word == "orphans" and absorbs else CHOICE_STARTS.get(word)


def _is_from_import(statements: Sequence[Statement]) -> bool:
    """`from std import blocks`: a statement that begins as none does, and an import in the same line."""
    heads = [statement.head for statement in statements]
    return heads == ["FROM", "IMPORT"] and statements[0].tokens[0].line == statements[1].tokens[0].line


def _is_assignment(statement: Statement) -> bool:
    return len(statement.tokens) > 1 and statement.tokens[1].type == "EQUAL"
