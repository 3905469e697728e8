from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, log_softmax

from benchmark.errors import UserError
from benchmark.task import Task
from benchmark.training.imbalance import AXIS, check_policy, find_policy
from benchmark.training.imbalance.weighted import label_weights
from benchmark.training.loss import MaskedCrossEntropy


def brute_force(targets, logits):
    terms = []
    for target, logit in zip(targets.ravel(), logits.ravel(), strict=True):
        if target >= 0:
            p = expit(np.float64(logit))
            terms.append(-np.log(p) if target == 1 else -np.log1p(-p))
    return np.mean(terms) if terms else 0.0


def loss(exclusive, targets, logits):
    return float(keras.ops.convert_to_numpy(MaskedCrossEntropy(exclusive)(targets, logits)))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 4))
def test_independent_findings_agree_with_brute_force(seed, n, f):
    rng = np.random.default_rng(seed)
    targets = rng.integers(-1, 2, (n, f)).astype(np.float32)
    logits = rng.normal(0, 4, (n, f)).astype(np.float32)
    assert loss(False, targets, logits) == pytest.approx(brute_force(targets, logits), rel=1e-4)


def test_exclusive_findings_are_a_softmax():
    logits = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]], np.float32)
    targets = np.eye(3, dtype=np.float32)[[0, 2]]
    expected = -(log_softmax(logits, axis=1) * targets).sum(axis=1).mean()
    assert loss(True, targets, logits) == pytest.approx(expected, rel=1e-5)


def test_what_is_not_labelled_does_not_matter():
    targets = np.array([[1, -1], [0, -1]], np.float32)
    logits = np.array([[0.3, 9.0], [-0.2, -50.0]], np.float32)
    changed = logits.copy()
    changed[:, 1] = 0
    assert loss(False, targets, logits) == loss(False, targets, changed)


def test_nothing_labelled_is_zero_not_nan():
    assert loss(False, np.full((3, 2), -1, np.float32), np.ones((3, 2), np.float32)) == 0.0


def test_huge_logits_stay_finite():
    assert loss(False, np.array([[1.0, 0.0]]), np.array([[-1e4, 1e4]])) == pytest.approx(1e4)


def test_the_loss_can_be_saved_and_read_back():
    config = keras.saving.serialize_keras_object(MaskedCrossEntropy(True))
    assert keras.saving.deserialize_keras_object(config).exclusive is True


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.9), st.sampled_from([0.0, 2.0]))
def test_smoothed_labels_agree_with_brute_force(seed, share, gamma):
    rng = np.random.default_rng(seed)
    targets = rng.integers(-1, 2, (6, 3)).astype(np.float32)
    targets[0] = 1
    logits = rng.normal(0, 3, (6, 3)).astype(np.float32)
    terms = []
    for target, logit in zip(targets[targets >= 0], np.float64(logits[targets >= 0]), strict=True):
        present, p = target * (1 - share) + share / 2, expit(logit)
        of_truth = p if target else 1 - p
        entropy = -present * np.log(p) - (1 - present) * np.log1p(-p)
        terms.append((1 - of_truth) ** gamma * entropy)
    measure = MaskedCrossEntropy(False, gamma=gamma, label_smoothing=share)
    assert float(measure(targets, logits)) == pytest.approx(np.mean(terms), rel=1e-3)


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_smoothed_labels_of_exclusive_findings_are_spread_over_all(gamma):
    targets = np.eye(3, dtype=np.float32)[[0, 2, 1, 1]]
    targets[3] = -1
    logits = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0], [1, 1, 1], [9, 9, 0]], np.float32)
    known = log_softmax(np.float64(logits[:3]), axis=1)
    smoothed = 0.7 * targets[:3] + 0.3 / 3
    truth = np.exp((known * targets[:3]).sum(axis=1))
    expected = ((1 - truth) ** gamma * -(known * smoothed).sum(axis=1)).mean()
    measure = MaskedCrossEntropy(True, gamma=gamma, label_smoothing=0.3)
    assert float(measure(targets, logits)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("exclusive", [False, True])
def test_nothing_smoothed_is_the_same_bits(exclusive):
    targets = np.eye(3, dtype=np.float32)[[0, 1, 2, 2]]
    logits = np.random.default_rng(1).normal(0, 3, (4, 3)).astype(np.float32)
    same = MaskedCrossEntropy(exclusive, label_smoothing=0.0)(targets, logits)
    assert float(same) == loss(exclusive, targets, logits)


def weighted_by_hand(targets, logits, absent, present):
    """Mean over the labelled entries, one after another, in double precision."""
    terms = []
    for row, values in zip(targets, logits.astype(np.float64), strict=True):
        for f, (target, logit) in enumerate(zip(row, values, strict=True)):
            if target >= 0:
                p = expit(logit)
                terms.append(-present[f] * np.log(p) if target else -absent[f] * np.log1p(-p))
    return np.mean(terms)


def policy_loss(name, targets, logits, kind):
    task = Task(tuple("abcdef"[: targets.shape[1]]), kind)
    settings = find_policy(name).loss_settings(targets, task)
    value = MaskedCrossEntropy(task.exclusive, **settings)(targets, logits)
    return float(keras.ops.convert_to_numpy(value))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 8), st.integers(2, 4))
