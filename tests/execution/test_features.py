"""Features of a frozen backbone: computed once, shared where they may be, never trusted blindly."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from benchmark.data.indexed_images import IndexedImages
from benchmark.errors import UserError
from benchmark.training import features
from benchmark.training.features import open_features

MADE_OF = {"model_sha256": "a", "precision": "float32"}


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (70, 8, 8), np.uint8)


def backbone(seed=0):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(3, 3), keras.layers.GlobalMaxPooling2D()]
    )


@pytest.fixture
def count(monkeypatch):
    """How often features were computed."""
    calls, computed = [], features._computed

    def counted(*arguments):
        calls.append(1)
        return computed(*arguments)

    monkeypatch.setattr(features, "_computed", counted)
    return calls


def test_features_are_those_of_the_backbone(images, tmp_path):
    seen = []
    got = open_features(
        backbone(), images, MADE_OF, tmp_path, lambda done, total: seen.append((done, total))
    )
    expected = backbone().predict(images[..., None] / np.float32(255), verbose=0)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    assert seen == [(64, 70), (70, 70)]


def test_they_are_computed_once(images, tmp_path, count):
    first = np.array(open_features(backbone(), images, MADE_OF, tmp_path))
    again = open_features(backbone(), IndexedImages([images], np.arange(70)), MADE_OF, tmp_path)
    np.testing.assert_array_equal(first, again)
    assert len(count) == 1


def test_other_pixels_weights_or_circumstances_have_their_own(images, tmp_path, count):
    other = images.copy()
    other[69, 7, 7] ^= 1
    for arguments in (
        (backbone(), images, MADE_OF),
        (backbone(), other, MADE_OF),
        (backbone(), images[:69], MADE_OF),
        (backbone(1), images, MADE_OF),
        (backbone(), images, MADE_OF | {"precision": "mixed_bfloat16"}),
    ):
        open_features(*arguments, tmp_path)
    assert len(count) == len(list((tmp_path / "features").glob("*.npy"))) == 5


@pytest.mark.parametrize("damage", ["flip a bit", "cut", "no description", "another's"])
def test_damaged_features_are_computed_again(images, tmp_path, count, caplog, damage):
    expected = np.array(open_features(backbone(), images, MADE_OF, tmp_path))
    (path,) = (tmp_path / "features").glob("*.npy")
    if damage == "no description":
        path.with_suffix(".json").unlink()
    elif damage == "another's":
        path.with_suffix(".json").write_text('{"made_of": {}, "sha256": ""}')
    else:
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data if damage == "flip a bit" else data[:-5])
    again = open_features(backbone(), images, MADE_OF, tmp_path)
    np.testing.assert_array_equal(again, expected)
    assert len(count) == 2
    assert "damaged" in caplog.text


def test_a_killed_computation_leaves_nothing_that_is_taken_for_features(images, tmp_path):
    def kill(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_features(backbone(), images, MADE_OF, tmp_path, kill)
    assert list((tmp_path / "features").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_explained(images, tmp_path):
    (tmp_path / "features").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="--cache-dir"):
        open_features(backbone(), images, MADE_OF, tmp_path)
