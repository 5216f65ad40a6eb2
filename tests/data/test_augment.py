"""Random changes: what each does, by hand; and that they follow from (seed, epoch, index) and from nothing else."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl.data.augment import LIMITS, TABLE, Augmentation, augmentation, fill_of
from spinedsl.data.changes import OPERATIONS, enhanced, hue_turned, rotated
from spinedsl.data.draws import Draws
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.steps import (
    AUGMENTS,
    NEW_CLASSES,
    Crop,
    Erase,
    Flip,
    Jitter,
    Mosaic,
    NewClasses,
    Rand,
    Rotate,
    Scale,
    Shift,
    Turn,
    Upturn,
)
from spinedsl.settings import in_words, problems
from tests.data.making import image, noise

FILL = (9, 8, 7)
PRE = Preprocessing(16, 16)
ALL = augmentation({name: True for name, kind in AUGMENTS.items() if not kind.needs_boxes})


def seen(step: Any, pixels: Any, draws: int = 60) -> list[Any]:
    """What a step makes of a picture in so many draws."""
    return [step.apply(pixels, Draws(0, 0, index), FILL) for index in range(draws)]


def test_flips_are_mirror_images_half_the_time() -> None:
    pixels = noise(6, 5)
    for step, mirrored in ((Flip(), pixels[:, ::-1]), (Upturn(), pixels[::-1])):
        turned = [np.array_equal(found, mirrored) for found in seen(step, pixels)]
        assert 15 < sum(turned) < 45
        assert all(
            np.array_equal(found, pixels) for found, was in zip(seen(step, pixels), turned, strict=True) if not was
        )
    assert all(np.array_equal(found, pixels[:, ::-1]) for found in seen(Flip(1.0), pixels))


def test_turns_are_the_four_of_a_square_and_the_two_of_another() -> None:
    square, other = noise(6, 6), noise(6, 5)
    found = {bytes(np.ascontiguousarray(pixels)) for pixels in seen(Turn(), square)}
    assert found == {bytes(np.ascontiguousarray(np.rot90(square, turns))) for turns in range(4)}
    found = {bytes(np.ascontiguousarray(pixels)) for pixels in seen(Turn(), other)}
    assert found == {bytes(np.ascontiguousarray(np.rot90(other, turns))) for turns in (0, 2)}


def test_a_class_becomes_another_one_with_all_its_pictures() -> None:
    first, second = noise(6, 6), noise(6, 6) // 3
    kinds: dict[int, set[bytes]] = {}
    step = augmentation({"new_classes": {"chance": 1.0}})
    for label in range(3):
        for epoch in range(300):
            one, named = step.relabelled(first, label, 5, epoch)
            other, alike = step.relabelled(second, label, 5, epoch)
            assert named == alike
            assert named // NEW_CLASSES == label
            assert np.array_equal(one // 3, other)  # the same was done to both
            kinds.setdefault(named % NEW_CLASSES, set()).add(np.ascontiguousarray(one).tobytes())
    assert set(kinds) == set(range(NEW_CLASSES))
    assert all(len(looks) == 1 for looks in kinds.values())
    assert len(set.union(*kinds.values())) == NEW_CLASSES  # no two look the same
    assert kinds[0] == {first.tobytes()}


def test_pictures_that_are_not_square_or_grey_stay_of_one_class_with_the_others() -> None:
    def made(pixels: Any) -> list[tuple[int, bytes, tuple[int, ...]]]:
        found = (NewClasses(1.0).changed(pixels, Draws(0, epoch)) for epoch in range(400))
        return [(number, np.ascontiguousarray(one).tobytes(), one.shape) for number, one in found]

    square, oblong, grey = made(noise(6, 6)), made(noise(6, 4)), made(noise(6, 6, 1))
    assert [number for number, *_ in square] == [number for number, *_ in oblong] == [number for number, *_ in grey]
    assert [len({look for _, look, _ in one}) for one in (square, oblong, grey)] == [8 * 6, 4 * 6, 8]
    assert {shape for *_, shape in oblong} == {(6, 4, 3)}
    assert Augmentation().relabelled(noise(4, 4), 3, 0, 0)[1] == 3
    rare = [NewClasses(0.0).changed(noise(6, 6), Draws(0, epoch))[0] for epoch in range(50)]
    assert set(rare) == {0}


def test_shifts_move_and_repeat_the_border() -> None:
    pixels = noise(5, 5)
    found = {bytes(np.ascontiguousarray(moved)) for moved in seen(Shift(1), pixels, 200)}
    rows = [np.clip(np.arange(5) + by, 0, 4) for by in (-1, 0, 1)]
    assert found == {bytes(np.ascontiguousarray(pixels[down][:, right])) for down in rows for right in rows}


def test_a_quarter_turn_is_exact_and_its_corners_have_the_fill() -> None:
    pixels = noise(8, 8)
    assert np.array_equal(rotated(pixels, 90, FILL), np.rot90(pixels))
    assert np.array_equal(rotated(pixels, 0, FILL), pixels)
    assert rotated(pixels, 45, FILL)[0, 0].tolist() == list(FILL)
    assert rotated(noise(8, 8, 1), 45, FILL)[0, 0].tolist() == [9]
    angles = [np.array_equal(found, pixels) for found in seen(Rotate(20.0), pixels)]
    assert sum(angles) < 5


def test_colours_change_by_factors() -> None:
    pixels = noise(4, 4) // 2
    assert np.array_equal(enhanced(pixels, "Brightness", 2.0), pixels * 2)
    assert (enhanced(pixels, "Brightness", 0.0) == 0).all()
    grey = np.array(image(pixels).convert("L"))
    assert np.array_equal(enhanced(pixels, "Color", 0.0), np.repeat(grey[:, :, None], 3, 2))
    assert len(np.unique(enhanced(pixels, "Contrast", 0.0))) == 1
    for name in ("Brightness", "Contrast", "Color", "Sharpness"):
        assert np.array_equal(enhanced(pixels, name, 1.0), pixels)
    assert all(np.array_equal(found, pixels) for found in seen(Jitter(0, 0, 0, 0), pixels))
    red = np.full((2, 2, 3), (255, 0, 0), dtype=np.uint8)
    assert np.abs(hue_turned(red, 85).astype(int) - (0, 255, 0)).max() <= 2
    bright = [found.mean() / pixels.mean() for found in seen(Jitter(0.5, 0, 0), pixels, 200)]
    assert 0.49 < min(bright) < 0.55
    assert 1.45 < max(bright) < 1.51
    assert all(found.shape == (4, 4, 1) for found in seen(Jitter(0.5, 0.5, 0.5, 0.5), noise(4, 4, 1)))


def test_what_is_erased_has_the_fill_and_the_size_that_is_said() -> None:
    pixels = np.full((20, 20, 3), 200, dtype=np.uint8)
    for found in seen(Erase(1.0, (0.1, 0.3)), pixels):
        gone = (found == FILL).all(axis=2)
        assert (found[~gone] == 200).all()
        assert 0.08 <= gone.mean() <= 0.33
        rows, columns = np.flatnonzero(gone.any(1)), np.flatnonzero(gone.any(0))
        assert gone.sum() == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    assert all(np.array_equal(found, pixels) for found in seen(Erase(0.0), pixels))


@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 10**6))
def test_a_crop_lies_within_the_picture(height: int, width: int, index: int) -> None:
    left, top, right, bottom = Crop().box(height, width, Draws(0, 0, index))
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


def test_crops_have_the_areas_and_shapes_that_are_said() -> None:
    boxes = [Crop((0.2, 0.5), (0.5, 2.0)).box(100, 100, Draws(0, 0, index)) for index in range(300)]
    areas = [(right - left) * (bottom - top) / 10000 for left, top, right, bottom in boxes]
    ratios = [(right - left) / (bottom - top) for left, top, right, bottom in boxes]
    assert 0.19 < min(areas) < 0.22
    assert 0.47 < max(areas) < 0.51
    assert 0.48 < min(ratios) < 0.6
    assert 1.7 < max(ratios) < 2.1
    assert np.median(ratios) == pytest.approx(1, abs=0.15)
    assert Crop((1.0, 1.0), (1.0, 1.0)).box(30, 90, Draws(0)) == (30, 0, 60, 30), "none fits: the largest in the middle"


def test_a_crop_is_stretched_to_the_size_of_the_network() -> None:
    pixels = noise(40, 60)
    whole = Augmentation((Crop((1.0, 1.0), (1.5, 1.5)),)).prepared(pixels, PRE, 0, 0, 0)
    assert np.array_equal(whole, PRE.fit(pixels))


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_of_rand(name: str) -> None:
    pixels = noise(40, 40) // 2 + 30
    stays = {"identity", "posterize", "solarize", "rotate", "shear_x", "shear_y", "move_x", "move_y"}
    stays |= {"color", "contrast", "brightness", "sharpness"}
    for channels in (1, 3):
        given_ = noise(12, 12, channels)
        assert OPERATIONS[name](given_, 1.0, FILL).shape == given_.shape
    assert np.array_equal(OPERATIONS[name](pixels, 0.0, FILL), pixels) == (name in stays)
    assert np.array_equal(OPERATIONS[name](pixels, 1.0, FILL), pixels) == (name == "identity")


def test_rand_of_nothing_is_nothing() -> None:
    pixels = noise(6, 6)
    assert all(np.array_equal(found, pixels) for found in seen(Rand(0), pixels, 5))


# ---- statelessness ----


@given(st.integers(0, 2**64 - 1), st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from([1, 3]))
def test_a_picture_follows_from_seed_epoch_and_index(seed: int, epoch: int, index: int, channels: int) -> None:
    pixels, pre = noise(20, 24, channels), Preprocessing(8, 8, channels=channels)
    before = pixels.copy()
    first = ALL.prepared(pixels, pre, seed, epoch, index)
    ALL.prepared(pixels, pre, seed + 1, epoch, index)
    assert np.array_equal(ALL.prepared(pixels, pre, seed, epoch, index), first)
    assert np.array_equal(pixels, before)
    assert first.shape == (8, 8, channels)
    assert first.dtype == np.uint8
    assert first.flags.c_contiguous


def test_seeds_epochs_and_indices_make_other_pictures() -> None:
    pixels = noise(40, 40)
    made = {bytes(ALL.prepared(pixels, PRE, s, e, i)) for s in range(3) for e in range(3) for i in range(3)}
    assert len(made) == 27


MILD = {"rand": {"operations": 1}, "erase": {"chance": 0.5}}  # those that otherwise do the same too often to tell


@pytest.mark.parametrize("name", sorted(AUGMENTS.keys() - {"new_classes", "mosaic"}))
def test_each_change_by_itself_follows_all_three(name: str) -> None:
    pixels, alone = noise(40, 40), augmentation({name: MILD.get(name, True)})
    for along in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        made = {bytes(alone.prepared(pixels, PRE, *(n * step for step in along))) for n in range(12)}
        assert len(made) > 1, along


def test_what_one_change_draws_tells_nothing_of_another() -> None:
    pixels, both = noise(16, 16), augmentation({"flip": True, "upturn": True})
    plain = PRE.fit(pixels)
    ways = [plain, plain[:, ::-1], plain[::-1], plain[::-1, ::-1]]
    made = [both.prepared(pixels, PRE, 0, 0, index) for index in range(200)]
    counts = [sum(np.array_equal(one, way) for one in made) for way in ways]
    assert sum(counts) == 200
    assert min(counts) >= 30


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_what_is_erased_is_zero_in_the_network(order: str) -> None:
    pre = Preprocessing(16, 16, order=order, mean=(0.2, 0.4, 0.6))
    erased = augmentation({"erase": {"chance": 1.0, "area": [0.2, 0.3]}}).prepared(noise(16, 16), pre, 0, 0, 0)
    gone = (np.abs(pre.normalised(erased)) < 0.01).all(axis=0)
    assert 0.15 < gone.mean() < 0.35


def test_to_switch_one_off_changes_nothing_of_the_others() -> None:
    pixels = noise(40, 40)
    flip = augmentation({"flip": True})
    both = augmentation({"shift": {"pixels": 0}, "flip": True, "turn": {"chance": 0}})
    for index in range(20):
        assert np.array_equal(flip.prepared(pixels, PRE, 0, 0, index), both.prepared(pixels, PRE, 0, 0, index))


def test_what_earlier_versions_made_is_made_to_the_bit() -> None:
    """Runs that they began go on. Changes without arithmetic of Pillow's, so that its version makes no difference."""
    made = blake2b(digest_size=8)
    names = ("crop", "flip", "upturn", "turn", "shift", "erase")
    for steps in (names, *((name,) for name in names)):
        changes = augmentation(dict.fromkeys(steps, True))
        for index in range(8):
            for height, width, resize in ((16, 16, "stretch"), (12, 20, "letterbox")):
                pre = Preprocessing(height, width, resize=resize, interpolation="nearest")
                made.update(changes.prepared(noise(30, 21, seed=index), pre, 3, index % 2, index).tobytes())
    assert made.hexdigest() == "7600cbd3be9f3569"


