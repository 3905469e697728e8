"""Padding and cropping in place of the squash: what is kept, where it lands, where it is no use."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmark.data.decode import decode_image, decode_images
from benchmark.data.preprocessing import center_crop, discover, pad
from benchmark.data.views import open_view
from benchmark.planning.squares import why_not
from tests.data.shaped_sets import NAME, lines_of, shaped, telling
from tests.data.tiny_sets import store
from tests.encoded import encoded
from tests.execution.conftest import Bench, make_suite

SQUARE = [name for name, variant in discover().items() if variant.before_resize]
SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40))


@pytest.mark.parametrize("name", SQUARE)
class TestEveryVariantThatMakesSquares:
    @settings(max_examples=50, deadline=None)
    @given(
        image=st.sampled_from([np.uint8, np.uint16, np.float32]).flatmap(
            lambda dtype: arrays.arrays(dtype, SHAPES, elements=st.integers(0, 200))
        )
    )
    def test_gives_a_square_of_the_same_type_once(self, name, image):
        apply, before = discover()[name].load(), image.copy()
        made = apply(image)
        assert made.shape[0] == made.shape[1]
        assert made.dtype == image.dtype
        np.testing.assert_array_equal(image, before)
        np.testing.assert_array_equal(apply(made), made)

    def test_leaves_a_square_image_as_it_is(self, name):
        image = np.arange(49, dtype=np.uint8).reshape(7, 7)
        np.testing.assert_array_equal(discover()[name].load()(image), image)

    def test_says_that_places_move(self, name):
        assert not discover()[name].keeps_geometry


@given(image=arrays.arrays(np.uint8, SHAPES, elements=st.integers(1, 255)))
def test_padding_keeps_every_pixel_and_adds_black_evenly(image):
    made = pad.apply(image)
    assert made.shape == (max(image.shape),) * 2
    rows, columns = np.flatnonzero(made.any(axis=1)), np.flatnonzero(made.any(axis=0))
    inside = made[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    np.testing.assert_array_equal(inside, image)
    for found in (rows, columns):
        before, after = found[0], len(made) - 1 - found[-1]
        assert after - before in (0, 1)


@given(image=arrays.arrays(np.uint8, SHAPES))
def test_the_crop_is_the_middle(image):
    side = min(image.shape)
    rows, columns = ((n - side) // 2 for n in image.shape)
    made = center_crop.apply(image)
    np.testing.assert_array_equal(made, image[rows:, columns:][:side, :side])
    for length, before in zip(image.shape, (rows, columns), strict=True):
        assert length - side - before - before in (0, 1)


def disc(height: int, width: int) -> np.ndarray:
    """A bright disc in the middle, of a third of the shorter side, on dark grey."""
    y, x = np.mgrid[:height, :width]
    near = (y - height / 2) ** 2 + (x - width / 2) ** 2 < (min(height, width) / 3) ** 2
    return np.where(near, 200, 40).astype(np.uint8)


def extent(image: np.ndarray) -> tuple[int, int]:
    return tuple(int((image > 120).any(axis=axis).sum()) for axis in (1, 0))


@pytest.mark.parametrize("shape", [(120, 200), (210, 90)])
def test_a_disc_stays_one_where_it_is_squashed_otherwise(shape):
    image = encoded(disc(*shape))
    squashed = extent(decode_image(image, 60).numpy()[..., 0])
    assert abs(squashed[0] - squashed[1]) > 10
    for name in SQUARE:
        (made,) = decode_images(image, (60,), square=discover()[name].load())
        high, wide = extent(made.numpy()[..., 0])
        assert abs(high - wide) <= 1, name


@pytest.mark.parametrize("name", SQUARE)
@pytest.mark.parametrize("deep", [False, True])
def test_a_view_is_what_a_plain_reference_gives(tmp_path, name, deep):
    rng = np.random.default_rng(5)
    shapes = [(40, 64), (64, 40), (50, 50), (33, 97)]
    scale, dtype = (250, np.uint16) if deep else (1, np.uint8)
    pixels = [rng.integers(3, 256, shape).astype(dtype) * dtype(scale) for shape in shapes]
    images = [(f"image{k}", encoded(each)) for k, each in enumerate(pixels)]
    tiny = store(tmp_path / "set", {"test": images}, dtype)
    view = open_view(tiny, "test", 32, name, tmp_path / "cache", further_sizes=[48])
    other = open_view(tiny, "test", 48, name, tmp_path / "cache")
    apply = discover()[name].load()
    for size, made in ((32, view), (48, other)):
        for image_id, image in zip(made.image_ids, made.images, strict=True):
            raw = pixels[int(image_id.removeprefix("image"))].astype(float)
            if deep:
                raw = (raw - raw.min()) / (raw.max() - raw.min()) * 255
            assert np.abs(image - averaged(apply(raw), size)).max() <= 0.5 + 1e-3


def averaged(image: np.ndarray, size: int) -> np.ndarray:
    """The mean of an image (N, N) over each of size x size equal parts, which may cut pixels."""
    fine = np.repeat(np.repeat(image, size, axis=0), size, axis=1)
    side = len(image)
    return fine.reshape(size, side, size, side).mean(axis=(1, 3))


def test_eager_and_mapped_decoding_agree():
    image = encoded(disc(50, 90))
    for name in SQUARE:
        square = discover()[name].load()
        mapped = tf.data.Dataset.from_tensors(image).map(
            lambda data, square=square: decode_images(data, (24, 31), square=square)
        )
        (found,) = mapped.as_numpy_iterator()
        eager = decode_images(image, (24, 31), square=square)
        for one, other in zip(found, eager, strict=True):
            np.testing.assert_array_equal(one, other)


# Where there is nothing to do


@pytest.fixture
def wide(tmp_path):
    """A data folder with a set of which one image is wider than high."""
    lines = lines_of()
    lines.loc[5, "width"] = 9
    return shaped(tmp_path, lines, **telling(lines)), tmp_path


def planned(prepared, data_dir, model, **matrix):
    bench = Bench((prepared, data_dir, data_dir / "cache"), data_dir / "results")
    suite = make_suite([model], datasets=[NAME], size=32, **matrix)
    return bench.plan(suite, others=[(NAME, prepared)]).specs


def test_it_is_refused_where_every_image_is_square_and_says_why(tmp_path):
    lines = lines_of()
    prepared = shaped(tmp_path, lines, **telling(lines))
    specs = planned(prepared, tmp_path, "linear", preprocessing=["raw", *SQUARE])
    refusals = {p.spec.preprocessing: p.refusal for p in specs}
    assert refusals.pop("raw") is None
    for name, why in refusals.items():
        assert f"preprocessing {name} is for images that are not square" in why
        assert "are square already" in why
        assert "original files" in why


def test_one_image_that_is_not_square_is_enough(wide):
    specs = planned(*wide, "linear", preprocessing=["raw", *SQUARE])
    assert {p.refusal for p in specs} == {None}


def test_models_without_images_are_not_asked(tmp_path):
    lines = lines_of()
    prepared = shaped(tmp_path, lines, **telling(lines))
    (spec,) = planned(prepared, tmp_path, "constant", preprocessing=["pad"])
    assert spec.refusal is None
    assert why_not("raw", prepared) == why_not("", prepared) == ""


def test_masks_are_squashed_with_their_images(wide):
    prepared, _ = wide
    facts = msgspec.structs.replace(prepared.facts, kind="segmentation")
    assert "masks are squashed" in why_not("pad", replace(prepared, facts=facts))
