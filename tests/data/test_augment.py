"""Augmentation: the amounts are what they say, in the units they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats

from benchmark.data.augment import augmenter, batch_key, mask_augmenter
from benchmark.data.augmentation import AXIS
from benchmark.data.augmentation._affine import move
from benchmark.data.augmentation._vary import varied
from benchmark.errors import UnknownName
from tests.data.drawn_batches import drawn

SIDE = 65


def scene(side: int = SIDE) -> np.ndarray:
    """A smooth image without any symmetry, float32 (side, side) in [0, 1], dark at the edge."""
    y, x = np.mgrid[:side, :side] / (side - 1)
    blobs = ((0.35, 0.3, 0.08, 1.0), (0.6, 0.55, 0.05, 0.7), (0.4, 0.65, 0.06, 0.5))
    image = sum(h * np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * w**2)) for a, b, w, h in blobs)
    return np.clip(image, 0, 1).astype(np.float32)


def moved(image, mirrored=0.0, degrees=0.0, down=0.0, right=0.0, across=1.0, along=1.0):
    moves = (mirrored, degrees, down, right, across, along)
    amounts = [tf.constant([v], tf.float32) for v in moves]
    return move(tf.constant(image[None, :, :, None]), *amounts).numpy()[0, :, :, 0]


def test_no_movement_changes_no_bit():
    np.testing.assert_array_equal(moved(scene()), scene())


@pytest.mark.parametrize("side", [64, 65])
def test_mirror_is_left_right_and_exact(side):
    np.testing.assert_array_equal(moved(scene(side), mirrored=1.0), scene(side)[:, ::-1])


@pytest.mark.parametrize("degrees", [5.0, -5.0, 30.0, 90.0])
def test_rotation_is_in_degrees_counter_clockwise(degrees):
    expected = ndimage.rotate(scene(), degrees, reshape=False, order=1)
    np.testing.assert_allclose(moved(scene(), degrees=degrees), expected, atol=2e-3)
    wrong = ndimage.rotate(scene(), -degrees, reshape=False, order=1)
    assert np.abs(expected - wrong).max() > 0.05


def test_shift_is_a_fraction_of_the_side():
    image = moved(scene(64), down=0.25, right=-0.125)
    np.testing.assert_allclose(image[16:, :-8], scene(64)[:-16, 8:], atol=1e-6)
    assert (image[:16] == 0).all()
    assert (image[:, -8:] == 0).all()


def test_zoom_above_one_shows_things_larger():
    expected = ndimage.affine_transform(scene(), np.eye(2) / 1.25, offset=32 - 32 / 1.25, order=1)
    larger = moved(scene(), across=1.25, along=1.25)
    np.testing.assert_allclose(larger, expected, atol=1e-3)
    assert larger.sum() > 1.3 * scene().sum()


@settings(max_examples=25, deadline=None)
@given(
    mirrored=st.sampled_from([0.0, 1.0]),
    degrees=st.floats(-180, 180, width=32),
    down=st.floats(-0.5, 0.5, width=32),
    right=st.floats(-0.5, 0.5, width=32),
    across=st.floats(0.5, 2, width=32),
    along=st.floats(0.5, 2, width=32),
)
@example(mirrored=0.0, degrees=0.0, down=0.375, right=0.375, across=1.5, along=1.5)
@example(mirrored=0.0, degrees=2.0, down=-0.2890625, right=0.5, across=1.5, along=1.5)
def test_any_movement_is_the_affine_one_of_scipy(mirrored, degrees, down, right, across, along):
    turned = np.radians(degrees)
    mirror_and_scale = np.diag([along, across * (1 - 2 * mirrored)])
    rotate = [[np.cos(turned), -np.sin(turned)], [np.sin(turned), np.cos(turned)]]
    back = np.linalg.inv(rotate @ mirror_and_scale)
    centre = np.full(2, (SIDE - 1) / 2)
    offset = centre - back @ (centre + SIDE * np.array([down, right]))
    expected = ndimage.affine_transform(scene(), back, offset, order=1)
    shown = moved(scene(), mirrored, degrees, down, right, across, along)
    # At the edge half a pixel shows through here; scipy has nothing beyond the last centre.
    inside = ndimage.affine_transform(np.ones((SIDE, SIDE)), back, offset, order=1) > 0
    np.testing.assert_allclose(shown[inside], expected[inside], atol=3e-3)
    # Also across corners, and from beyond the frame, where the image may go on.
    outside = ndimage.binary_erosion(~inside, np.ones((3, 3)), iterations=3)
    assert (shown[outside] == 0).all()


def test_combination_is_mirror_then_zoom_and_rotation_then_shift():
    zoom = {"across": 0.9, "along": 0.9}
    steps = moved(moved(moved(scene(), mirrored=1.0), degrees=20.0, **zoom), down=0.1)
    at_once = moved(scene(), mirrored=1.0, degrees=20.0, **zoom, down=0.1)
    np.testing.assert_allclose(at_once, steps, atol=0.02)


def test_images_of_a_batch_move_each_for_itself():
    batch = tf.constant(np.stack([scene(), scene()])[..., None])
    zero, one = tf.zeros(2), tf.ones(2)
    both = move(batch, tf.constant([0.0, 1.0]), zero, zero, zero, one, one).numpy()[..., 0]
    np.testing.assert_array_equal(both, [scene(), scene()[:, ::-1]])


def applied(name: str, images: np.ndarray) -> np.ndarray:
    return augmenter(name)(tf.constant(images), batch_key(1, 0, 0)).numpy()


def by(images: np.ndarray, **amounts: float) -> np.ndarray:
    return varied(amounts)(tf.constant(images), None, batch_key(1, 0, 0))[0].numpy()


def many(n: int = 400, side: int = 17) -> np.ndarray:
    return np.repeat(scene(side)[None, :, :, None], n, axis=0)


def test_flip_mirrors_about_half_and_nothing_else():
    shown = applied("flip", many())[..., 0]
    same = (shown == scene(17)).all(axis=(1, 2))
    mirrored = (shown == scene(17)[:, ::-1]).all(axis=(1, 2))
    assert (same ^ mirrored).all()
    assert 0.4 < mirrored.mean() < 0.6


def test_flip_is_the_same_alone_and_with_other_movements():
    alone = by(many(), flip=0.5)
    combined = by(many(), flip=0.5, shift=1e-12)
    np.testing.assert_allclose(alone, combined, atol=1e-5)


def angle_of(image: np.ndarray) -> float:
    """Counter-clockwise angle in degrees of the line from the centre to the centre of mass."""
    down, right = np.array(ndimage.center_of_mass(image)) - (SIDE - 1) / 2
    return np.degrees(np.arctan2(-down, right))


def test_rotate5_turns_by_at_most_five_degrees_evenly():
    image = np.zeros((SIDE, SIDE), np.float32)
    image[30:35, 50:56] = 1.0
    shown = applied("rotate5", np.repeat(image[None, :, :, None], 300, 0))[..., 0]
    angles = np.array([angle_of(one) for one in shown]) - angle_of(image)
    assert np.abs(angles).max() <= 5.1
    assert angles.min() < -4.5
    assert angles.max() > 4.5
    assert abs(angles.mean()) < 0.5


def centres(images: np.ndarray) -> np.ndarray:
    return np.array([ndimage.center_of_mass(one) for one in images[..., 0]])


def test_shift_policy_moves_along_both_axes_within_its_fraction():
    image = np.zeros((1, 40, 40, 1), np.float32)
    image[0, 18:22, 18:22] = 1.0
    shown = centres(by(np.repeat(image, 300, 0), shift=0.1)) - 19.5
    assert np.abs(shown).max() <= 4.01
    assert (shown.max(0) > 3.5).all()
    assert (shown.min(0) < -3.5).all()
    assert abs(np.corrcoef(shown.T)[0, 1]) < 0.2


def test_brightness_and_contrast_amounts():
    image = np.full((500, 8, 8, 1), 0.5, np.float32)
    image[:, :4] = 0.4
    image[:, 4:] = 0.6
    brighter = by(image, brightness=0.2)
    offsets = brighter[:, 0, 0, 0] - 0.4
    np.testing.assert_allclose(brighter[:, 7, 7, 0] - 0.6, offsets, atol=1e-6)
    assert np.abs(offsets).max() <= 0.2
    assert offsets.min() < -0.18
    assert offsets.max() > 0.18
    stretched = by(image, contrast=0.5)
    np.testing.assert_allclose(stretched.mean((1, 2, 3)), 0.5, atol=1e-6)
    gains = (stretched[:, 7, 7, 0] - stretched[:, 0, 0, 0]) / 0.2
    assert gains.min() == pytest.approx(0.5, abs=0.02)
    assert gains.max() == pytest.approx(1.5, abs=0.02)


def ramps(n: int, side: int = 64) -> np.ndarray:
    """Images with three channels: how far down and right a pixel is, as parts of 2, and 1."""
    down, right = np.mgrid[:side, :side].astype(np.float32) / (2 * side)
    return np.repeat(np.stack([down, right, np.ones_like(down)], -1)[None], n, 0)


def test_geometric_draws_evenly_within_its_limits():
    """From where the pixels of the middle came: the affine movement of each image."""
    side = 64
    shown = applied("geometric", ramps(2000, side))[..., :2] * 2 * side
    middle, step = side // 2, 4
    at = shown[:, middle, middle]
    per_down = (shown[:, middle + step, middle] - at) / step
    per_right = (shown[:, middle, middle + step] - at) / step
    back = np.stack([per_down, per_right], axis=-1)
    forth = np.linalg.inv(back)
    centre = (side - 1) / 2
    shift = (forth @ (centre - at)[..., None])[..., 0] + middle - centre
    along, across = np.linalg.norm(forth, axis=1).T
    drawn = {
        "degrees": (np.degrees(np.arctan2(-forth[:, 0, 1], forth[:, 1, 1])), 15.0),
        "down": (shift[:, 0] / side, 0.1),
        "right": (shift[:, 1] / side, 0.1),
        "scale": (np.log(across * along) / 2, np.log(1.25)),
        "aspect": (np.log(across / along), np.log(1.25)),
    }
    for name, (values, most) in drawn.items():
        assert np.abs(values).max() <= most * 1.01, name
        assert stats.kstest(values / most, stats.uniform(-1, 2).cdf).pvalue > 1e-3, name
    together = np.corrcoef([values for values, _ in drawn.values()])
    assert np.abs(together - np.eye(5)).max() < 0.1


@pytest.mark.parametrize("name", ["geometric", "strong"])
def test_outside_is_black_whatever_the_image(name):
    white = applied(name, np.ones((40, 48, 48, 1), np.float32))
    outside = white == 0
    assert outside.mean() > 0.05
    assert (white > 0.999).mean() > 0.5
    grey = applied(name, np.full((40, 48, 48, 1), 0.7, np.float32))
    assert (grey[outside] == 0).all()
    assert np.abs(grey[white == 1] - 0.7).max() < (1e-6 if name == "geometric" else 0.3)


def test_strong_moves_as_geometric_does():
    key = tf.random.experimental.stateless_split(batch_key(1, 0, 0), 2, alg="philox")[0]
    masks = tf.constant(np.round(many(20, 33)))
    _, moved_alone = mask_augmenter("geometric")(tf.constant(many(20, 33)), masks, key)
    _, moved_too = mask_augmenter("strong")(tf.constant(many(20, 33)), masks, batch_key(1, 0, 0))
    np.testing.assert_array_equal(moved_alone, moved_too)


def test_no_amount_changes_no_bit():
    np.testing.assert_array_equal(by(many(3), scale=1.0, aspect=1.0), many(3))


def test_none_changes_no_bit():
    np.testing.assert_array_equal(applied("none", many(3)), many(3))


# RandAugment: keras-cv's operations with the amounts that are handed to them


@pytest.fixture(scope="module")
def operations():
    from benchmark.data.augmentation import randaugment  # keras-cv, slow to import

    return {each.__name__.lstrip("_"): each for each in randaugment.OPERATIONS}


def operated(operation, image: np.ndarray, strength: float, sign: float) -> np.ndarray:
    amounts = tf.constant([strength]), tf.constant([sign])
    return operation(tf.constant(image[None, :, :, None]), *amounts).numpy()[0, :, :, 0]


def test_randaugment_shades(operations):
    image = 0.2 + 0.5 * scene()
    stretched = operated(operations["stretch_contrast"], image, 0.3, 1.0)
    expected = (image - image.min()) / (image.max() - image.min())
    np.testing.assert_allclose(stretched, expected, atol=1e-5)
    brighter = operated(operations["change_brightness"], image, 0.2, -1.0)
    np.testing.assert_allclose(brighter, np.clip(image - 0.18, 0, 1), atol=1e-5)
    flatter = operated(operations["change_contrast"], image, 0.5, -1.0)
    np.testing.assert_allclose(flatter - image.mean(), 0.55 * (image - image.mean()), atol=1e-5)
    raised = np.clip(image + 0.3 * 110 / 255, 0, 1)
    expected = np.where(raised < 0.7, raised, 1 - raised)
    solarised = operated(operations["solarise"], image, 0.3, 1.0)
    assert (np.abs(solarised - expected) < 1e-4).mean() > 0.99
    dark = np.random.default_rng(0).random((64, 64), np.float32) ** 3
    equalised = operated(operations["equalise"], dark, 0.3, 1.0)
    np.testing.assert_allclose(
        np.quantile(equalised, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.05
    )


def test_randaugment_moves(operations):
    across = operated(operations["shift_right"], scene(64), 0.5, 1.0)
    down = operated(operations["shift_down"], scene(64), 0.5, 1.0)
    pixels = 0.45 * 0.5 * 64
    np.testing.assert_allclose(across, ndimage.shift(scene(64), (0, pixels), order=1), atol=0.02)
    np.testing.assert_allclose(down, ndimage.shift(scene(64), (pixels, 0), order=1), atol=0.02)
    for name, matrix in (
        ("shear_rows", [[1, 0], [0.15, 1]]),
        ("shear_columns", [[1, 0.15], [0, 1]]),
    ):
        expected = ndimage.affine_transform(scene(64), np.array(matrix), order=1)
        np.testing.assert_allclose(
            operated(operations[name], scene(64), 0.5, 1.0), expected, atol=0.02
        )


def test_randaugment_leaves_some_images_alone_and_draws_for_each_by_itself():
    shown = augmenter("randaugment")(tf.constant(many(600)), batch_key(3, 0, 0)).numpy()
    same = (shown == many(600)).all(axis=(1, 2, 3))
    assert 0 < same.mean() < 0.05  # (1 / 11) ** 2, and shifts or stretches that change nothing
    assert len({image.tobytes() for image in shown}) > 400


@pytest.mark.parametrize("name", AXIS.names())
class TestEveryPolicy:
    def images(self):
        random = np.random.default_rng(0)
        noise = random.random((3, 32, 32, 1), np.float32)
        return np.concatenate([noise, np.zeros_like(noise[:1]), np.ones_like(noise[:1])])

    def test_keeps_shape_type_and_range(self, name):
        shown = augmenter(name)(tf.constant(self.images()), batch_key(0, 0, 0))
        assert shown.dtype == tf.float32
        assert shown.shape == (5, 32, 32, 1)
        assert np.isfinite(shown).all()
        assert np.min(shown) >= 0
        assert np.max(shown) <= 1

    def test_is_the_same_eagerly_and_inside_tf_data(self, name):
        images = self.images()
        change = augmenter(name)
        eager = [change(tf.constant(images), batch_key(0, 0, b)) for b in range(4)]
        inside = tf.data.Dataset.range(4).map(
            lambda b: change(tf.constant(images), batch_key(0, 0, b)), tf.data.AUTOTUNE
        )
        for one, other in zip(eager, inside, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)

    def test_depends_on_every_part_of_the_key(self, name):
        keys = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (2**62, 0, 0)]
        images = np.repeat(self.images(), 8, axis=0)
        change = augmenter(name)
        shown = [change(tf.constant(images), batch_key(*k)).numpy() for k in keys]
        assert len({one.tobytes() for one in shown}) == (1 if name == "none" else len(keys))

    def test_masks_move_as_their_images_do_or_are_refused(self, name):
        images, key = self.images(), batch_key(0, 0, 0)
        masks = np.where(images > 0.6, 1, np.where(images < 0.2, -1, 0)).astype(np.float32)
        if not AXIS.find(name).card["masks"]:
            with pytest.raises(UnknownName, match="images with masks"):
                mask_augmenter(name)
            return
        beside, moved = mask_augmenter(name)(tf.constant(images), tf.constant(masks), key)
        np.testing.assert_allclose(beside, augmenter(name)(tf.constant(images), key), atol=1e-5)
        assert moved.shape == masks.shape
        assert set(np.unique(moved)) <= {-1.0, 0.0, 1.0}


@pytest.fixture(scope="module")
def worker() -> list:
    """What a worker with another backend, one thread and no network draws, and what it imports.

    Its operations are deterministic: then a layer without a seed asks for a generator.
    """
    command = [sys.executable, "-m", "tests.data.drawn_batches"]
    env = os.environ | {"KERAS_BACKEND": "jax"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_worker_with_another_backend_and_one_thread_draws_the_same_bits(worker):
    assert worker[0] == drawn()


@pytest.mark.slow
def test_keras_cv_is_imported_for_randaugment_only_and_without_a_network(worker):
    _, before, after = worker
    assert (before, after) == (False, True)


def test_naming_policies_imports_no_framework():
    code = (
        "import sys; from benchmark.data.augmentation import AXIS; AXIS.discover();"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