# ---- larger and smaller ----


@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
def test_a_picture_is_scaled_as_far_as_is_said_and_put_anywhere(resize: str) -> None:
    """Its own pixels are black, and what is around it has the colour that belongs there."""
    pre = Preprocessing(60, 80, resize=resize, background=(200, 1, 2))
    around = (200, 1, 2) if resize == "letterbox" else fill_of(pre)
    steps, seen = augmentation({"scale": [0.5, 0.9]}), []
    for index in range(40):
        made = steps.prepared(np.zeros((30, 40, 3), dtype=np.uint8), pre, 0, 0, index)
        black = (made == 0).all(2)
        assert (made[~black] == around).all()
        rows, columns = (np.nonzero(black.any(axis))[0] for axis in (1, 0))
        assert black.sum() == len(rows) * len(columns), "a rectangle"
        assert abs(len(columns) / 80 - len(rows) / 60) < 0.02, "of the same shape"
        seen.append((len(rows) / 60, rows[0] / max(1, 60 - len(rows)), columns[0] / max(1, 80 - len(columns))))
    factors, tops, lefts = map(np.array, zip(*seen, strict=True))
    assert 0.48 < factors.min() < 0.6
    assert 0.8 < factors.max() < 0.92
    for places in (tops, lefts):
        assert places.min() < 0.15
        assert places.max() > 0.85
    assert abs(np.corrcoef(tops, lefts)[0, 1]) < 0.4


