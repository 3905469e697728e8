"""Weights are made in memory and written like every other file: whole, or the old ones stay."""

from __future__ import annotations

import errno
import os
import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from benchmark.errors import UserError
from benchmark.hashing import sha256_of_file
from benchmark.training.network import check_room_for, save_weights


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    images = keras.Input((4, 4, 1))
    hidden = keras.layers.Conv2D(3, 2)(images)
    return keras.Model(images, keras.layers.Dense(2)(keras.layers.Flatten()(hidden)))


def test_they_are_loaded_as_they_were_and_known_by_the_hash_of_their_file(model, tmp_path):
    path = tmp_path / "weights" / "0123.weights.h5"
    told = save_weights(model, path)
    assert told == sha256_of_file(path)
    assert list(path.parent.iterdir()) == [path]
    before = model.get_weights()
    model.set_weights([value + 1 for value in before])
    model.load_weights(path)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_full_disk_is_an_error_with_the_path_and_leaves_the_old_ones(
    model, tmp_path, monkeypatch
):
    path = tmp_path / "0123.weights.h5"
    old = save_weights(model, path)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        save_weights(model, path)
    assert caught.value.filename == str(path)
    assert sha256_of_file(path) == old
    assert list(tmp_path.iterdir()) == [path]


def test_room_for_them_is_asked_for_before_the_training(model, tmp_path, monkeypatch):
    path = tmp_path / "weights" / "0123.weights.h5"
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    check_room_for(model, path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=100))
    with pytest.raises(UserError, match=r"no room for the weights of 0123 in .*weights: "):
        check_room_for(model, path)
