"""DeLong's variance against its definition, a published analysis and its clustered form."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmark.scoring import bootstrap, influence
from benchmark.scoring.delong import mean_auc_error, structural_components
from benchmark.scoring.intervals import normal, two_sided_p

# 113 patients with aneurysmal subarachnoid haemorrhage (Turck et al. 2010, Intensive Care Med
# 36:107): WFNS grade and S100b in ug/l, by outcome. Expected values: the analysis of these data by
# pROC (Robin et al. 2011, BMC Bioinformatics 12:77), version 1.18 of Debian's r-cran-proc, by
# proc.R beside this file.
GOOD_OUTCOME = """
1 .13  1 .14  1 .10  1 .04  5 .47  1 .18  2 .10  2 .10  1 .04  2 .08  2 .04  1 .09  1 .11  1 .07
2 .17  1 .07  2 .11  1 .13  1 .19  3 .05  4 .16  1 .14  4 .34  1 .09  5 .50  5 .46  1 .16  1 .07
2 .43  4 .45  1 .11  1 .08  2 .09  2 .08  1 .06  2 .13  1 .10  2 .14  2 .15  1 .06  1 .05  1 .09
1 .04  2 .09  1 .08  2 .16  1 .09  1 .08  3 .33  2 .11  4 .28  2 .07  1 .10  4 .32  1 .07  1 .05
5 .24  4 .38  2 .10  2 .15  1 .08  1 .14  1 .10  3 .07  1 .04  2 .19  2 .15  4 .47  4 .17  1 .15
1 .50  1 .48
"""
POOR_OUTCOME = """
3 .13  2 .10  4 .16  5 .12  5 .44  5 .71  5 .49  2 .07  5 .33  2 .09  1 .07  2 .41  5 .35  4 .48
4 .96  2 .25  5 .86  5 .52  5 2.07  2 .07  5 .77  2 .30  5 .03  2 .09  4 .23  5 .70  4 .27  4 .71
1 .08  4 .26  4 .13  2 .10  2 .11  5 .22  5 .56  2 .14  2 .58  5 .32  5 .82  5 .74  5 .44
"""


def haemorrhage():
    good, poor = (np.array(t.split(), float).reshape(-1, 2) for t in (GOOD_OUTCOME, POOR_OUTCOME))
    return np.arange(113) >= len(good), np.concatenate([good, poor])


def differences(targets, scores, patients=None):
    """Influences of the AUC of each column of scores."""
    named = np.arange(len(targets)) if patients is None else patients
    codes = np.unique(named, return_inverse=True)[1]
    return [influence.auc(targets.astype(float), column, codes) for column in scores.T]


def auc_covariance(targets, scores, patients=None):
    """AUCs of the columns of scores, and their covariance matrix."""
    found = differences(targets, scores, patients)
    terms = np.stack([each.of_patients for each in found])
    return np.array([each.value for each in found]), terms @ terms.T


def test_published_analysis_of_two_markers():
    targets, markers = haemorrhage()
    assert (targets.sum(), (~targets).sum()) == (41, 72)
    aucs, covariance = auc_covariance(targets, markers)
    assert aucs[0] == pytest.approx(0.823678861788618, rel=1e-12)
    assert covariance[0, 0] == pytest.approx(0.00146991470882363, rel=1e-10)
    assert covariance[1, 1] == pytest.approx(0.00266868245717244, rel=1e-10)
    assert covariance[0, 1] == pytest.approx(0.00119615567376754, rel=1e-10)


def test_published_paired_test_of_two_markers():
    first, second = differences(*haemorrhage())
    test = first - second
    se = test.variance**0.5
    assert test.value / se == pytest.approx(2.20898359144091, rel=1e-10)
    assert two_sided_p(test.value, se) == pytest.approx(0.0271757822291882, rel=1e-7)
    limits = normal(test.value, test.variance)
    assert limits == pytest.approx([0.0104061769564846, 0.174214419249478], rel=1e-10)


def noisy(seed, n=40, models=3, prevalence=0.4):
    rng = np.random.default_rng(seed)
    targets = rng.random(n) < prevalence
    targets[:4] = True, False, True, False
    return targets, (targets[:, None] + rng.normal(size=(n, models))).round(1)


@pytest.mark.parametrize("seed", range(5))
def test_covariance_equals_the_definition_over_all_pairs(seed):
    targets, scores = noisy(seed)
    positive, negative = scores[targets], scores[~targets]
    m, n = len(positive), len(negative)
    wins = np.zeros((m, n, scores.shape[1]))
    for i, j in product(range(m), range(n)):
        wins[i, j] = (positive[i] > negative[j]) + (positive[i] == negative[j]) / 2
    s10, s01 = np.cov(wins.mean(axis=1).T), np.cov(wins.mean(axis=0).T)
    aucs, covariance = auc_covariance(targets, scores)
    np.testing.assert_allclose(aucs, wins.mean(axis=(0, 1)), rtol=1e-12)
    np.testing.assert_allclose(covariance, s10 / m + s01 / n, rtol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_components_average_to_the_auc_on_both_sides(seed):
    targets, scores = noisy(seed, models=1)
    of_positive, of_negative = structural_components(targets, scores[:, 0])
    assert of_positive.mean() == pytest.approx(of_negative.mean(), rel=1e-12)


def test_one_image_per_patient_is_the_plain_form():
    targets, scores = noisy(0)
    names = np.array([f"p{i}" for i in np.random.default_rng(1).permutation(len(targets))])
    plain, clustered = auc_covariance(targets, scores)[1], auc_covariance(targets, scores, names)[1]
    np.testing.assert_allclose(clustered, plain, rtol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_clustered_variance_equals_obuchowskis_sums_written_out(seed):
    targets, scores = noisy(seed, n=60, models=1)
    patients = np.random.default_rng(seed).integers(15, size=60)
    v10, v01 = structural_components(targets, scores[:, 0])
    auc, m, n = v10.mean(), len(v10), len(v01)
    everyone = sorted(set(patients))
    ill = [i for i in everyone if (targets & (patients == i)).any()]
    well = [i for i in everyone if (~targets & (patients == i)).any()]
    of_ill = {i: v10[patients[targets] == i] for i in everyone}
    of_well = {i: v01[patients[~targets] == i] for i in everyone}

    def excess(part, patient):
        return part[patient].sum() - len(part[patient]) * auc

    s10 = len(ill) / ((len(ill) - 1) * m) * sum(excess(of_ill, i) ** 2 for i in ill)
    s01 = len(well) / ((len(well) - 1) * n) * sum(excess(of_well, i) ** 2 for i in well)
    # Obuchowski corrects the cross term by all patients; here both sides bring their own.
    s11 = (len(ill) / (len(ill) - 1) * len(well) / (len(well) - 1)) ** 0.5
    s11 *= sum(excess(of_ill, i) * excess(of_well, i) for i in everyone)
    expected = s10 / m + s01 / n + 2 * s11 / (m * n)
    variance = auc_covariance(targets, scores, patients)[1][0, 0]
    assert variance == pytest.approx(expected, rel=1e-10)


def test_duplicated_images_do_not_make_the_clustered_variance_smaller():
    targets, scores = noisy(2, n=80, models=1)
    twice = np.tile(np.arange(80), 2)
    single = auc_covariance(targets, scores)[1][0, 0]
    naive = auc_covariance(targets[twice], scores[twice])[1][0, 0]
    clustered = auc_covariance(targets[twice], scores[twice], twice)[1][0, 0]
    assert naive < 0.6 * single
    assert clustered == pytest.approx(single, rel=1e-10)


def test_clustered_variance_agrees_with_the_patient_bootstrap():
    rng = np.random.default_rng(5)
    patients = np.repeat(np.arange(200), 4)
    ill = np.repeat(rng.random(200) < 0.3, 4)
    scores = ill + np.repeat(rng.normal(size=200), 4) + 0.5 * rng.normal(size=800)
    closed = auc_covariance(ill, scores[:, None], patients)[1][0, 0]
    drawn = bootstrapped(lambda rows: roc_auc_score(ill[rows], scores[rows]), patients)
    assert np.std(drawn) == pytest.approx(closed**0.5, rel=0.12)


def bootstrapped(of, patients, resamples=400):
    """A number of the images of resampled patients."""
    (weights,) = bootstrap.multiplicities(patients.max() + 1, resamples, "t", "test", resamples)
    images = np.arange(len(patients))
    return [of(np.repeat(images, times[patients].astype(int))) for times in weights.T]


@pytest.mark.parametrize("seed", range(4))
def test_the_error_of_one_finding_is_that_of_its_auc(seed):
    targets, scores = noisy(seed, n=60, models=1)
    patients = np.random.default_rng(seed).integers(15, size=60)
    unknown = np.random.default_rng(seed).random(60) < 0.2
    for ids, near in ((np.arange(60), 1e-9), (patients, 0.02)):
        covariance = auc_covariance(targets[~unknown], scores[~unknown], ids[~unknown])[1]
        missing = np.where(unknown, np.nan, targets)[:, None]
        error = mean_auc_error(missing, scores, ids)
        assert error == pytest.approx(covariance[0, 0] ** 0.5, rel=near)


@pytest.mark.parametrize("seed", range(4))
def test_the_error_of_a_mean_is_made_of_all_pairs_of_findings_written_out(seed):
    random = np.random.default_rng(seed)
    patients = random.integers(20, size=90)
    targets = random.integers(0, 2, (90, 3)).astype(float)
    targets[random.random((90, 3)) < 0.2] = np.nan
    scores = np.nan_to_num(targets) + random.normal(size=(90, 1)) + random.normal(size=(90, 3))
    everyone = sorted(set(patients))
    sums, corrections = [], []
    for truth, said in zip(targets.T, scores.T, strict=True):
        ill, well = truth == 1, truth == 0
        wins = (said[ill][:, None] > said[well]) + (said[ill][:, None] == said[well]) / 2
        parts = [(wins.mean(axis=1), patients[ill]), (wins.mean(axis=0), patients[well])]
        sums.append([[(v - wins.mean())[of == i].sum() / len(v) for i in everyone]
                     for v, of in parts])  # fmt: skip
        corrections.append([(n := len(set(of))) / (n - 1) for _, of in parts])
    variance = 0.0
    for (ill, well), (c10, c01) in zip(sums, corrections, strict=True):
        for (other_ill, other_well), (o10, o01) in zip(sums, corrections, strict=True):
            variance += np.dot(ill, other_ill) * (c10 * o10) ** 0.5
            variance += np.dot(well, other_well) * (c01 * o01) ** 0.5
            cross = np.dot(ill, other_well) + np.dot(well, other_ill)
            variance += cross * len(everyone) / (len(everyone) - 1)
    assert mean_auc_error(targets, scores, patients) == pytest.approx((variance / 9) ** 0.5)


def test_the_error_of_a_mean_agrees_with_the_patient_bootstrap():
    random = np.random.default_rng(5)
    patients = np.repeat(np.arange(200), 3)
    targets = np.repeat(random.random((200, 2)) < 0.3, 3, axis=0).astype(float)
    shared = np.repeat(random.normal(size=(200, 1)), 3, axis=0)
    scores = targets + shared + 0.5 * random.normal(size=(600, 2))
    drawn = bootstrapped(lambda rows: roc_auc_score(targets[rows], scores[rows]), patients)
    assert np.std(drawn) == pytest.approx(mean_auc_error(targets, scores, patients), rel=0.12)


def test_a_mean_is_over_the_findings_that_have_both_kinds_and_needs_two_patients_of_each():
    targets, scores = noisy(1, models=2)
    both = np.stack([targets, targets], axis=1).astype(float)
    patients = np.arange(len(targets))
    alone = mean_auc_error(both[:, :1], scores[:, :1], patients)
    both[:, 1] = 1
    assert mean_auc_error(both, scores, patients) == alone
    both[0, 1] = 0
    assert mean_auc_error(both, scores, patients) is None
    assert mean_auc_error(np.full((4, 1), np.nan), np.zeros((4, 1)), np.arange(4)) is None
