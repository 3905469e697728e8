"""Where the second model takes over, what it changes and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from benchmark.data.prepared import ManifestPart
from benchmark.data.split_data import SplitData
from benchmark.ensembles.specialist import AllSplits, of_findings, take_over

GROUP = [0, 2, 3]


@pytest.fixture
def logits():
    random = np.random.default_rng(0)
    return random.normal(0, 2, (400, 5)), random.normal(0, 2, (400, 3))


def test_it_takes_over_where_the_first_predicts_one_of_the_group_and_only_there(logits):
    first, second = logits
    before, after = softmax(first, axis=1), softmax(take_over(first, second, GROUP), axis=1)
    taken = np.isin(before.argmax(axis=1), GROUP)
    assert 0 < taken.sum() < len(taken)
    np.testing.assert_allclose(after[~taken], before[~taken])
    wanted = np.array(GROUP)[second[taken].argmax(axis=1)]
    np.testing.assert_array_equal(after[taken].argmax(axis=1), wanted)


def test_within_the_group_it_shares_out_what_the_first_gave_it(logits):
    first, second = logits
    before, after = softmax(first, axis=1), softmax(take_over(first, second, GROUP), axis=1)
    taken = np.isin(before.argmax(axis=1), GROUP)
    within = after[taken][:, GROUP] / after[taken][:, GROUP].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(within, softmax(second[taken], axis=1))
    mass, others = before[:, GROUP].sum(axis=1), before[:, [1, 4]].max(axis=1)
    plain = taken & (mass * softmax(second, axis=1).max(axis=1) > 1.01 * others)
    assert 0 < plain.sum() < taken.sum()
    np.testing.assert_allclose(after[plain][:, GROUP].sum(axis=1), mass[plain])


def test_its_choice_survives_the_rounding_to_float32(logits):
    first, second = logits
    rounded = take_over(first, second, GROUP).astype(np.float32)
    taken = np.isin(first.argmax(axis=1), GROUP)
    shown = softmax(rounded.astype(float), axis=1).astype(np.float32)
    wanted = np.array(GROUP)[second[taken].argmax(axis=1)]
    np.testing.assert_array_equal(shown[taken].argmax(axis=1), wanted)


def split_data(targets, labelled=True):
    n = len(targets)
    text = np.array([f"image{i}" for i in range(n)])
    known = np.full(targets.shape, labelled)
    part = ManifestPart(text, text, np.zeros(n, int), text, text, np.float32(targets), known)
    return SplitData(part, ("train",))


def test_it_learns_from_the_images_of_its_findings_alone():
    targets = np.eye(4)[[0, 1, 2, 3, 2, 1]]
    chosen = of_findings(split_data(targets), [1, 2])
    assert chosen.part.image_id.tolist() == ["image1", "image2", "image4", "image5"]
    np.testing.assert_array_equal(chosen.part.targets, [[1, 0], [0, 1], [0, 1], [1, 0]])
    assert chosen.part.labelled.shape == (4, 2)
    images = chosen.images(lambda source: np.arange(6, dtype=np.uint8).reshape(6, 1, 1))
    assert images[:].ravel().tolist() == [1, 2, 4, 5]


def test_unlabelled_images_teach_it_nothing():
    assert len(of_findings(split_data(np.eye(3), labelled=False), [0, 1]).part) == 0


def test_all_splits_come_one_after_another():
    data = {s: split_data(np.eye(2)) for s in ("train", "validation", "test")}
    data["test"] = data["test"].take(np.array([1]))
    view = np.array([7, 9], np.uint8).reshape(2, 1, 1)
    assert AllSplits(data).images(lambda source: view)[:].ravel().tolist() == [7, 9, 7, 9, 9]
