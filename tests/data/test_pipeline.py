"""Batches: contract, order, shuffling, resuming, reproducibility."""

from __future__ import annotations

import functools
import resource
import time

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.data.augmentation import AXIS as AUGMENTATIONS
from benchmark.data.heartbeat import Heartbeat
from benchmark.data.pipeline import (
    epoch_order,
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from benchmark.errors import UnknownName


def numbered(n: int, side: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Images whose pixels all hold their own number (n <= 256), targets that hold it too."""
    images = np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None], (n, side, side)).copy()
    return images, np.stack([np.arange(n), np.full(n, -1)], axis=1).astype(np.float32)


def textured(n: int, side: int = 24) -> tuple[np.ndarray, np.ndarray]:
    images = np.random.default_rng(0).integers(0, 256, (n, side, side), np.uint8)
    return images, np.arange(n, dtype=np.float32)[:, None]


def collected(dataset) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(dataset.as_numpy_iterator())


def assert_same(first, second):
    assert len(first) == len(second)
    for (x, y), (u, v) in zip(first, second, strict=True):
        np.testing.assert_array_equal(x, u)
        np.testing.assert_array_equal(y, v)


def indices(batches, steps: int) -> np.ndarray:
    """(epochs, images seen) which image was where."""
    seen = np.concatenate([y[:, 0] for _, y in batches]).astype(int)
    return seen.reshape(len(batches) // steps, -1)


def test_batch_contract():
    images, targets = numbered(20)
    dataset = training_batches(images, targets, batch_size=6, seed=0, epochs=2)
    assert dataset.element_spec == (
        tf.TensorSpec((6, 8, 8, 1), tf.float32),
        tf.TensorSpec((6, 2), tf.float32),
    )
    batches = collected(dataset)
    assert len(batches) == 2 * steps_per_epoch(20, 6) == 6
    for x, y in batches:
        np.testing.assert_array_equal(
            x, np.broadcast_to(y[:, :1, None, None] / np.float32(255), x.shape)
        )
        assert (y[:, 1] == -1).all()


def test_full_grey_range_becomes_zero_to_one():
    images = np.stack([np.zeros((4, 4)), np.full((4, 4), 255)]).astype(np.uint8)
    (x,) = evaluation_batches(images, 2).as_numpy_iterator()
    assert x.dtype == np.float32
    assert (x[0] == 0).all()
    assert (x[1] == 1).all()


@settings(max_examples=10, deadline=None)
@given(n=st.integers(1, 40), batch_size=st.integers(1, 50), seed=st.integers(0, 2**63 - 1))
def test_an_epoch_never_repeats_an_image(n, batch_size, seed):
    images, targets = numbered(n)
    batches = collected(
        training_batches(images, targets, batch_size=batch_size, seed=seed, epochs=2)
    )
    steps = steps_per_epoch(n, batch_size)
    assert len(batches) == 2 * steps
    for epoch in indices(batches, steps):
        assert len(epoch) == steps * min(n, batch_size) > n - min(n, batch_size)
        assert len(set(epoch)) == len(epoch)


def test_every_image_once_per_epoch_where_the_batch_divides_their_number():
    images, targets = numbered(48)
    epochs = indices(
        collected(training_batches(images, targets, batch_size=8, seed=3, epochs=4)), 6
    )
    for epoch in epochs:
        assert sorted(epoch) == list(range(48))
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_shuffling_is_over_the_whole_set():
    """The mean distance an image travels is that of a uniform permutation, a third of the set."""
    n = 3000
    travelled = [np.abs(epoch_order(n, 1, epoch) - np.arange(n)).mean() for epoch in range(10)]
    assert np.mean(travelled) == pytest.approx(n / 3, rel=0.05)


def test_every_image_is_left_out_at_some_time_not_always_the_same():
    images, targets = numbered(10)
    epochs = indices(
        collected(training_batches(images, targets, batch_size=4, seed=0, epochs=40)), 2
    )
    assert set(epochs.ravel()) == set(range(10))
    assert len({frozenset(epoch) for epoch in epochs}) > 10


def test_order_depends_on_seed_and_epoch_only():
    orders = [epoch_order(50, seed, epoch).tolist() for seed in range(3) for epoch in range(3)]
    assert len({tuple(order) for order in orders}) == 9
    np.random.seed(0)
    order = epoch_order(50, 7, 3)
    np.random.seed(1)
    np.testing.assert_array_equal(epoch_order(50, 7, 3), order)


def test_an_order_of_ones_own_is_followed_epoch_after_epoch():
    images, targets = numbered(12)
    asked = []

    def order(epoch):
        asked.append(epoch)
        return np.full(12, epoch) if epoch < 2 else np.arange(12)[::-1]

    stream = {"batch_size": 5, "seed": 0, "order": order}
    epochs = indices(collected(training_batches(images, targets, epochs=3, **stream)), 2)
    assert epochs.tolist() == [[0] * 10, [1] * 10, list(range(11, 1, -1))]
    resumed = collected(training_batches(images, targets, first_epoch=2, epochs=3, **stream))
    assert indices(resumed, 2).tolist() == epochs.tolist()[2:]
    assert set(asked) == {0, 1, 2}


def streamed(augmentation, labels=1, first_epoch=0, threads=1):
    """What is made of 30 images in the epochs up to the third, by so many threads."""
    images, targets = textured(30)
    how = {"batch_size": 7, "seed": 5, "augmentation": augmentation, "epochs": 3}
    dataset = training_batches(images, labels * targets, first_epoch=first_epoch, **how)
    options = tf.data.Options()
    options.threading.private_threadpool_size = threads
    options.autotune.enabled = threads > 1
    return collected(dataset.with_options(options))


@pytest.fixture(scope="module")
def undisturbed():
    """Function of an augmentation: its stream, made once."""
    return functools.cache(streamed)


@pytest.mark.parametrize("augmentation", AUGMENTATIONS.names())
def test_two_runs_give_the_same_bits_whatever_the_number_of_threads(augmentation, undisturbed):
    assert_same(streamed(augmentation, threads=8), undisturbed(augmentation))


@pytest.mark.parametrize("augmentation", ["none", "standard", "randaugment", "strong"])
def test_resuming_gives_the_undisturbed_stream(augmentation, undisturbed):
    steps = steps_per_epoch(30, 7)
    assert_same(streamed(augmentation, first_epoch=1), undisturbed(augmentation)[steps:])


@pytest.mark.parametrize("augmentation", ["standard", "geometric", "photometric", "strong"])
def test_what_is_drawn_does_not_depend_on_the_labels(augmentation, undisturbed):
    shown = streamed(augmentation, labels=-1)
    for (x, _), (u, _) in zip(shown, undisturbed(augmentation), strict=True):
        np.testing.assert_array_equal(x, u)


def test_nothing_is_left_to_train_after_the_last_epoch():
    images, targets = numbered(4)
    assert (
        collected(training_batches(images, targets, batch_size=2, seed=0, first_epoch=3, epochs=3))
        == []
    )


def test_global_random_state_does_not_matter_and_is_not_touched():
    images, targets = textured(16)

    def run():
        return collected(
            training_batches(
                images, targets, batch_size=4, seed=1, augmentation="standard", epochs=1
            )
        )

    tf.random.set_seed(1)
    first = run()
    tf.random.set_seed(2)
    expected = tf.random.uniform((3,)).numpy()
    tf.random.set_seed(2)
    assert_same(run(), first)
    np.testing.assert_array_equal(tf.random.uniform((3,)).numpy(), expected)


def test_one_batch_shows_an_image_in_another_way_every_epoch():
    images = np.random.default_rng(0).integers(0, 256, (1, 24, 24), np.uint8)
    shown = collected(
        training_batches(
            images, np.zeros((1, 1)), batch_size=1, seed=0, augmentation="standard", epochs=3
        )
    )
    assert len({x.tobytes() for x, _ in shown}) == 3


@settings(max_examples=10, deadline=None)
@given(n=st.integers(1, 60), batch_size=st.integers(1, 70))
def test_evaluation_is_complete_and_in_order(n, batch_size):
    images, _ = numbered(n)
    dataset = evaluation_batches(images, batch_size)
    assert dataset.element_spec == tf.TensorSpec((None, 8, 8, 1), tf.float32)
    batches = list(dataset.as_numpy_iterator())
    assert all(len(x) == batch_size for x in batches[:-1])
    seen = np.concatenate(batches)
    np.testing.assert_array_equal(seen, images[..., None] / np.float32(255))


def test_reads_from_a_memory_map(tmp_path):
    images, targets = textured(12)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    options = {"batch_size": 5, "seed": 0, "epochs": 2}
    assert_same(
        collected(training_batches(mapped, targets, **options)),
        collected(training_batches(images, targets, **options)),
    )
    np.testing.assert_array_equal(
        np.concatenate(list(evaluation_batches(mapped, 5).as_numpy_iterator())),
        images[..., None] / np.float32(255),
    )


def test_memory_does_not_grow_with_the_set(tmp_path):
    """Ten gigabytes of images (a file with holes) are read with a few megabytes of memory."""
    shape = (200_000, 224, 224)
    np.lib.format.open_memmap(tmp_path / "images.npy", "w+", np.uint8, shape)
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    targets = np.zeros((shape[0], 1), np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    dataset = training_batches(
        images, targets, batch_size=16, seed=0, augmentation="flip", epochs=1
    )
    for _ in dataset.take(20):
        pass
    for _ in evaluation_batches(images, 16).take(20):
        pass
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300_000  # kilobytes


def test_unknown_augmentation_lists_the_choices():
    images, targets = numbered(4)
    with pytest.raises(UnknownName, match="Did you mean 'standard'"):
        training_batches(images, targets, batch_size=2, seed=0, augmentation="standart", epochs=1)


def test_every_batch_that_is_read_is_a_sign_of_life():
    images, targets = np.zeros((12, 4, 4), np.uint8), np.zeros((12, 1), np.float32)
    heartbeat, begun = Heartbeat(), time.perf_counter()
    list(evaluation_batches(images, 4, heartbeat))
    assert (heartbeat.count, len(heartbeat.handed_over)) == (3, 0)
    list(training_batches(images, targets, batch_size=4, seed=0, epochs=2, heartbeat=heartbeat))
    assert heartbeat.count == 3 + 6
    assert len(heartbeat.handed_over) == 6
    assert heartbeat.handed_over[0] > begun