def test_the_weighted_loss_agrees_with_brute_force(seed, n, f):
    rng = np.random.default_rng(seed)
    targets = rng.integers(-1, 2, (n, f)).astype(np.float32)
    targets[0] = 1
    logits = rng.normal(0, 4, (n, f)).astype(np.float32)
    labelled = (targets >= 0).sum(axis=0)
    positive = (targets == 1).sum(axis=0) / labelled
    expected = weighted_by_hand(targets, logits, absent=positive, present=1 - positive)
    got = policy_loss("weighted", targets, logits, "multilabel")
    assert got == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_the_weighted_loss_is_not_the_plain_one_of_the_argmax_class():
    # Keras' class_weight takes the argmax of multi-hot labels; here every finding weighs alone.
    targets = np.array([[1, 1], [0, 1], [0, 0], [0, 0]], np.float32)
    logits = np.zeros_like(targets)
    got = policy_loss("weighted", targets, logits, "multilabel")
    frequencies = np.array([1 / 4, 2 / 4])
    assert got == pytest.approx(np.log(2) * np.mean(2 * frequencies * (1 - frequencies)), rel=1e-5)


def test_weighted_classes_are_inverse_to_their_frequency():
    targets = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 1, 2]]
    logits = np.random.default_rng(0).normal(0, 2, (6, 3)).astype(np.float32)
    entropies = -(log_softmax(logits.astype(np.float64), axis=1) * targets).sum(axis=1)
    weights = np.array([6 / (3 * 3)] * 3 + [6 / (3 * 2)] * 2 + [6 / 3])
    expected = (weights * entropies).mean()
    assert policy_loss("weighted", targets, logits, "multiclass") == pytest.approx(expected, 1e-5)


def test_the_focal_loss_is_the_formula_of_the_paper():
    targets = np.array([[1, 0, -1], [0, -1, 1]], np.float32)
    logits = np.array([[2.0, -1.0, 30.0], [0.5, -30.0, -3.0]], np.float32)
    truth = expit(np.array([2.0, 1.0, -0.5, -3.0]))  # the probability given to the right answer
    expected = np.mean(-((1 - truth) ** 2) * np.log(truth))
    assert policy_loss("focal", targets, logits, "multilabel") == pytest.approx(expected, rel=1e-4)


def test_the_focal_loss_of_exclusive_findings():
    targets = np.eye(3, dtype=np.float32)[[0, 2]]
    logits = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]], np.float32)
    truth = np.exp((log_softmax(logits, axis=1) * targets).sum(axis=1))
    expected = np.mean(-((1 - truth) ** 2) * np.log(truth))
    assert policy_loss("focal", targets, logits, "multiclass") == pytest.approx(expected, rel=1e-4)


def test_a_focal_loss_hardly_counts_what_is_easy():
    targets = np.array([[1], [0]], np.float32)
    logits = np.array([[4.0], [0.0]], np.float32)
    plain, focal = loss(False, targets, logits), policy_loss("focal", targets, logits, "binary")
    assert focal == pytest.approx(0.25 * np.log(2) / 2, rel=1e-3)  # all of it from the second
    assert plain > 3 * focal


@pytest.mark.parametrize("exclusive", [False, True])
def test_gamma_zero_and_weights_of_one_are_plain_cross_entropy(exclusive):
    targets = np.eye(3, dtype=np.float32)[[0, 1, 2, 2]]
    logits = np.random.default_rng(1).normal(0, 3, (4, 3)).astype(np.float32)
    ones = [[0.0] * 3, [1.0] * 3] if exclusive else [[1.0] * 3] * 2
    same = MaskedCrossEntropy(exclusive, weights=ones, gamma=0.0)(targets, logits)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(same), loss(exclusive, targets, logits))
    almost = MaskedCrossEntropy(exclusive, gamma=1e-6)(targets, logits)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(almost), loss(exclusive, targets, logits), rtol=1e-4
    )


