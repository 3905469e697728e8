"""What an ensemble chooses, it chooses by validation; test predictions have no say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, roc_auc_score

from benchmark.ensembles.selection import best_members, most_confused, validation_auc
from benchmark.records.predictions import Predictions, link

SPLIT = np.repeat(["train", "validation", "test"], 60)
STRENGTHS = {"weak": 0.2, "fair": 1.0, "good": 2.0, "best": 4.0}


def predictions(strength: float, seed: int, kind: str = "multilabel", n: int = 3) -> Predictions:
    random = np.random.default_rng(seed)
    targets = np.random.default_rng(0).integers(0, 2, (len(SPLIT), n)).astype(float)
    if kind == "multiclass":
        targets = np.eye(n)[np.random.default_rng(0).integers(0, n, len(SPLIT))]
    logits = (strength * targets + random.normal(size=targets.shape)).astype(np.float32)
    text = np.array([str(i) for i in range(len(SPLIT))])
    return Predictions(
        tuple("abcdef"[:n]), kind, SPLIT, text, text, np.zeros(len(SPLIT), int), text, text,
        targets, logits, link(logits, kind),
    )  # fmt: skip


def with_other(predictions: Predictions, split: str, seed: int = 9) -> Predictions:
    """The same with the predictions of one split permuted among its images."""
    rows = np.arange(len(SPLIT))
    here = np.flatnonzero(split == SPLIT)
    rows[here] = np.random.default_rng(seed).permutation(here)
    return replace(
        predictions, logits=predictions.logits[rows], probabilities=predictions.probabilities[rows]
    )


@pytest.fixture(scope="module")
def four():
    return {name: predictions(strength, i) for i, (name, strength) in enumerate(STRENGTHS.items())}


def test_the_best_by_validation_are_chosen_in_order(four):
    assert best_members(four, 2) == ["best", "good"]
    assert best_members(four, 4) == ["best", "good", "fair", "weak"]


def test_the_choice_follows_validation_and_not_train_or_test(four):
    for split in ("train", "test"):
        spoilt = four | {"best": with_other(four["best"], split)}
        assert best_members(spoilt, 2) == best_members(four, 2)
    spoilt = four | {"best": with_other(four["best"], "validation")}
    assert "best" not in best_members(spoilt, 2)


def test_equal_members_are_ordered_by_name(four):
    twins = dict.fromkeys(("zeta", "alpha", "mid"), four["good"])
    assert best_members(twins, 2) == ["alpha", "mid"]


def test_the_validation_auc_is_the_exact_macro_auc(four):
    part = four["fair"].part("validation")
    expected = np.mean([roc_auc_score(part.targets[:, i], part.logits[:, i]) for i in range(3)])
    assert validation_auc(four["fair"]) == pytest.approx(expected)


def test_an_undefined_auc_is_the_worst(four):
    one_class = replace(four["best"], targets=np.zeros_like(four["best"].targets))
    assert best_members(four | {"best": one_class}, 4)[-1] == "best"


def confused(n=5, seed=3) -> Predictions:
    """Exclusive findings of which b and d are taken for each other in half of the images."""
    clear = predictions(8.0, seed, "multiclass", n)
    logits = clear.logits.copy()
    swapped = np.random.default_rng(seed).random(len(SPLIT)) < 0.5
    logits[np.ix_(swapped, [1, 3])] = logits[np.ix_(swapped, [3, 1])]
    return replace(clear, logits=logits, probabilities=link(logits, "multiclass"))


def test_the_findings_most_confused_on_validation_are_found():
    part = confused().part("validation")
    matrix = confusion_matrix(part.targets.argmax(1), part.logits.argmax(1), labels=range(5))
    group, images = most_confused(confused(), 2)
    assert group == [1, 3]
    assert images == matrix[1, 3] + matrix[3, 1] > 0
    assert {1, 3} < set(most_confused(confused(), 3)[0])


def test_the_confusion_of_the_test_split_is_not_looked_at():
    for split in ("train", "test"):
        assert most_confused(with_other(confused(), split), 3) == most_confused(confused(), 3)
    assert most_confused(with_other(confused(), "validation"), 3) != most_confused(confused(), 3)


def test_unlabelled_images_are_not_confused():
    unknown = replace(confused(), targets=np.full((len(SPLIT), 5), np.nan))
    assert most_confused(unknown, 2) == ([0, 1], 0)
