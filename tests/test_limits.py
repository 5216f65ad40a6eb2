"""Every limit, at its edge: what is just within is taken, and the next is an error with a place, before it is made."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from spinedsl import driver, reading
from spinedsl.diagnostics import Diagnostic
from spinedsl.ir.elaborate.network import MAX_ROWS
from spinedsl.ir.elaborate.settings import MAX_INPUTS, MAX_LEVEL, MAX_SIZE
from spinedsl.ir.expand.attributes import MAX_CHANNELS, MAX_WINDOW
from spinedsl.ir.expand.expressions import MAX_REPEAT
from spinedsl.ir.resolve.instances import MAX_EDITED
from spinedsl.source import Source
from spinedsl.syntax.build import MAX_DIGITS, MAX_EXPONENT
from spinedsl.syntax.parse import MAX_BODY_DEPTH, MAX_EXPRESSION_DEPTH, MAX_FILE_CHARACTERS
from spinedsl.testing.laws import most_steps
from spinedsl.testing.steps import stepped
from tests.syntax.heaps import HEAD, NET, base


def body(text: str) -> str:
    return f"spine 1\ndef f(x) {{\n{text}\n}}\n"


def network(text: str, settings: str = NET) -> str:
    return f"{HEAD}{settings}{text}\n    output P: b\n}}\n"


def used(text: str) -> str:
    """A definition that a network uses."""
    return network("    block b: f level 2 after s", f"block_type f(x, channels) -> channels {{\n{text}\n}}\n{NET}")


def block(clauses: str) -> str:
    return network(f"    block b: residual {clauses}")


def inputs(count: int) -> str:
    blocks = "".join(f"    block a{i}: residual level 2 after s\n" for i in range(count))
    names = ", ".join(f"a{i}" for i in range(count))
    return network(
        f"{blocks}    block b: residual level 2 from {names}",
        NET.replace("    join", f"    rules {{ inputs 1..{count} }}\n    join"),
    )


def edited(count: int) -> str:
    """Edited networks with that many rows and settings in all, as far as they come in hundreds."""
    per = 100
    return base(per - 7) + "".join(
        f"network A{i} = M with {{ block b0 channels 32 }}\n" for i in range(-(-count // per))
    )


# What is limited: a text for a number, the most that there may be, the code, and the words.
LIMITS: dict[str, tuple[Callable[[int], str], int, str, str]] = {
    "nested braces": (
        lambda n: body("var y = x\n" + "repeat 1 { " * n + "y = relu(y)" + " }" * n + "\nreturn y"),
        MAX_BODY_DEPTH,
        "E0602",
        "nested too deep",
    ),
    "nested calls": (
        lambda n: body("return " + "relu(" * ((n - 1) // 2) + "x" + ")" * ((n - 1) // 2)),
        MAX_EXPRESSION_DEPTH,
        "E0602",
        "nested too deep",
    ),
    "nested minus signs": (
        lambda n: body("return " + "-" * (n - 2) + "x"),
        MAX_EXPRESSION_DEPTH,
        "E0602",
        "nested too deep",
    ),
    "digits": (lambda n: body("let a = " + "1" * n + "\nreturn x"), MAX_DIGITS, "E0603", "number has at most"),
    "exponent": (lambda n: body(f"let a = 1e{n}\nreturn x"), MAX_EXPONENT, "E0603", "number has at most"),
    "characters": (
        lambda n: "spine 1\ndef f(x) { return x }\n".ljust(n, "\n"),
        MAX_FILE_CHARACTERS,
        "E0601",
        "at most",
    ),
    "repetitions": (
        lambda n: used(f"var y = x\nrepeat {n} {{ y = relu(y) }}\nreturn conv(y, channels, kernel = 1)"),
        MAX_REPEAT,
        "E0604",
        "repetitions",
    ),
    "repeats of a row": (lambda n: block(f"level 2 after s repeat {n}"), MAX_REPEAT, "E0503", "`repeat`"),
    "level": (
        lambda n: block(f"level {n} from s channels 4").replace("128 x 128", "65536 x 65536"),
        MAX_LEVEL,
        "E0401",
        "out of range",
    ),
    "channels": (lambda n: block(f"level 2 after s channels {n}"), MAX_CHANNELS, "E0503", "`channels`"),
    "kernel": (lambda n: used(f"return conv(x, channels, kernel = {n})"), MAX_WINDOW, "E0503", "`kernel`"),
    "groups": (
        lambda n: used(
            f"let wide = conv(x, {MAX_CHANNELS}, kernel = 1)\n"
            f"return conv(conv(wide, {MAX_CHANNELS}, kernel = 3, groups = {n}), channels, kernel = 1)"
        ),
        MAX_CHANNELS,
        "E0503",
        "`groups`",
    ),
    "size of the input": (
        lambda n: block("level 2 after s").replace("128 x 128", f"{n} x 128"),
        MAX_SIZE,
        "E0503",
        "size of the input",
    ),
    "inputs": (inputs, MAX_INPUTS, "E0503", "`inputs`"),
    "rows of edits": (edited, MAX_EDITED, "E0604", "rows of edited networks"),
}


# Beside each limit on numbers of a network the largest that a published one has, as its code or paper says.
PUBLISHED = {
    "repetitions": 200,  # residual units of a stage: ResNet-1202 for CIFAR (He et al. 2016)
    "repeats of a row": 200,
    "level": 9,  # MobileNet-SSD's last map of 300 pixels is 1x1
    "channels": 2_059_906,  # identities of WebFace42M (Zhu et al. 2021); a linear layer has one number for each
    "kernel": 64,  # pools over a whole map; the largest convolution is 51, of SLaK (Liu et al. 2022)
    "groups": 5_376,  # EfficientNet-L2 (Xie et al. 2020); ConvNeXt-L has 1,536, EfficientNet-B0 1,152
    "size of the input": 8_192,  # tiles of remote sensing
    "inputs": 64,  # DenseNet-264 concatenates the maps of a stage (Huang et al. 2017)
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks_are_within(name: str) -> None:
    _, most, _, _ = LIMITS[name]
    assert most >= PUBLISHED[name] * 3 // 2


def said(text: str) -> tuple[Diagnostic, ...]:
    return driver.analyse(Source.from_text(text, "net.spine")).diagnostics


@pytest.mark.parametrize("name", LIMITS)
def test_at_the_edge(name: str) -> None:
    text, most, code, words = LIMITS[name]
    within = said(text(most))
    assert not [diagnostic for diagnostic in within if words in diagnostic.message]
    assert {diagnostic.code.id for diagnostic in within} <= {"W0702", "W0701", "E0604"}
    found = [d for d in said(text(most + 1)) if d.code.id == code and words in d.message]
    assert len(found) == 1, said(text(most + 1))
    assert words in found[0].message
    assert found[0].span.line >= 1
    assert found[0].span.end > found[0].span.start


@pytest.mark.parametrize("name", LIMITS)
def test_far_beyond(name: str) -> None:
    """A million times too much takes no longer: it is refused before it is made."""
    text, most, code, _ = LIMITS[name]
    grows = name in {
        "level",
        "channels",
        "kernel",
        "groups",
        "size of the input",
        "exponent",
        "repetitions",
        "repeats of a row",
    }
    long = text(most * 10**6) if grows else text(most * 3)
    said(text(most + 1))  # what is imported or expanded on first use is
    beyond = stepped(lambda: said(text(most + 1)))[1]
    found, steps = stepped(lambda: said(long))
    assert code in {diagnostic.code.id for diagnostic in found}
    assert steps < (1.5 * beyond if grows else most_steps(long))


def test_steps_of_expansion() -> None:
    """Loops in loops: what they expand to together is limited, and said once, where it is too much."""
    for times, codes in ((20, []), (30, ["E0604"])):
        loops = f"repeat {times} {{ repeat {times} {{ repeat {times} {{ y = relu(y) }} }} }}"
        found = said(used(f"var y = x\n{loops}\nreturn conv(y, channels, kernel = 1)"))
        assert [one.code.id for one in found] == codes
        assert all("steps of expansion" in one.message for one in found)


# A value of `f`, and the number in it that is too large by a factor of 10.
OF_MAPS = (
    ("x * (1e30 * 10)", "1e30 * 10"), ("(1e30 * 10) * x", "1e30 * 10"),
    ("x + 1e30 * 10", "1e30 * 10"), ("x - 1e30 * 10", "1e30 * 10"), ("-1e30 * 10 - x", "-1e30 * 10"),
    ("1e30 * 10 / x", "1e30 * 10"), ("x / (1e-30 / 10)", "1e-30 / 10"), ("x / (-1e-30 / 10)", "-1e-30 / 10"),
    ("max(1, x, 1e30 * 10)", "1e30 * 10"), ("min(1e30 * 10, 5, x)", "1e30 * 10"), ("power(x, 1e30 * 10)", "1e30 * 10"),
    ("x + constant(-1e30 * 10)", "-1e30 * 10"),
    ("l2_normalise(x, epsilon = power(2, -126) / 10)", "power(2, -126) / 10"),
)  # fmt: skip


@pytest.mark.parametrize(("value", "place"), OF_MAPS)
def test_numbers_beside_maps(value: str, place: str) -> None:
    """Maps are float32: a number beside them is one that float32 holds, with room; and so is what it divides by."""
    wrong = f"let y = {value}\nreturn conv(y, channels, kernel = 1)"
    (found,) = said(used(wrong))
    assert (found.code.id, found.span.text.strip("()")) == ("E0503", place)
    assert found.fixes
    assert not said(used(wrong.replace(" * 10", " * 1").replace(" / 10", " / 1")))


def test_rows() -> None:
    rows = "".join(f"    block a{i}: residual level 2 after s\n" for i in range(MAX_ROWS))
    found = [diagnostic for diagnostic in said(network(rows)) if diagnostic.code.id == "E0604"]
    assert [diagnostic.message for diagnostic in found] == [f"too many rows: at most {MAX_ROWS}, got {MAX_ROWS + 2}"]


def test_imported_files(tmp_path: Path) -> None:
    """A file of more imports than there may be, and a chain of as many."""
    for number in range(reading.MAX_IMPORTS + 2):
        (tmp_path / f"f{number}.spine").write_text(f"spine 1\ndef d{number}(x) {{ return x }}\n")
    for count, code in ((reading.MAX_IMPORTS, []), (reading.MAX_IMPORTS + 1, ["E0604"])):
        file = tmp_path / "net.spine"
        imports = "".join(f'import "f{number}.spine"\n' for number in range(count))
        file.write_text(f"spine 1\n{imports}def f(x) {{ return x }}\n")
        assert [d.code.id for d in driver.read(file).then(driver.analyse).diagnostics] == code
    for number in range(reading.MAX_IMPORTS):
        file = tmp_path / f"f{number}.spine"
        file.write_text(f'spine 1\nimport "f{number + 1}.spine"\ndef d{number}(x) {{ return x }}\n')
    assert driver.read(tmp_path / "f1.spine").then(driver.analyse).diagnostics == ()


def test_bytes(tmp_path: Path) -> None:
    file = tmp_path / "net.spine"
    with file.open("wb") as opened:
        opened.truncate(10**12)  # no disk holds it, and nobody reads it
    (found,) = driver.read(file).diagnostics
    assert found.message.endswith("more than 10000000 bytes")


def test_elements_that_no_machine_holds() -> None:
    """Counted in closed form; an ONNX model of them is refused before any number is drawn."""
    from spinedsl import analysis, api
    from spinedsl.ops.graph import flatten

    few, program = (
        api.program(Source.from_text(block(f"level 2 after s channels {channels}"), "net.spine"))
        for channels in (4, MAX_CHANNELS)
    )
    assert analysis.costs(flatten(program)).parameters > 9 * 10**12
    with pytest.raises(api.Mistakes) as raised:
        api.emit(program, to="onnx")
    assert raised.value.diagnostics[0].code.id == "E0907"
    _, steps = stepped(partial(api.emit, few, to="torch"))
    files, more = stepped(partial(api.emit, program, to="torch"))
    assert b"class N(nn.Module)" in b"".join(files.values())
    assert more < 1.1 * steps
