"""The parts that write Python: layout as the formatter has it, expressions, names and prose that cannot escape."""

from __future__ import annotations

import ast
import subprocess
import sys
from fractions import Fraction
from itertools import product

import pytest

from spinedsl.backends.torch.expressions import evaluate, literal, opposite, power, simplify, write
from spinedsl.backends.torch.layout import Doc, Joined, call, lines, named
from spinedsl.backends.torch.names import attribute, class_name, file_name, prose, python_name
from spinedsl.ops.types import Expr, Literal, Name, Operation, Property

A, B, C = Name("a"), Name("b"), Name("c")


def operation(operator: str, *operands: Expr) -> Operation:
    return Operation(operator, operands)


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (operation("-", A, operation("-", B, C)), "a - (b - c)"),
        (operation("*", operation("+", A, Literal(1)), B), "(a + 1) * b"),
        (operation("-", operation("*", A, B)), "-(a * b)"),
        (operation("or", operation("and", A, B), operation("not", C)), "a and b or not c"),
        (operation("and", operation("or", A, B), C), "(a or b) and c"),
        (operation("==", operation("<", A, B), C), "(a < b) == c"),
        (operation("if", A, B, C), "b if a else c"),
        (operation("*", operation("if", A, B, C), Literal(2)), "(b if a else c) * 2"),
        (operation("max", A, operation("-", B)), "max(a, -b)"),
        (operation("//", Property("x", "channels"), Literal(2)), "x_channels // 2"),
    ],
)
def test_expressions_in_python(expr: Expr, text: str) -> None:
    assert write(expr, lambda leaf: leaf.name if isinstance(leaf, Name) else f"{leaf.base}_{leaf.name}") == text
    values = {"a": 7, "b": 3, "c": 2, "x_channels": 9}
    found = evaluate(expr, lambda leaf: values[leaf.name if isinstance(leaf, Name) else f"{leaf.base}_{leaf.name}"])
    assert found == eval(text, {}, values)


@pytest.mark.parametrize(
    ("expr", "simple"),
    [
        (operation("or", Literal(False), A), A),
        (operation("and", A, Literal(False)), Literal(False)),
        (operation("*", A, Literal(1)), A),
        (operation("+", Literal(2), Literal(3)), Literal(5)),
        (operation("!=", Literal(1), Literal(1)), Literal(False)),
        (operation("+", A, B, Literal(0)), operation("+", A, B)),
        (operation("floor", A), None),
        (operation("*", A, Literal(Fraction(1, 2))), None),
        (operation("==", A, Literal("relu")), None),
    ],
)
def test_simpler_expressions(expr: Expr, simple: Expr | None) -> None:
    assert simplify(expr, lambda leaf: leaf) == simple


def test_a_fraction_that_is_whole_is_written_as_one() -> None:
    found = simplify(operation("*", Literal(Fraction(3, 2)), Literal(2)), lambda leaf: leaf)
    assert found is not None
    assert write(found, str) == "3"


def test_opposites() -> None:
    both = operation("or", operation("!=", A, Literal(1)), operation("<", B, C))
    assert opposite(both) == operation("and", operation("==", A, Literal(1)), operation(">=", B, C))
    assert opposite(opposite(A)) == A


def test_numbers_as_the_file_wrote_them() -> None:
    written = [
        literal(value) for value in (Fraction(1, 1000), Fraction(1, 100), 3, True, (1, 2), (1,), Fraction(-7, 2))
    ]
    assert written == ["0.001", "0.01", "3", "True", "(1, 2)", "(1,)", "-3.5"]


def test_what_does_not_fit_is_opened_bracket_by_bracket() -> None:
    long = "x" * 50
    deep: Doc = call("f", call("g", named("a", call("h", long)), long, long))
    assert lines(0, "y = ", deep) == [
        "y = f(",
        "    g(",
        f"        a=h({long}),",
        f"        {long},",
        f"        {long},",
        "    )",
        ")",
    ]
    assert lines(4, "return ", Joined(long, (("+", long), ("-", long)))) == [
        "    return (",
        f"        {long}",
        f"        + {long}",
        f"        - {long}",
        "    )",
    ]


@pytest.mark.parametrize("name", ["self", "class", "torch", "print", "F", "l", "functools", "Repeated", "x"])
def test_names_clash_with_nothing(name: str) -> None:
    given = python_name(name, {"x", "x_"})
    assert given.startswith(name)
    assert given == {"x": "x__"}.get(name, f"{name}_")


def test_no_name_is_mangled() -> None:
    assert [python_name(name) for name in ("__x", "_", "____", "__init__", "_x")] == ["_x", "_x", "_x", "_init", "_x"]


@pytest.mark.parametrize("name", ["", "a b", "1a", "a.b", "a\n", "é", 'a"', "__import__('os')"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not an identifier"):
        python_name(name)
    with pytest.raises(ValueError, match="not an identifier"):
        attribute(name)


def test_class_names() -> None:
    assert [class_name(name) for name in ("resnet_stem", "x", "_", "_1", "MBConv", "a__b")] == [
        "ResnetStem", "X", "Block", "Block1", "MBConv", "AB",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ['"""', "\\", '\\"""', "a\nb", "\u202e", "'" * 9, "x" * 500, '"', "\\N{DIGIT ONE}"])
def test_prose_stays_inside_its_docstring(text: str) -> None:
    (statement,) = ast.parse(f'"""{prose(text)}"""').body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Constant)
    assert "\n" not in prose(text)


def test_files_are_named_without_their_folder() -> None:
    assert file_name("/home/me/nets/my.spine") == "my.spine"
    assert file_name("C:\\nets\\my.spine") == "my.spine"
    assert file_name("std/blocks.spine") == "std/blocks.spine"


def test_long_prose_ends_between_words() -> None:
    assert prose("one two, three four", limit=12) == "one two..."
    assert prose("x" * 20, limit=10) == "xxxxxxx..."


def test_powers_are_set_as_the_formatter_sets_them() -> None:
    """Also by numbers with an exponent of their own, and by what an attribute or a list holds."""
    bases = ("x", "self.scale", "2.0", "(a + b)", "maps[0]", "f(x)")
    exponents = ("2", "-1.5", "1e-06", "-1e-06", "self.down", "-self.down", "(n - 1)", "numbers[0]", "max(a, b)")
    text = "".join(f"y = {power(base, exponent)}\n" for base, exponent in product(bases, exponents))
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "-"]
    assert subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout == text
