"""Whether a training was ended while it still got better, against its definition."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.records.predictions import link
from benchmark.records.run_facts import EnsembleFacts, History
from benchmark.scoring import influence, score
from benchmark.scoring.improvement import gain_of, late_gain, never_improved, still_improving
from benchmark.scoring.macro import macro_auc
from tests.records.rows import a_row
from tests.report.made_rows import predictions, protocol

AUC = st.floats(0, 1)


def a_history(aucs, **more):
    return History(loss=[0.5] * len(aucs), val_auc=aucs, best_epoch=0, **more)


def with_error(error):
    return SimpleNamespace(validation_auc_error=error)


@given(st.lists(AUC, min_size=1, max_size=40))
def test_the_late_gain_is_what_the_last_fifth_adds_to_the_best(aucs):
    n = len(aucs)
    late = [epoch for epoch in range(n) if 5 * (n - epoch) < n + 5]  # counted one by one
    assert n <= 5 * len(late) < n + 5
    before = [aucs[epoch] for epoch in range(n) if epoch not in late]
    if not before:
        assert late_gain(aucs) is None
        return
    assert late_gain(aucs) == pytest.approx(max(aucs) - max(before))


@given(st.lists(AUC, min_size=2, max_size=30), st.integers(2, 8))
def test_patience_of_a_fifth_of_the_epochs_leaves_no_late_gain(aucs, patience):
    """What patience ended is not marked where the last fifth is no longer than it."""
    best, had = 0, []
    for epoch, auc in enumerate(aucs):
        had.append(auc)
        best = epoch if auc > had[best] else best
        if epoch - best >= patience:
            break
    if len(had) < len(aucs) and len(had) <= 5 * patience:
        assert late_gain(had) == 0


def test_an_undefined_auc_is_the_worst():
    assert late_gain([None, 0.5, 0.6, 0.6, 0.8]) == pytest.approx(0.2)
    assert late_gain([0.5, 0.6, 0.6, 0.6, None]) == 0
    assert late_gain([None, None]) is None


def test_of_stages_the_last_one_counts():
    history = a_history([0.5, 0.9, 0.6, 0.6, 0.7], stages=[("head", 2), ("all layers", 3)])
    assert gain_of(a_row(history=history)) == pytest.approx(0.1)


def test_where_nothing_was_trained_by_epochs_or_validated_by_auc_it_is_undefined():
    dice = History(loss=[1.0] * 5, val_dice=[0.1, 0.2, 0.3, 0.4, 0.9], best_epoch=4)
    specialist = EnsembleFacts(used=["cnn"], findings=["a"])
    for changes in (
        {"history": None},
        {"history": dice},
        {"history": a_history([0.5, 0.5, 0.5, 0.5, 0.9]), "ensemble": specialist},
    ):
        assert gain_of(a_row(**changes)) is None
        assert still_improving(a_row(**changes), with_error(0.01)) is None


def test_a_training_is_stalled_where_the_first_of_several_epochs_was_the_best():
    many, best = a_history([0.6, 0.5, 0.5]), History(loss=[1.0] * 3, best_epoch=1)
    assert never_improved(a_row(history=many))
    assert not never_improved(a_row(history=best))
    assert not never_improved(a_row(history=a_history([0.6])))
    assert not never_improved(a_row(history=None))
    second = EnsembleFacts(used=["cnn"], findings=["a"])
    assert not never_improved(a_row(history=many, ensemble=second))


@pytest.mark.parametrize(
    ("error", "expected"), [(0.05, True), (0.1, False), (0.2, False), (0.0, False), (None, None)]
)
def test_the_gain_must_be_more_than_the_error(error, expected):
    row = a_row(history=a_history([0.5, 0.5, 0.5, 0.5, 0.6 - 1e-9]))
    assert still_improving(row, with_error(error)) is expected


@pytest.mark.parametrize("kind", ["binary", "multilabel", "multiclass"])
def test_the_error_is_of_the_auc_that_the_history_has(kind):
    """The mean over the same findings, by what the row saved of the best epoch."""
    findings = ("a",) if kind == "binary" else ("a", "b", "c")
    saved = predictions(protocol(findings=findings), 1.0, seed=3, kind=kind)
    scores = score(saved, predictions_sha256="0" * 64, seed_text="t", resamples=10)
    part = saved.part("validation")
    ranked = link(part.logits, kind) if kind == "multiclass" else part.logits
    patients = np.unique(part.patient_id, return_inverse=True)[1]
    found = [
        influence.auc(part.targets[:, f], np.float64(ranked[:, f]), patients)
        for f in range(len(findings))
    ]
    assert macro_auc(part.targets, ranked) == pytest.approx(np.mean([each.value for each in found]))
    if kind == "binary":
        assert scores.validation_auc_error == pytest.approx(found[0].variance ** 0.5, rel=0.02)
    else:  # findings are not independent of each other, nor quite the same
        largest = max(each.variance for each in found) ** 0.5
        assert 0 < scores.validation_auc_error < largest


def test_without_validation_there_is_no_error():
    saved = predictions(protocol(), 1.0, seed=3, kind="binary")
    test = saved.part("test")
    scores = score(test, predictions_sha256="0" * 64, seed_text="t", resamples=10)
    assert scores.validation_auc_error is None
