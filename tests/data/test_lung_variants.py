"""The preprocessing variants that know the lungs, each against a plain reference."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.data.preprocessing import discover, lung_cropped, lung_masked, lungs_removed

VARIANTS = {name: variant for name, variant in discover().items() if variant.needs_lungs}


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(1, 256, (40, 40), np.uint8)


@pytest.fixture
def lungs() -> np.ndarray:
    mask = np.zeros((40, 40), bool)
    mask[10:30, 8:16] = mask[12:30, 22:33] = True
    return mask


def test_these_are_the_variants():
    assert set(VARIANTS) == {"lung_masked", "lung_cropped", "lungs_removed"}


@pytest.mark.parametrize("name", VARIANTS)
def test_keeps_shape_and_type_and_leaves_its_input_alone(name, image, lungs):
    before, apply = image.copy(), VARIANTS[name].load()
    image.flags.writeable = lungs.flags.writeable = False
    made = apply(image, lungs)
    assert (made.shape, made.dtype) == (image.shape, np.uint8)
    np.testing.assert_array_equal(image, before)
    again = apply(made, lungs)
    assert np.array_equal(again, made) == VARIANTS[name].card["idempotent"]


def test_masked_and_removed_share_the_image_between_them(image, lungs):
    inside, outside = lung_masked.apply(image, lungs), lungs_removed.apply(image, lungs)
    np.testing.assert_array_equal(inside > 0, lungs)
    np.testing.assert_array_equal(outside > 0, ~lungs)
    np.testing.assert_array_equal(inside + outside, image)


def test_cropping_shows_the_box_of_the_lungs_and_its_margin(lungs):
    # Grey values tell the place: the corners of the result are the corners of the box.
    rows, columns = np.mgrid[:40, :40].astype(np.uint8) * 6
    down, right = (lung_cropped.apply(place, lungs).astype(int) for place in (rows, columns))
    margin = 2  # five hundredths of 40 px
    assert down[0, 0] == 6 * (10 - margin)
    assert down[-1, 0] == 6 * (29 + margin)
    assert right[0, 0] == 6 * (8 - margin)
    assert right[0, -1] == 6 * (32 + margin)
    assert (np.diff(down[:, 0]) >= 0).all()


def test_a_box_ends_where_the_image_does(image):
    np.testing.assert_array_equal(lung_cropped.apply(image, np.ones((40, 40), bool)), image)
