"""An engine gives what the module and the task of its checkpoint give, whatever size and colours a picture has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from spinedsl import train
from spinedsl.inference.engine import Engine, digest_of, of_trained, open_checkpoint
from spinedsl.training.build import open_trained
from tests.training.running import Squares, settings


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engine")
    return train(settings(folder, run={"steps": 3}), data=Squares()).last


def opened(path: Path) -> Engine:
    outcome = open_checkpoint(path, "cpu")
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


def test_it_gives_the_shares_of_the_module(checkpoint: Path) -> None:
    engine, trained = opened(checkpoint), open_trained(checkpoint).value
    assert trained is not None
    draw = np.random.default_rng(0)
    sizes = ((18, 16, 3), (40, 31, 3), (16, 16, 1))
    pictures = [draw.integers(0, 256, size).astype(np.uint8) for size in sizes]
    found = engine.run(pictures)
    images = torch.stack([torch.from_numpy(trained.preprocessing.apply(pixels)) for pixels in pictures])
    with torch.no_grad():
        expected = trained.module(images)["logits"].softmax(1)
    assert engine.classes == ("red", "green", "blue")
    assert engine.kind == "classification"
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-6)


def test_pictures_as_files_have_them_are_refused_by_the_module_and_made_its_own_by_preprocessing(
    checkpoint: Path,
) -> None:
    trained = open_trained(checkpoint).value
    assert trained is not None
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype(np.uint8))
    with torch.no_grad():
        for given, reason in {
            "bytes": (pixels.movedim(-1, 1), "Byte"),
            "channels last": (pixels.float(), "height and width must divide by 4, got 16x3"),
        }.values():
            with pytest.raises((RuntimeError, ValueError), match=reason):
                trained.module(given)
        images = trained.preprocessing.normalised_tensor(pixels)
        expected = trained.module(images)["logits"]
        found = trained.module(images.contiguous(memory_format=torch.channels_last))["logits"]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)  # the layout in memory changes nothing


def test_its_digest_is_that_of_what_it_computes(checkpoint: Path) -> None:
    trained, again = open_trained(checkpoint).value, open_trained(checkpoint).value
    assert trained is not None
    assert again is not None
    before = digest_of(trained)
    assert digest_of(again) == before
    with torch.no_grad():
        next(again.module.parameters()).view(-1)[0] += 1
    assert digest_of(again) != before
    outcome = of_trained(trained, checkpoint, "cpu")
    assert outcome.value is not None
    assert outcome.value.digest == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(checkpoint: Path) -> None:
    assert [found.code.id for found in open_checkpoint(checkpoint, "cuda").diagnostics] == ["E1013"]