def test_a_picture_larger_than_the_image_is_cut_off_anywhere() -> None:
    """A ramp tells which part of it is seen: at twice the size half of it, each way."""
    ramp = np.repeat(np.arange(200, dtype=np.uint8)[None, :, None], 10, 0).repeat(3, 2)
    pre, steps = Preprocessing(10, 200, interpolation="nearest"), augmentation({"scale": [2, 2]})
    firsts = []
    for index in range(40):
        row = steps.prepared(ramp, pre, 0, 0, index)[0, :, 0].astype(int)
        assert set(np.diff(row)) == {0, 1}
        assert row[-1] - row[0] in (99, 100)
        firsts.append(row[0])
    assert min(firsts) < 15
    assert max(firsts) > 85


def test_a_mosaic_has_no_class() -> None:
    with pytest.raises(ValueError, match="Mosaic is for pictures with boxes: what shows four pictures has no class"):
        augmentation({"mosaic": True}).prepared(noise(8, 8), PRE, 0, 0, 0)


def test_without_steps_a_picture_is_as_in_evaluation() -> None:
    pixels = noise(40, 30)
    pre = Preprocessing(16, 16, "crop", crop=0.8)
    assert np.array_equal(Augmentation().prepared(pixels, pre, 1, 2, 3), pre.fit(pixels))