@pytest.mark.parametrize("name", ["weighted", "focal"])
@pytest.mark.parametrize("kind", ["multilabel", "multiclass"])
def test_gradients_stay_finite_where_the_network_is_certain(name, kind):
    targets = np.eye(2, dtype=np.float32)[[0, 1, 1]]
    if kind == "multilabel":
        targets[2, 0] = -1
    weights = keras.Variable(np.array([[200.0, -200.0]] * 3, np.float32))
    task = Task(("a", "b"), kind)
    measure = MaskedCrossEntropy(task.exclusive, **find_policy(name).loss_settings(targets, task))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, use_bias=False)])
    model.layers[0].kernel.assign(weights)
    model.compile(keras.optimizers.SGD(1.0), measure, jit_compile=False)
    value = model.train_on_batch(np.eye(3, dtype=np.float32), targets)
    assert np.isfinite(value)
    assert np.isfinite(model.get_weights()[0]).all()


def test_a_weighted_loss_can_be_saved_and_read_back():
    config = keras.saving.serialize_keras_object(MaskedCrossEntropy(False, [[0.1], [0.9]], 2.0))
    again = keras.saving.deserialize_keras_object(config)
    assert (again.weights, again.gamma) == ([[0.1], [0.9]], 2.0)


def by_definition(name, targets, logits, exclusive):
    """The loss of a policy, image by image in double precision, without what is not labelled."""
    gamma = 2.0 if name == "focal" else 0.0
    terms = []
    if exclusive:
        known = [row for row in range(len(targets)) if (targets[row] >= 0).all()]
        sizes = targets[known].sum(axis=0)
        for row in known:
            of_class = int(targets[row].argmax())
            p = np.exp(log_softmax(np.float64(logits[row])))[of_class]
            weight = len(known) / (len(sizes) * sizes[of_class]) if name == "weighted" else 1.0
            terms.append(-weight * (1 - p) ** gamma * np.log(p))
        return np.mean(terms)
    for column, values in zip(targets.T, np.float64(logits).T, strict=True):
        positive = (column == 1).sum() / (column >= 0).sum()
        for target, logit in zip(column, values, strict=True):
            p = expit(logit if target else -logit)
            weight = (1 - positive if target else positive) if name == "weighted" else 1.0
            terms += [-weight * (1 - p) ** gamma * np.log(p)] if target >= 0 else []
    return np.mean(terms)


def some_unlabelled(kind, seed):
    """Targets (12, F) in which every class or finding has a labelled example and some are -1."""
    random = np.random.default_rng(seed)
    if kind == "multiclass":
        targets = np.eye(3, dtype=np.float32)[np.r_[0, 1, 2, random.integers(0, 3, 9)]]
        targets[9:] = -1
        return targets
    targets = random.integers(-1, 2, (12, 1 if kind == "binary" else 3)).astype(np.float32)
    targets[:2] = [[1], [0]]
    return targets


@pytest.mark.parametrize("kind", ["binary", "multilabel", "multiclass"])
@pytest.mark.parametrize("name", AXIS.names())
def test_every_policy_is_blind_to_what_is_not_labelled(name, kind):
    """By value, and in that no gradient comes from there."""
    targets = some_unlabelled(kind, seed=len(name))
    try:
        check_policy(name, Task(tuple("abc"[: targets.shape[1]]), kind))
    except UserError:
        return  # not defined for this kind of task
    logits = np.random.default_rng(3).normal(0, 3, targets.shape).astype(np.float32)
    expected = by_definition(name, targets, logits, kind == "multiclass")
    assert policy_loss(name, targets, logits, kind) == pytest.approx(expected, rel=1e-4)
    unknown = targets < 0
    assert unknown.any()
    elsewhere = np.where(unknown, 50 - 9 * np.arange(targets.shape[1]), logits).astype(np.float32)
    assert policy_loss(name, targets, elsewhere, kind) == policy_loss(name, targets, logits, kind)


def test_classes_of_which_nothing_is_known_are_zero_not_nan():
    assert loss(True, np.full((3, 2), -1, np.float32), np.ones((3, 2), np.float32)) == 0.0


def test_an_image_of_unknown_class_does_not_change_the_weights_of_classes():
    targets = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]]
    more = np.concatenate([targets, np.full((5, 3), -1, np.float32)])
    weights = [label_weights(each, exclusive=True) for each in (targets, more)]
    np.testing.assert_array_equal(*weights)
