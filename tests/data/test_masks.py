"""Masks beside their images: decoded, kept as views, augmented alike."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmark.data.augment import augmenter, batch_key, mask_augmenter
from benchmark.data.decode import decode_mask
from benchmark.data.mask_batches import mask_batches
from benchmark.errors import UnknownName
from tests.encoded import encoded


@settings(max_examples=25, deadline=None)
@given(mask=arrays.arrays(np.uint8, (8, 12), elements=st.sampled_from([0, 127, 255])))
def test_a_decoded_pixel_is_what_most_of_its_area_is(mask):
    made = decode_mask(encoded(mask), 4).numpy()[..., 0]
    blocks = mask.reshape(4, 2, 4, 3).swapaxes(1, 2).reshape(4, 4, 6)
    ignored, lung = ((blocks == value).mean(axis=-1) >= 0.5 for value in (127, 255))
    np.testing.assert_array_equal(made, np.where(ignored, 127, np.where(lung, 255, 0)))


def discs(n: int, side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (n, side, side) of one bright disc each, and its mask of 0 and 255."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side]
    centres = random.uniform(side * 0.3, side * 0.7, (n, 2))
    masks = [(y - a) ** 2 + (x - b) ** 2 < (side / 6) ** 2 for a, b in centres]
    masks = np.where(masks, 255, 0).astype(np.uint8)
    return masks, masks


@pytest.mark.parametrize("augmentation", ["none", "flip", "rotate5"])
def test_masks_move_with_their_images(augmentation):
    images, masks = discs(12)
    batches = mask_batches(images, masks, batch_size=4, seed=3, augmentation=augmentation, epochs=2)
    seen = 0
    for x, y in batches.as_numpy_iterator():
        assert x.shape == y.shape == (4, 32, 32, 1)
        np.testing.assert_array_equal(y, x >= 0.5)
        seen += len(x)
    assert seen == 24


def test_shades_change_the_image_and_not_the_mask():
    images, masks = discs(4)
    x, y = (tf.cast(a, tf.float32)[..., None] / 255 for a in (images, masks))
    key = batch_key(0, tf.constant(0), tf.constant(0))
    moved, mask = mask_augmenter("standard")(x, y, key)
    np.testing.assert_allclose(moved, augmenter("standard")(x, key), atol=1e-5)
    assert set(np.unique(mask)) == {0.0, 1.0}


def test_ignored_pixels_stay_ignored():
    images = np.zeros((2, 32, 32), np.uint8)
    masks = np.full((2, 32, 32), 127, np.uint8)
    batches = mask_batches(images, masks, batch_size=2, seed=0, augmentation="flip", epochs=1)
    (_, y), *_ = batches.as_numpy_iterator()
    assert set(np.unique(y)) == {-1.0}


def test_the_same_seed_gives_the_same_batches():
    images, masks = discs(8)

    def first(seed):
        batches = mask_batches(
            images, masks, batch_size=4, seed=seed, augmentation="standard", epochs=1
        )
        return next(batches.as_numpy_iterator())[0]

    np.testing.assert_array_equal(first(1), first(1))
    assert not np.array_equal(first(1), first(2))


def test_an_augmentation_that_cannot_move_masks_is_refused():
    images, masks = discs(2)
    with pytest.raises(UnknownName, match="images with masks"):
        mask_batches(images, masks, batch_size=2, seed=0, augmentation="randaugment", epochs=1)