# ---- settings ----


def test_settings_become_steps_in_the_order_of_the_table() -> None:
    made = augmentation({"erase": {"chance": 0.5}, "crop": {"area": [0.3, 1]}, "flip": True, "rand": False})
    assert made.steps == (Crop(area=(0.3, 1)), Flip(), Erase(chance=0.5))
    assert augmentation({}) == Augmentation()
    assert augmentation({"scale": [0.5, 2], "mosaic": 0.3}).steps == (Scale((0.5, 2)), Mosaic(0.3))
    assert augmentation({"scale": True, "mosaic": {"chance": 1}}).steps == (Scale(), Mosaic(1))


def test_every_setting_has_its_limits_and_a_default_within_them() -> None:
    for kind in AUGMENTS.values():
        for name in kind.__match_args__:
            default = getattr(kind(), name)
            low, high = LIMITS[name]
            assert all(low <= number <= high for number in (default if isinstance(default, tuple) else (default,)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"flop": True}, "nothing reads the setting `flop`"),
        ({"flips": True}, "did you mean `flip`?"),
        ({"flip": 0.5}, "`flip` must be true, false, or a table of settings, got 0.5"),
        ({"flip": "true"}, "`flip` must be true, false, or a table of settings"),
        ({"scale": 2}, "`scale` must be true, false, or a table of settings, or what its `factor` is, got 2"),
        ({"scale": [2, 0.5]}, "`scale` must be two numbers in order from 0.01 to 100"),
        ({"scale": [0.5]}, "`scale` must be two numbers in order"),
        ({"scale": [0.5, 200]}, "`scale` must be two numbers in order from 0.01 to 100, got 200"),
        ({"mosaic": 3}, "`mosaic` must be a number from 0 to 1, got 3"),
        ({"flip": {"chanse": 0.5}}, "nothing reads the setting `flip.chanse`: did you mean `chance`?"),
        ({"flip": {"chance": 2}}, "`flip.chance` must be a number from 0 to 1, got 2"),
        ({"flip": {"chance": True}}, "`flip.chance` must be a number from 0 to 1, got true"),
        ({"crop": {"area": 0.5}}, "`crop.area` must be two numbers in order from 1e-06 to 1, got 0.5"),
        ({"crop": {"area": [0.5, 0.2]}}, "`crop.area` must be two numbers in order from 1e-06 to 1"),
        ({"crop": {"ratio": [0, 1]}}, "`crop.ratio` must be two numbers in order from 0.01 to 100, got 0"),
        ({"rand": {"operations": 1.5}}, "`rand.operations` must be a whole number from 0 to 16, got 1.5"),
        ({"jitter": {"hue": float("nan")}}, "`jitter.hue` must be a number from 0 to 0.5, got nan"),
    ],
)
def test_wrong_settings_are_named(values: dict[str, Any], message: str) -> None:
    (found,) = problems(values, TABLE)
    assert message in in_words([found])
    with pytest.raises(ValueError, match=r"must be|nothing reads"):
        augmentation(values)
