"""The prelude is right: what every run takes for granted is checked here, as a file of anyone would be."""

import pytest

from spinedsl import driver, reading
from spinedsl.prelude import modules, path_of, text_of
from spinedsl.source import Source


@pytest.mark.parametrize("module", modules())
def test_a_module_of_the_prelude_has_no_mistake(module: str) -> None:
    outcome = driver.analyse(Source.from_text(text_of(module), f"{module}.spine", path_of(module)))
    assert not outcome.diagnostics
    assert outcome.value is not None
    assert all(defined.sound for defined in outcome.value.unit.own())
    assert {defined.name for defined in outcome.value.unit.own()} == {
        defined.name
        for defined in reading.prelude(module).value.own()  # type: ignore[union-attr]
    }


def test_a_mistake_in_it_would_be_seen() -> None:
    text = text_of("blocks")
    source = Source.from_text(text.replace("kernel = 3", "kernal = 3", 1), "blocks.spine")
    assert [d.code.id for d in driver.analyse(source).diagnostics][:1] == ["E0208"]
