"""Rows of several sources, turned: against the plain array operations."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.data.indexed_images import TRANSFORMS, IndexedImages

SOURCES = [
    np.random.default_rng(seed).integers(0, 256, (n, 6, 6), np.uint8)
    for seed, n in enumerate((4, 0, 3))
]
EXPECTED = (
    lambda image: image,
    lambda image: np.rot90(image),
    lambda image: np.rot90(image, 2),
    lambda image: np.rot90(image, 3),
    np.fliplr,
    np.flipud,
)


@pytest.mark.parametrize("code", range(len(TRANSFORMS)))
def test_every_transform_is_the_one_of_its_name(code):
    images = IndexedImages(SOURCES, np.array([5, 0]), np.array([code, code]))
    both = images[:]
    np.testing.assert_array_equal(both[0], EXPECTED[code](SOURCES[2][1]))
    np.testing.assert_array_equal(both[1], EXPECTED[code](SOURCES[0][0]))


def test_rows_run_over_the_sources_laid_end_to_end_and_may_repeat():
    laid = np.concatenate(SOURCES)
    rows = np.array([6, 0, 3, 4, 4, 1])
    images = IndexedImages(SOURCES, rows)
    assert len(images) == 6
    assert images.shape == (6, 6, 6)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images[1:5], laid[rows[1:5]])
    np.testing.assert_array_equal(images[np.array([5, 0])], laid[[1, 6]])


def test_indexed_images_can_be_indexed_again():
    once = IndexedImages(SOURCES, np.array([1, 2]), np.array([4, 5]))
    twice = IndexedImages([once], np.array([1, 1]), np.array([5, 0]))
    np.testing.assert_array_equal(twice[:], np.stack([SOURCES[0][2], np.flipud(SOURCES[0][2])]))
