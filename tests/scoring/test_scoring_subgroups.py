"""Subgroups against brute force over the images of each level."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scoring_cases import predictions, take
from sklearn.metrics import roc_auc_score

from benchmark.scoring.influence import share
from benchmark.scoring.intervals import logit
from benchmark.scoring.subgroups import largest_gap, level_of, subgroups

FINDINGS = ("finding_0", "finding_1", "finding_2")
THRESHOLDS = {"finding_0": 0.5, "finding_1": 0.4, "finding_2": 0.6}


def cohort(seed=0, patients=120, **facts):
    """Test predictions of patients with a sex, an age and, image by image, a view."""
    made = predictions(splits=("test",), patients=patients, images=2, seed=seed, **facts)
    n = len(made.split)
    rng = np.random.default_rng(99)
    return dataclasses.replace(
        made,
        sex=np.repeat(rng.choice(["F", "M", ""], patients), 2),
        age=np.repeat(rng.choice([-1, 0, 19, 20, 45, 59, 79, 80, 101], patients), 2),
        view=rng.choice(["PA", "AP"], n),
    )


def by_level(groups):
    return {(group.axis, group.level): group for group in groups}


def found(runs, findings=FINDINGS, thresholds=THRESHOLDS):
    return by_level(subgroups(runs, [thresholds] * len(runs), findings))


def test_age_bands_hold_their_lower_edge_and_unknown_is_no_level():
    one = dataclasses.replace(cohort(patients=4), age=np.array([-1, 0, 19, 20, 59, 60, 80, 101]))
    expected = ["", "0-19", "0-19", "20-39", "40-59", "60-79", "80 and over", "80 and over"]
    assert level_of(one, "age").tolist() == expected


def test_auc_of_a_level_is_the_mean_over_findings_and_runs():
    runs = [cohort(unlabelled=0.1)]
    noise = np.random.default_rng(5).normal(size=runs[0].logits.shape)
    runs.append(dataclasses.replace(runs[0], logits=runs[0].logits + noise))
    groups = found(runs)
    assert groups["sex", "F"].findings == FINDINGS
    for axis, level in (("sex", "F"), ("sex", "M"), ("view", "AP")):
        here = getattr(runs[0], axis) == level
        values = []
        for run in runs:
            for i in range(3):
                known = here & ~np.isnan(run.targets[:, i])
                values.append(roc_auc_score(run.targets[known, i], run.logits[known, i]))
        group = groups[axis, level]
        assert group.auc.value == pytest.approx(np.mean(values))
        assert group.auc.low < group.auc.value < group.auc.high
        assert group.finding_auc["finding_1"].value == pytest.approx(np.mean(values[1::3]))
        known = here & ~np.isnan(runs[0].targets[:, 1])
        assert group.finding_auc["finding_1"].n == known.sum()
        assert group.finding_auc["finding_1"].n_positive == runs[0].targets[known, 1].sum()


def test_underdiagnosis_counts_ill_images_on_which_nothing_is_called():
    run = cohort()
    group = found([run])["sex", "M"]
    rows = np.flatnonzero((run.sex == "M") & run.targets.any(axis=1))
    missed = np.array([
        not any(run.probabilities[row, i] >= THRESHOLDS[f] for i, f in enumerate(FINDINGS))
        for row in rows
    ])  # fmt: skip
    assert group.underdiagnosis.value == pytest.approx(missed.mean())
    assert group.underdiagnosis.n_positive == len(rows)
    patients = np.unique(run.patient_id[rows], return_inverse=True)[1]
    exact = share(1.0 * missed, np.ones(len(missed)), patients)
    assert exact is not None
    limits = (group.underdiagnosis.low, group.underdiagnosis.high)
    assert limits == pytest.approx(logit(exact.value, exact.variance, exact.degrees), rel=0.01)


def test_the_largest_gap_is_that_of_the_two_levels_farthest_apart():
    run = cohort()
    groups = found([run])
    gap = largest_gap([run], FINDINGS)
    aucs = {key: group.auc.value for key, group in groups.items() if group.auc.value is not None}
    widest = max(aucs[a] - aucs[b] for a in aucs for b in aucs if a[0] == b[0])
    assert gap.value == pytest.approx(widest)
    assert gap.value == pytest.approx(aucs[gap.axis, gap.better] - aucs[gap.axis, gap.worse])
    assert gap.interval[0] < gap.value < gap.interval[1]
    plain = dataclasses.replace(run, sex=np.full(len(run.sex), ""), age=np.full(len(run.age), -1))
    one = largest_gap([plain], FINDINGS)  # a single pair, of views, so nothing was looked for
    assert one.axis == "view"
    nothing = dataclasses.replace(plain, view=np.full(len(run.view), "PA"))
    assert largest_gap([nothing], FINDINGS) is None


def test_exclusive_findings_are_missed_where_normal_is_called():
    run = dataclasses.replace(
        cohort(kind="multiclass"), findings=("Normal", "finding_1", "finding_2")
    )
    group = found([run], run.findings, {})["view", "PA"]
    ill = (run.view == "PA") & (run.targets[:, 0] == 0)
    called_normal = run.probabilities[ill].argmax(axis=1) == 0
    assert group.underdiagnosis.value == pytest.approx(called_normal.mean())
    assert group.underdiagnosis.n_positive == ill.sum()


def test_fewer_than_ten_patients_leave_a_number_undefined():
    run = cohort(kind="binary", findings=1, patients=60)
    few = np.flatnonzero((run.sex == "F") & (run.targets[:, 0] == 1))[:9]
    rows = np.r_[np.flatnonzero((run.sex == "F") & (run.targets[:, 0] == 0)), few]
    rows = np.r_[rows, np.flatnonzero(run.sex == "M")]
    groups = found([take(run, rows)], FINDINGS[:1])
    women = groups["sex", "F"]
    assert women.auc.value is None
    assert women.underdiagnosis.value is None
    assert (women.auc.n_positive, women.underdiagnosis.n_positive) == (9, 9)
    assert groups["sex", "M"].auc.value is not None


def test_a_level_with_hardly_any_patients_does_not_hide_the_others():
    run = cohort(patients=150)
    lateral = run.view.copy()
    lateral[:4] = "L"
    groups = found([dataclasses.replace(run, view=lateral)])
    assert groups["view", "L"].auc.value is None
    assert groups["view", "PA"].findings == FINDINGS
    assert groups["view", "PA"].auc.value is not None


def test_a_set_without_metadata_has_no_subgroups():
    made = predictions(splits=("test",))
    assert subgroups([made], [THRESHOLDS], FINDINGS) == []
