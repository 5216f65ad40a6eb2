"""Diagnostics for programs: JSON, SARIF 2.1.0 and GitHub's annotations.

In: diagnostics. Out: text. Lines and columns count from 1, columns in Unicode code points; an end stands just after the
last character.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from spinedsl.diagnostics.model import Diagnostic, Edit, Severity
from spinedsl.diagnostics.order import in_order
from spinedsl.diagnostics.plain import printable
from spinedsl.source import Span

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def to_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A JSON array, one object for each diagnostic."""
    return json.dumps([_plain(diagnostic) for diagnostic in in_order(diagnostics)], indent=2)


def _plain(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic as data for JSON."""
    return {
        "code": diagnostic.code.id,
        "title": diagnostic.code.title,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "place": {**_place(diagnostic.span), "label": diagnostic.label},
        "others": [{**_place(other.span), "label": other.text} for other in diagnostic.others],
        "notes": list(diagnostic.notes),
        "fixes": [
            {"text": fix.text, "edits": [{**_place(edit.span), "replacement": edit.text} for edit in fix.edits]}
            for fix in diagnostic.fixes
        ],
    }


def _ends(span: Span) -> tuple[int, int, int, int]:
    """First line and column, and the line and column after the last character."""
    length = len(span.source.text)
    start = span.source.position(min(span.start, length))
    end = span.source.position(min(span.end, length))
    return (*start, *end)


def _place(span: Span) -> dict[str, Any]:
    line, column, end_line, end_column = _ends(span)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def to_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request."""
    lines = []
    for diagnostic in in_order(diagnostics):
        line, column, end_line, end_column = _ends(diagnostic.span)
        texts = [f"{diagnostic.message} ({diagnostic.label})"]
        texts += [f"{other.span.source.name}:{other.span.line}: {other.text}" for other in diagnostic.others]
        texts += diagnostic.notes
        texts += [f"help: {fix.text}" for fix in diagnostic.fixes]
        properties = {
            "file": diagnostic.span.source.name,
            "line": line,
            "endLine": end_line,
            "col": column,
            "endColumn": end_column,
            "title": f"{diagnostic.code.id} {diagnostic.code.title}",
        }
        lines.append(annotation(diagnostic.severity.value, properties, texts))
    return "\n".join(lines)


def annotation(severity: str, properties: Mapping[str, object], texts: Iterable[str]) -> str:
    """One workflow command: `error`, `warning` or `notice`, where it stands, and lines of text."""
    given = ",".join(f"{name}={_escaped(str(value), property_=True)}" for name, value in properties.items())
    return f"::{severity} {given}::{_escaped(chr(10).join(texts))}"


def _escaped(text: str, *, property_: bool = False) -> str:
    """As the runner reads it back: nothing in a message can begin a command of its own."""
    text = printable(text)
    for character, escape in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(character, escape)
    return text.replace(":", "%3A").replace(",", "%2C") if property_ else text


def to_sarif(diagnostics: Iterable[Diagnostic], version: str) -> str:
    """A SARIF log, which code scanning and editors read."""
    found = in_order(diagnostics)
    rules = {diagnostic.code.id: diagnostic.code for diagnostic in sorted(found, key=lambda one: one.code.id)}
    log = {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "spine",
                        "version": version,
                        "rules": [
                            {
                                "id": rule.id,
                                "shortDescription": {"text": rule.title},
                                "defaultConfiguration": {"level": rule.severity.value},
                            }
                            for rule in rules.values()
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(diagnostic, list(rules)) for diagnostic in found],
            }
        ],
    }
    return json.dumps(log, indent=2)


def _result(diagnostic: Diagnostic, rules: list[str]) -> dict[str, Any]:
    """A diagnostic as a result of SARIF; `rules` has the codes in the order of its table."""
    texts = [f"{diagnostic.message}: {diagnostic.label}", *diagnostic.notes, *(fix.text for fix in diagnostic.fixes)]
    result: dict[str, Any] = {
        "ruleId": diagnostic.code.id,
        "ruleIndex": rules.index(diagnostic.code.id),
        "level": "error" if diagnostic.severity is Severity.ERROR else "warning",
        "message": {"text": "\n".join(texts)},
        "locations": [{"physicalLocation": _location(diagnostic.span)}],
    }
    if diagnostic.others:
        result["relatedLocations"] = [
            {"id": index, "physicalLocation": _location(other.span), "message": {"text": other.text}}
            for index, other in enumerate(diagnostic.others)
        ]
    fixes = [
        {"description": {"text": fix.text}, "artifactChanges": _changes(fix.edits)}
        for fix in diagnostic.fixes
        if fix.edits
    ]
    if fixes:
        result["fixes"] = fixes
    return result


def _artifact(span: Span) -> dict[str, str]:
    return {"uri": quote(PurePath(span.source.name).as_posix())}


def _region(span: Span) -> dict[str, int]:
    line, column, end_line, end_column = _ends(span)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _location(span: Span) -> dict[str, Any]:
    return {"artifactLocation": _artifact(span), "region": _region(span)}


def _changes(edits: Iterable[Edit]) -> list[dict[str, Any]]:
    return [
        {
            "artifactLocation": _artifact(edit.span),
            "replacements": [{"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}],
        }
        for edit in edits
    ]
