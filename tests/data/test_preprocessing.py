"""The contract of every preprocessing variant, and each against a plain reference."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageOps
from scipy import ndimage

from benchmark.data.preprocessing import clahe, discover, equalise, find, gielczyk
from benchmark.errors import UnknownName, UserError

VARIANTS = {name: variant for name, variant in discover().items() if not variant.needs_lungs}


def noise(side: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side), np.uint8)


def dim_ramp(side: int) -> np.ndarray:
    """A low-contrast image: a slope from 100 to 140 with a darker disc."""
    y, x = np.mgrid[:side, :side] / side
    disc = 15 * ((x - 0.4) ** 2 + (y - 0.6) ** 2 < 0.04)
    return np.rint(100 + 40 * (x + y) / 2 - disc).astype(np.uint8)


@pytest.mark.parametrize("name", VARIANTS)
class TestEveryVariant:
    @pytest.mark.parametrize("side", [32, 63, 64, 100, 224])
    def test_keeps_shape_and_type_and_leaves_its_input_alone(self, name, side):
        image = dim_ramp(side)
        before = image.copy()
        made = VARIANTS[name].load()(image)
        assert made.shape == (side, side)
        assert made.dtype == np.uint8
        np.testing.assert_array_equal(image, before)

    @settings(max_examples=20, deadline=None)
    @given(image=arrays.arrays(np.uint8, (32, 32)))
    def test_takes_any_image_and_is_deterministic(self, name, image):
        apply = VARIANTS[name].load()
        made = apply(image)
        assert made.shape == image.shape
        assert made.dtype == np.uint8
        np.testing.assert_array_equal(apply(image), made)

    @pytest.mark.parametrize("value", [0, 1, 128, 255])
    def test_a_constant_image_stays_as_it_is(self, name, value):
        image = np.full((64, 64), value, np.uint8)
        np.testing.assert_array_equal(VARIANTS[name].load()(image), image)

    def test_is_idempotent_where_its_card_says_so(self, name):
        if not VARIANTS[name].card["idempotent"]:
            return
        apply = VARIANTS[name].load()
        for image in (noise(64), dim_ramp(64)):
            once = apply(image)
            np.testing.assert_array_equal(apply(once), once)

    def test_reads_a_read_only_image(self, name):
        image = noise(32)
        image.flags.writeable = False
        np.testing.assert_array_equal(
            VARIANTS[name].load()(image), VARIANTS[name].load()(image.copy())
        )


# Histogram equalisation


@settings(max_examples=25, deadline=None)
@given(image=arrays.arrays(np.uint8, (16, 16), elements=st.integers(40, 90)))
def test_equalisation_by_counting(image):
    made = equalise.apply(image)
    lowest = (image <= image.min()).sum()
    for value in np.unique(image):
        share = ((image <= value).sum() - lowest) / max(image.size - lowest, 1)
        expected = value if lowest == image.size else round(255 * share)
        assert (made[image == value] == expected).all()


def test_equalisation_uses_the_whole_range_and_keeps_the_order():
    image = dim_ramp(64)
    made = equalise.apply(image)
    assert made.min() == 0
    assert made.max() == 255
    values = np.unique(image)
    levels = [made[image == value][0] for value in values]
    assert levels == sorted(levels)


def test_equalisation_is_close_to_pillows():
    image = noise(128) // 2 + 30
    pillow = np.asarray(ImageOps.equalize(Image.fromarray(image)))
    assert np.abs(equalise.apply(image).astype(int) - pillow).max() <= 4


# CLAHE


def slow_clahe(image: np.ndarray, tiles: int, limit: float) -> np.ndarray:
    """CLAHE pixel by pixel, from its definition."""
    size = len(image)
    side = -(-size // tiles)
    padded = np.pad(image, ((0, side * tiles - size),) * 2, mode="symmetric")

    def curve(row, column, value):
        tile = padded[row * side : (row + 1) * side, column * side : (column + 1) * side]
        counts = np.bincount(tile.ravel(), minlength=256).astype(float)
        most = max(1.0, limit * tile.size / 256)
        excess = sum(max(count - most, 0) for count in counts)
        counts = [min(count, most) + excess / 256 for count in counts]
        return sum(counts[: value + 1]) * 255 / tile.size

    def between(position):
        low = int(np.floor(position))
        inside = [min(max(tile, 0), tiles - 1) for tile in (low, low + 1)]
        return inside, position - low

    made = np.zeros((size, size))
    for y in range(size):
        (top, bottom), down = between((y + 0.5) / side - 0.5)
        for x in range(size):
            (left, right), along = between((x + 0.5) / side - 0.5)
            v = int(image[y, x])
            upper = curve(top, left, v) * (1 - along) + curve(top, right, v) * along
            lower = curve(bottom, left, v) * (1 - along) + curve(bottom, right, v) * along
            made[y, x] = upper * (1 - down) + lower * down
    return made


@pytest.mark.parametrize("side", [16, 19])
def test_clahe_against_its_definition(side):
    for image in (noise(side), dim_ramp(side)):
        expected = slow_clahe(image, clahe.TILES, clahe.CLIP_LIMIT)
        assert np.abs(clahe.apply(image) - expected).max() <= 0.5 + 1e-9


def local_contrast(image: np.ndarray) -> float:
    """Mean standard deviation within 16 x 16 patches."""
    side = len(image) // 16
    patches = image.reshape(side, 16, side, 16).swapaxes(1, 2).reshape(side * side, 256)
    return patches.std(axis=1).mean()


def test_clahe_raises_local_contrast():
    image = dim_ramp(128)
    made = clahe.apply(image)
    assert local_contrast(made) > 1.4 * local_contrast(image)


# Gielczyk's chain


def chest(side: int, *, abdomen: int = 200, spine: int = 230, letter: int = 255) -> np.ndarray:
    """Dark lungs, a brighter spine, a bright dome across the lower sixth, a letter at the top."""
    y, x = np.mgrid[:side, :side] / side
    image = np.full((side, side), 60)
    image[np.abs(x - 0.5) < 0.06] = spine
    image[y > 0.84 + 0.3 * (x - 0.5) ** 2] = abdomen
    image[(y < 0.1) & (x < 0.1)] = letter
    return image.astype(np.uint8)


@pytest.mark.parametrize("side", [64, 224])
@pytest.mark.parametrize("letter", [60, 255])
def test_the_diaphragm_is_masked_and_neither_spine_nor_letter_is(side, letter):
    image = chest(side, letter=letter)
    mask = gielczyk.diaphragm(image)
    y, x = np.mgrid[:side, :side] / side
    inside = (y > 0.95) & (np.abs(x - 0.5) < 0.4)
    assert mask[inside].mean() > 0.9
    assert not mask[y < 0.8].any()
    made = gielczyk.apply(image)
    assert (made[mask] == 0).mean() > 0.5  # the blur lets a little in at the rim
    assert made[(y < 0.7) & (y > 0.2) & (np.abs(x - 0.5) < 0.03)].min() > 200


def test_nothing_is_masked_where_no_bright_object_reaches_the_lower_edge():
    image = chest(64)
    image[-4:] = 0
    assert not gielczyk.diaphragm(image).any()
    spine_only = chest(64)
    spine_only[:, :26] = spine_only[:, 38:] = 60
    assert not gielczyk.diaphragm(spine_only).any()


def test_what_is_masked_is_black_and_does_not_count_for_the_equalisation():
    image = chest(64) + noise(64) // 16
    shown = ~gielczyk.diaphragm(image)
    expected = np.zeros((64, 64))
    for value in np.unique(image[shown]):
        expected[shown & (image == value)] = 255 * (image[shown] <= value).mean()
    blurred = ndimage.gaussian_filter(expected, sigma=1.1, radius=2, mode="mirror")
    assert np.abs(gielczyk.apply(image) - blurred).max() <= 0.5 + 1e-9
    assert 0.05 < 1 - shown.mean() < 0.2


def test_the_blur_is_a_gaussian_of_five_pixels():
    point = np.zeros((9, 9))
    point[4, 4] = 1.0
    made = ndimage.gaussian_filter(point, **gielczyk.BLUR)
    weights = np.exp(-(np.arange(-2, 3) ** 2) / (2 * 1.1**2))
    expected = np.pad(np.outer(weights, weights) / weights.sum() ** 2, 2)
    np.testing.assert_allclose(made, expected, atol=1e-12)


@pytest.mark.real
def test_most_real_images_lose_a_diaphragm_and_little_else(real_data):
    files = sorted((real_data / "kermany_224" / "chest_xray" / "train").glob("*/*.jpeg"))[::100]
    images = [np.asarray(Image.open(file).convert("L")) for file in files]
    shares = np.array([gielczyk.diaphragm(image).mean() for image in images])
    assert (shares > 0.02).mean() > 0.8
    assert np.median(shares) < 0.15


# Discovery


def test_the_variants_of_the_first_version_are_there():
    assert {"raw", "equalise", "clahe"} <= VARIANTS.keys()


def test_a_file_is_a_variant(tmp_path):
    (tmp_path / "negative.py").write_text(
        'CARD = {"title": "N", "description": "d", "version": 1, "idempotent": False}\n'
        "def apply(image):\n    return 255 - image\n"
    )
    (tmp_path / "_helper.py").write_text("nonsense")
    assert list(discover(tmp_path)) == ["negative"]
    np.testing.assert_array_equal(find("negative", tmp_path).load()(noise(32)), 255 - noise(32))


def test_the_version_is_the_cards(tmp_path):
    card = 'CARD = {"title": "", "description": "", "version": 3, "idempotent": True}\n'
    (tmp_path / "one.py").write_text(card + "def apply(image): return image")
    assert find("one", tmp_path).version == 3


def test_unknown_variant_lists_the_choices():
    with pytest.raises(UnknownName, match="Did you mean 'equalise'"):
        find("equalize")


GOOD_CARD = 'CARD = {"title": "", "description": "", "version": 1, "idempotent": True}\n'


@pytest.mark.parametrize(
    "source",
    ["x = 1", "CARD = make()", "CARD = {'title': 1}", "def broken(:", "CARD = []"],
)
def test_a_bad_card_is_named(tmp_path, source):
    (tmp_path / "bad.py").write_text(source)
    with pytest.raises(UserError, match=r"bad\.py"):
        find("bad", tmp_path)


@pytest.mark.parametrize("source", ["import no_such_module", "1 / 0", "pass"])
def test_a_file_that_cannot_be_used_is_named(tmp_path, source):
    (tmp_path / "bad.py").write_text(GOOD_CARD + source)
    with pytest.raises(UserError, match=r"bad\.py"):
        find("bad", tmp_path).load()


def test_discovery_is_light():
    code = (
        "import sys, benchmark.data.preprocessing as variants; variants.discover();"
        "assert not {'tensorflow', 'keras', variants.__name__ + '.clahe'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
