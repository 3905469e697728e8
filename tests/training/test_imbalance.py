"""Imbalance policies: exactly which images, turned how, drawn how often, weighing what."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.data.indexed_images import TRANSFORMS
from benchmark.errors import UnknownName, UserError
from benchmark.task import Task
from benchmark.training.imbalance import AXIS, check_policy, find_policy
from benchmark.training.imbalance._groups import groups_of
from benchmark.training.imbalance.balanced import balanced_order
from benchmark.training.imbalance.weighted import label_weights

BINARY = Task(("metastasis",), "binary")
MULTILABEL = Task(("Mass", "Nodule"), "multilabel")
MULTICLASS = Task(("Mass", "Nodule", "No finding"), "multiclass")


def binary(positives: int, negatives: int) -> np.ndarray:
    return np.repeat([1.0, 0.0], [positives, negatives])[:, None].astype(np.float32)


def classes(*sizes: int) -> np.ndarray:
    return np.eye(len(sizes), dtype=np.float32)[np.repeat(np.arange(len(sizes)), sizes)]


def shown(name: str, targets: np.ndarray) -> Counter:
    """How often a policy has which image under which transform."""
    rows, codes = find_policy(name).copies(targets)
    return Counter((int(row), TRANSFORMS[code]) for row, code in zip(rows, codes, strict=True))


# Copies


def test_s0_has_every_positive_six_times():
    counts = shown("copies_s0", binary(2, 3))
    expected = {(row, turn) for row in (0, 1) for turn in TRANSFORMS}
    assert counts == Counter(expected | {(row, "") for row in (2, 3, 4)})


def test_s0_makes_1716_of_286_positives():
    rows, _ = find_policy("copies_s0").copies(binary(286, 1000))
    assert (rows < 286).sum() == 1716
    assert (rows >= 286).sum() == 1000


@pytest.mark.parametrize("name", ["copies_s1", "copies_s3"])
@settings(max_examples=25, deadline=None)
@given(positives=st.integers(1, 60), negatives=st.integers(1, 60))
def test_copies_even_the_two_classes_out_exactly(name, positives, negatives):
    targets = binary(positives, negatives)
    rows, codes = find_policy(name).copies(targets)
    assert (targets[rows] == 1).sum() == (targets[rows] == 0).sum() == max(positives, negatives)
    assert sorted(rows[codes == 0][: len(targets)]) == list(range(len(targets)))


def test_s1_turns_a_class_of_one_every_way_before_it_comes_again():
    turns = Counter(
        turn for (row, turn), n in shown("copies_s1", classes(8, 1)).items() if row == 8
    )
    assert turns == Counter(TRANSFORMS)
    assert shown("copies_s1", classes(8, 1))[8, ""] == 2
    assert shown("copies_s1", classes(8, 1))[8, "flip_lr"] == 2


def test_s1_makes_all_classes_as_large_as_the_largest():
    targets = classes(7, 2, 4)
    rows, _ = find_policy("copies_s1").copies(targets)
    assert targets[rows].sum(axis=0).tolist() == [7, 7, 7]
    assert {(7, "flip_lr"), (8, "flip_lr"), (9, "flip_lr")} <= shown("copies_s1", targets).keys()


def test_s3_flips_and_flips_both_ways_and_turns_no_quarter():
    counts = shown("copies_s3", binary(10, 2))
    assert counts[10, ""] == counts[11, ""] == 2
    assert {turn for row, turn in counts if row >= 10} == {"", "flip_lr", "flip_ud", "rot180"}
    assert {turn for row, turn in counts if row < 10} == {""}


def test_what_is_not_labelled_is_neither_copied_nor_counted():
    targets = np.array([[1], [-1], [-1], [0], [0]], np.float32)
    rows, _ = find_policy("copies_s3").copies(targets)
    assert sorted(rows) == [0, 0, 1, 2, 3, 4]


def test_the_training_set_holds_the_copies_turned_and_leaves_the_images_alone():
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4), np.uint8)
    train = find_policy("copies_s0").training_set(images, binary(1, 4), seed=0)
    assert len(train.images) == len(train.targets) == 10
    assert train.order is None
    np.testing.assert_array_equal(train.images[:5], images)
    turned = [np.rot90(images[0], k) for k in (1, 2, 3)]
    turned += [np.fliplr(images[0]), np.flipud(images[0])]
    np.testing.assert_array_equal(train.images[5:], turned)
    assert train.targets[:, 0].tolist() == [1, 0, 0, 0, 0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("name", ["none", "weighted", "focal"])
def test_policies_of_the_loss_leave_the_images_alone(name):
    images, targets = np.zeros((5, 4, 4), np.uint8), binary(1, 4)
    train = find_policy(name).training_set(images, targets, seed=0)
    assert train.images is images
    assert train.targets is targets
    assert train.order is None
    rows, codes = find_policy(name).copies(targets)
    assert (rows.tolist(), codes.tolist()) == ([0, 1, 2, 3, 4], [0] * 5)


# Balanced sampling


def drawn(targets, epoch=0, seed=0):
    images = np.zeros((len(targets), 2, 2), np.uint8)
    return find_policy("balanced").training_set(images, targets, seed).order(epoch)


@pytest.mark.parametrize(
    ("targets", "shares"),
    [(binary(3, 37), [20, 20]), (classes(2, 10, 28), [13, 13, 14]), (classes(40, 0), [40])],
)
def test_an_epoch_draws_each_class_equally_often(targets, shares):
    order = drawn(targets)
    assert len(order) == len(targets) == 40
    counts = [np.isin(order, group).sum() for group in groups_of(targets)]
    assert sorted(counts) == shares


def test_with_independent_findings_the_groups_are_each_finding_and_none():
    targets = np.array([[1, 1], [1, 0], [0, 1], [0, 0], [0, -1], [-1, -1]], np.float32)
    assert [group.tolist() for group in groups_of(targets)] == [[0, 1], [0, 2], [3, 4]]
    assert 5 not in drawn(targets)


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5), seed=st.integers(0, 2**63 - 1))
def test_within_a_class_no_image_is_drawn_more_than_once_more_than_another(sizes, seed):
    targets = classes(*sizes)
    order = drawn(targets, seed=seed)
    for group in groups_of(targets):
        counts = np.bincount(order, minlength=len(targets))[group]
        assert counts.max() - counts.min() <= 1


def test_the_draw_depends_on_seed_and_epoch_alone():
    targets = binary(5, 45)
    draws = {tuple(drawn(targets, epoch, seed)) for epoch in range(3) for seed in range(3)}
    assert len(draws) == 9
    np.random.seed(0)
    first = drawn(targets, 7, 3)
    np.random.seed(1)
    np.testing.assert_array_equal(drawn(targets, 7, 3), first)


def test_every_image_of_the_large_class_has_its_turn():
    seen = np.concatenate([drawn(binary(2, 48), epoch) for epoch in range(20)])
    assert set(seen) == set(range(50))


def test_the_order_is_mixed():
    order = balanced_order(groups_of(binary(100, 100)), 200, 0, 0)
    assert 70 < (order[:100] < 100).sum() + (order[100:] >= 100).sum() < 130


# Weights


def test_weights_are_the_frequency_of_the_other_label_among_the_labelled():
    targets = np.array([[1, -1], [0, 1], [0, 1], [0, 0], [-1, -1]], np.float32)
    absent, present = label_weights(targets, exclusive=False)
    np.testing.assert_allclose(absent, [1 / 4, 2 / 3])
    np.testing.assert_allclose(present, [3 / 4, 1 / 3])


def test_positives_and_negatives_weigh_the_same_in_sum():
    targets = np.random.default_rng(0).integers(-1, 2, (50, 4)).astype(np.float32)
    absent, present = label_weights(targets, exclusive=False)
    np.testing.assert_allclose(
        present * (targets == 1).sum(axis=0), absent * (targets == 0).sum(axis=0)
    )


def test_classes_weigh_the_same_in_sum_and_one_on_average():
    targets = classes(6, 3, 1)
    absent, present = label_weights(targets, exclusive=True)
    np.testing.assert_allclose(present * [6, 3, 1], 10 / 3)
    assert (targets @ present).mean() == pytest.approx(1)
    assert not absent.any()


def test_a_finding_nobody_has_or_nobody_was_asked_for_gives_finite_weights():
    targets = np.array([[0, -1], [0, -1]], np.float32)
    for exclusive in (False, True):
        assert np.isfinite(label_weights(targets, exclusive)).all()


def test_the_loss_is_told_what_the_policy_says():
    targets = binary(1, 3)
    assert find_policy("none").loss_settings(targets, BINARY) == {"weights": None, "gamma": 0.0}
    assert find_policy("focal").loss_settings(targets, BINARY)["gamma"] == 2.0
    assert find_policy("weighted").loss_settings(targets, BINARY)["weights"] == [[0.25], [0.75]]


# Names and refusals


@pytest.mark.parametrize(
    ("task", "refused"),
    [
        (BINARY, set()),
        (MULTICLASS, {"copies_s0", "copies_s3"}),
        (MULTILABEL, {"copies_s0", "copies_s1", "copies_s3"}),
    ],
)
def test_a_policy_is_refused_where_it_has_no_meaning(task, refused):
    for name in refused:
        with pytest.raises(UserError, match=r"Use one of: balanced, .*focal, none, weighted"):
            check_policy(name, task)
    for name in set(AXIS.names()) - refused:
        check_policy(name, task)


def test_an_unknown_policy_lists_the_choices():
    with pytest.raises(UnknownName, match=r"Did you mean 'weighted'.*balanced, copies_s0"):
        find_policy("weigthed")


def test_naming_policies_imports_no_framework():
    code = (
        "import sys; from benchmark.training.imbalance import AXIS, find_policy;"
        "assert [find_policy(name) for name in AXIS.names()];"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
