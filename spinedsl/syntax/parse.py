"""Parse: from a `Source` to `tree.File`, with every mistake of form reported once and the rest of the file kept.

The tokens are cut into statements (`layout`), and each is parsed from the start symbol that its place asks for. What
cannot be read becomes `tree.Broken`, which remembers the names it mentions, so that nobody complains of them later.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from lark import Lark, Token
from lark.exceptions import UnexpectedToken

from spinedsl.diagnostics import Diagnostic, Edit, Outcome, nearest, one_of
from spinedsl.diagnostics import catalogue as say
from spinedsl.source import Source, Span
from spinedsl.syntax import characters, tables, tree
from spinedsl.syntax.build import Builder, Mistake
from spinedsl.syntax.layout import DEFINITION_KINDS, NETWORK_ITEMS, Statement, lay_out, span_of

MAX_FILE_CHARACTERS = 4_000_000
MAX_EXPRESSION_DEPTH = 40
MAX_BODY_DEPTH = 20
WORDS = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a text in quotes",
    "COMPARE": "a comparison",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "COMMA": "`,`",
    "COLON": "`:`",
    "EQUAL": "`=`",
    "DOT": "`.`",
    "__ANON_0": "`->`",
    "__ANON_1": "`..`",
    "$END": "the end of the line",
}
STARTS_A_VALUE = frozenset({"NUMBER", "NAME", "LPAR", "LSQB", "TRUE", "FALSE", "MINUS", "NOT", "SHARED", "STRING"})
GOES_ON_WITH_A_VALUE = frozenset({"COMPARE", "PLUS", "MINUS", "TIMES", "OVER", "DOT", "AND", "OR", "IF"})
CLAUSE_WORDS = ("level", "from", "after", "repeat", "absorb", "channels", "resample", "join")

_builder = Builder()
_lock = threading.Lock()


@cache
def _lark() -> Lark:
    return tables.load(_builder)


def parse(source: Source) -> Outcome[tree.File]:
    """The file as a tree, and every mistake of form in it. There is always a tree, even of an empty file."""
    if len(source.text) > MAX_FILE_CHARACTERS:
        empty = tree.File(source, None, (), (), ())
        return Outcome(empty, (say.FILE_TOO_LARGE.at(source.span(0, 1), limit=MAX_FILE_CHARACTERS),))
    diagnostics, text = characters.inspect(source)
    with _lock:
        _builder.source = source
        tokens = list(_lark().lex(text))
        statements, unbalanced = lay_out(source, tokens)
        parser = _Parser(source)
        parser.diagnostics = [*diagnostics, *unbalanced]
        file = parser.file(statements)
    return Outcome(file, tuple(parser.diagnostics))


def tokens_of(source: Source) -> list[Token]:
    """The tokens of a text whose characters are all in order."""
    return list(_lark().lex(source.text))


class _Parser:
    """Statements to nodes, collecting what is wrong."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self.broken: list[tree.Broken] = []

    # ---- one statement ----

    def read(self, statement: Statement, start: str, unless: tuple[str, ...] = ()) -> Any | None:
        """The node of a statement's own tokens, or None with the reason said."""
        if statement.reported:
            return None
        bad = next((token for token in statement.tokens if token.type == "BAD"), None)
        if bad is not None:
            if not characters.is_reported(bad.value):
                self.diagnostics.append(
                    say.BAD_CHARACTER.at(span_of(self.source, bad), character=characters.show(bad.value))
                )
            return None
        interactive = _lark().parse_interactive(start=start)
        try:
            for token in statement.tokens:
                interactive.feed_token(token)
            node = interactive.feed_eof(statement.tokens[-1])
        except UnexpectedToken as error:
            self.diagnostics.append(self.unexpected(statement, error.token, interactive.accepts()))
            return None
        except Mistake as mistake:
            self.diagnostics.append(mistake.diagnostic)
            return None
        if len(statement.tokens) > MAX_EXPRESSION_DEPTH and _depth(node) > MAX_EXPRESSION_DEPTH:
            span = span_of(self.source, statement.tokens[0])
            self.diagnostics.append(
                say.TOO_DEEP.at(span, what="an expression", limit=f"at most {MAX_EXPRESSION_DEPTH} levels")
            )
            return None
        return node

    def unexpected(self, statement: Statement, token: Token, accepts: set[str]) -> Diagnostic:
        """What was expected where the tokens stopped making sense."""
        expected = _in_words(accepts)
        last = statement.tokens[-1]
        if token.type == "$END":
            end = span_of(self.source, last).end
            return say.ENDS_EARLY.at(Span(self.source, end - 1, end), last=last.value, expected=expected)
        span = span_of(self.source, token)
        if "NAME" in accepts and "NUMBER" not in accepts and token.type not in WORDS and token.value.isidentifier():
            return say.KEYWORD_AS_NAME.at(span, word=token.value).with_fix(
                f"choose another name, say `{token.value}_`", Edit(span, token.value + "_")
            )
        diagnostic = say.UNEXPECTED.at(span, found=token.value, expected=expected)
        if token.type == "NAME" and statement.head in NETWORK_ITEMS:
            return diagnostic.with_rename(span, nearest(token.value, CLAUSE_WORDS))
        return diagnostic

    def broke(self, statement: Statement) -> tree.Broken:
        """A stand-in for a statement that was not understood, with all names that stand in it and below it."""
        names: list[str] = []
        pending = [statement]
        while pending:
            part = pending.pop()
            names += [token.value for token in part.tokens if token.type == "NAME"]
            pending += part.body or []
        tokens = statement.tokens
        span = span_of(self.source, tokens[0]).to(span_of(self.source, tokens[-1]))
        broken = tree.Broken(tuple(names[:1]), frozenset(names), span)
        self.broken.append(broken)
        return broken

    def stray_body(self, statement: Statement) -> None:
        """Braces after a statement that has none."""
        if statement.body is not None and statement.opener is not None and not statement.reported:
            span = span_of(self.source, statement.opener)
            self.diagnostics.append(say.UNEXPECTED.at(span, found="{", expected="the end of the line"))
            statement.reported = True

    # ---- the file ----

    def file(self, statements: list[Statement]) -> tree.File:
        version: int | None = None
        imports: list[tree.Import] = []
        definitions: list[tree.Definition] = []
        networks: list[tree.Network | tree.Instance] = []
        for index, statement in enumerate(statements):
            head = statement.head
            if head in DEFINITION_KINDS:
                if (definition := self.definition(statement)) is not None:
                    definitions.append(definition)
            elif head == "NETWORK":
                if (network := self.network(statement)) is not None:
                    networks.append(network)
            elif head == "SPINE":
                version = self.version(statement, index)
            elif head == "IMPORT":
                self.stray_body(statement)
                if (import_ := self.read(statement, "import_head")) is not None:
                    imports.append(import_)
                else:
                    self.broke(statement)
            else:
                self.unknown_statement(statement, "at the top of a file", TOP_WORDS)
        return tree.File(self.source, version, tuple(imports), tuple(definitions), tuple(networks), tuple(self.broken))

    def version(self, statement: Statement, index: int) -> int | None:
        self.stray_body(statement)
        number = self.read(statement, "version_head")
        if number is None:
            return None
        span = span_of(self.source, number)
        if number.value != "1":
            self.diagnostics.append(say.UNKNOWN_VERSION.at(span, got=number.value).with_fix("write 1", Edit(span, "1")))
        elif index > 0:
            self.diagnostics.append(say.VERSION_FIRST.at(span_of(self.source, statement.tokens[0])))
        return 1

    def unknown_statement(self, statement: Statement, where: str, words: tuple[str, ...]) -> None:
        self.broke(statement)
        if statement.reported or statement.tokens[0].type == "BAD":
            self.read(statement, "simple")
            return
        first = statement.tokens[0]
        span = span_of(self.source, first)
        diagnostic = say.NOT_A_STATEMENT.at(span, found=first.value, where=where, expected=one_of(words))
        self.diagnostics.append(diagnostic.with_rename(span, nearest(first.value, words)))

    # ---- definitions ----

    def definition(self, statement: Statement) -> tree.Definition | None:
        node = self.read(statement, "definition_head")
        if node is not None and statement.body is None:
            last = span_of(self.source, statement.tokens[-1])
            self.diagnostics.append(say.ENDS_EARLY.at(last, last=last.text, expected="`{`"))
        body = self.body(statement.body or [], 0)
        if node is None or statement.body is None:
            self.broke(statement)
            return None
        kind, name, parameters, signature = node
        return tree.Definition(kind, name, parameters, signature, body, self.extent(statement))

    def body(self, statements: list[Statement], depth: int) -> tree.Body:
        if depth > MAX_BODY_DEPTH:
            span = span_of(self.source, statements[0].tokens[0])
            self.diagnostics.append(
                say.TOO_DEEP.at(span, what="a definition", limit=f"at most {MAX_BODY_DEPTH} levels")
            )
            return (self.broke(statements[0]),)
        nodes: list[tree.Statement] = []
        for statement in statements:
            nodes.append(self.statement(statement, nodes, depth))
        return tuple(node for node in nodes if not (isinstance(node, tree.Broken) and not node.mentions))

    def statement(self, statement: Statement, before: list[tree.Statement], depth: int) -> tree.Statement:
        head = statement.head
        if head in ("IF", "REPEAT", "EACH", "ELSE"):
            return self.compound(statement, before, depth)
        if head in ("LET", "VAR", "RETURN", "YIELD", "NAME") and not (head == "NAME" and not _is_assignment(statement)):
            self.stray_body(statement)
            node: tree.Statement | None = self.read(statement, "simple")
            return node if node is not None else self.broke(statement)
        self.unknown_statement(statement, "in a definition", BODY_WORDS)
        return self.broken.pop()

    def compound(self, statement: Statement, before: list[tree.Statement], depth: int) -> tree.Statement:
        start = {"IF": "if_head", "REPEAT": "repeat_head", "EACH": "each_head", "ELSE": "else_head"}[statement.head]
        if statement.body is None and not statement.reported:
            last = span_of(self.source, statement.tokens[-1])
            self.diagnostics.append(say.ENDS_EARLY.at(last, last=last.text, expected="`{`"))
            statement.reported = True
        reported = len(self.diagnostics)
        node = self.read(statement, start)
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
    ) -> tree.Statement:
        """Hang an `else` on the end of the `if` chain before it."""
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
                self.diagnostics.append(say.ELSE_WITHOUT_IF.at(span))
            return self.broke(statement)
        for part in reversed(chain):
            other = (tree.If(part.condition, part.then, other, part.span),)
        before[-1] = other[0]
        return tree.Broken((), frozenset(), statement_span(self.source, statement))

    # ---- networks ----

    def network(self, statement: Statement) -> tree.Network | tree.Instance | None:
        if len(statement.tokens) > 2 and statement.tokens[2].type == "EQUAL":
            self.stray_body(statement)
            instance: tree.Instance | None = self.read(statement, "instance")
            if instance is None:
                self.broke(statement)
            return instance
        node = self.read(statement, "network_head")
        if node is not None and statement.body is None:
            last = span_of(self.source, statement.tokens[-1])
            self.diagnostics.append(say.ENDS_EARLY.at(last, last=last.text, expected="`{` or `=`"))
        items = tuple(self.row(part) for part in statement.body or [])
        if node is None or statement.body is None:
            self.broke(statement)
            return None
        head = span_of(self.source, statement.tokens[0]).to(span_of(self.source, statement.tokens[-1]))
        return tree.Network(node[0], node[1], items, self.extent(statement), head)

    def row(self, statement: Statement) -> tree.NetworkItem:
        if statement.head in NETWORK_ITEMS | {"RESAMPLE", "JOIN", "LET"}:
            self.stray_body(statement)
            node: tree.NetworkItem | None = self.read(statement, "row")
            return node if node is not None else self.broke(statement)
        self.unknown_statement(statement, "in a network", NETWORK_WORDS)
        return self.broken[-1]

    def extent(self, statement: Statement) -> Span:
        return statement_span(self.source, statement)


TOP_WORDS = (
    "network", "block_type", "stem_type", "resample_type", "join_type", "output_type", "head_type", "def", "import",
    "spine",
)  # fmt: skip
NETWORK_WORDS = (
    "input", "defaults", "widths", "rules", "resample", "join", "let", "allow", "stem", "block", "output", "head",
)  # fmt: skip
BODY_WORDS = ("let", "var", "return", "yield", "if", "else", "repeat", "each")


def statement_span(source: Source, statement: Statement) -> Span:
    """From a statement's first token to the last one of its body."""
    last = statement
    while last.body:
        last = last.body[-1]
    return span_of(source, statement.tokens[0]).to(span_of(source, last.tokens[-1]))


def _is_assignment(statement: Statement) -> bool:
    return len(statement.tokens) > 1 and statement.tokens[1].type == "EQUAL"


def _depth(node: object) -> int:
    """Nesting of the expressions in a node, counted without recursion."""
    deepest, pending = 0, [(node, 1)]
    while pending:
        part, depth = pending.pop()
        deepest = max(deepest, depth)
        if isinstance(part, tuple):
            pending += [(item, depth) for item in part]
        elif hasattr(part, "__slots__") and not isinstance(part, Span):
            pending += [(getattr(part, slot), depth + 1) for slot in part.__slots__ if slot != "span"]
    return deepest


def _in_words(accepts: set[str]) -> str:
    """The terminals that could have come, as a person would say it."""
    words: list[str] = []
    if STARTS_A_VALUE <= accepts | {"STRING"} and {"NUMBER", "LPAR", "NAME"} <= accepts:
        words.append("a value")
        accepts = accepts - STARTS_A_VALUE
    elif {"PLUS", "TIMES"} <= accepts:
        accepts = accepts - GOES_ON_WITH_A_VALUE
    words += sorted(WORDS[terminal] for terminal in accepts if terminal in WORDS)
    keywords = sorted(terminal.lower() for terminal in accepts if terminal not in WORDS and terminal.isalpha())
    words += [f"`{keyword}`" for keyword in keywords if keyword not in ("plus", "minus", "times", "over", "bad")]
    if len(words) > 1:
        return ", ".join(words[:-1]) + " or " + words[-1]
    return words[0] if words else "something else"
