"""score(): every number of a row, honest about what is undefined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scoring_cases import SPLITS, predictions, take
from sklearn import metrics as sk

from benchmark.records.door import parse_record, sealed
from benchmark.records.predictions import link
from benchmark.records.scores import Gap, Scores
from benchmark.scoring import SCORER_VERSION, ScoringError, influence, intervals, score
from benchmark.scoring.part import Part
from benchmark.scoring.scorecard import HEADLINES
from benchmark.scoring.uncertainty import INTERVALS

KINDS = [("binary", 1), ("multilabel", 3), ("multiclass", 3)]


def scored(source, resamples=20):
    return score(source, predictions_sha256="0" * 64, seed_text="protocol", resamples=resamples)


@pytest.mark.parametrize(("kind", "findings"), KINDS)
def test_result_comes_back_from_its_file_and_is_complete(kind, findings):
    result = scored(predictions(kind, findings))
    assert parse_record(sealed(result), "scores", Scores, "") == result
    assert result.scorer_version == SCORER_VERSION
    assert result.macro_findings == result.findings
    assert set(result.splits) == set(SPLITS)
    for split in result.splits.values():
        assert set(split.metrics) == set(HEADLINES)
        assert None not in split.metrics.values()
        assert (split.n_images, split.n_patients) == (80, 40)


@pytest.mark.parametrize(("kind", "findings"), [*KINDS, ("multiclass", 14)])
def test_decisions_are_told_from_scores_by_the_scores_alone(kind, findings):
    source = predictions(kind, findings, patients=25 * findings + 15)
    assert not scored(source).two_valued
    best = np.eye(findings)[source.logits.argmax(axis=1)] == 1
    called = best if kind == "multiclass" else source.logits > 0
    hard = np.log(np.where(called, 0.9, 0.05)).astype(np.float32)
    assert scored(replace(source, logits=hard, probabilities=link(hard, kind))).two_valued
    hard[source.split != "test"] = source.logits[source.split != "test"]
    assert scored(replace(source, logits=hard, probabilities=link(hard, kind))).two_valued
    hard[-1] = np.linspace(-1, 1, findings)
    assert not scored(replace(source, logits=hard, probabilities=link(hard, kind))).two_valued


def test_one_score_for_all_is_no_decision():
    source = predictions()
    same = np.zeros_like(source.logits)
    result = scored(replace(source, logits=same, probabilities=link(same, "multilabel")))
    assert not result.two_valued
    assert result.splits["test"].metrics["auc"] == 0.5


@pytest.mark.parametrize("split", SPLITS)
def test_multilabel_headlines_are_means_over_findings_by_scikit_learn(split):
    source = predictions(unlabelled=0.2)
    result = scored(source)
    part = source.part(split)
    metrics = ("auc", "average_precision", "f1", "accuracy", "sensitivity", "ppv", "npv", "brier")
    expected = {key: [] for key in metrics}
    for i, name in enumerate(source.findings):
        known = ~np.isnan(part.targets[:, i])
        truth, logits = part.targets[known, i], part.logits[known, i]
        called = part.probabilities[known, i].astype(float) >= result.thresholds[name]
        expected["auc"].append(sk.roc_auc_score(truth, logits))
        expected["average_precision"].append(sk.average_precision_score(truth, logits))
        expected["f1"].append(sk.f1_score(truth, called))
        expected["accuracy"].append(sk.accuracy_score(truth, called))
        expected["sensitivity"].append(sk.recall_score(truth, called))
        expected["ppv"].append(sk.precision_score(truth, called))
        expected["npv"].append(sk.precision_score(truth, called, pos_label=0))
        expected["brier"].append(
            sk.brier_score_loss(truth, part.probabilities[known, i].astype(float))
        )
        scores = result.splits[split]
        assert scores.per_finding[name].n == known.sum()
        assert scores.per_finding[name].n_positive == truth.sum()
        cells = sk.confusion_matrix(truth, called).ravel().tolist()
        assert scores.confusion[name] == cells
    for key, values in expected.items():
        assert scores.metrics[key] == pytest.approx(np.mean(values), abs=1e-12)


def test_multiclass_headlines_by_scikit_learn():
    source = predictions("multiclass", patients=60, unlabelled=0.1)
    noise = np.random.default_rng(1).normal(size=source.logits.shape)
    logits = (source.logits + noise).astype(np.float32)  # off the lattice: no ties by rounding
    source = replace(source, logits=logits, probabilities=link(logits, "multiclass"))
    result = scored(source)
    part = source.part("test")
    known = ~np.isnan(part.targets[:, 0])
    truth = part.targets[known].argmax(axis=1)
    p = part.probabilities[known].astype(float)
    called = p.argmax(axis=1)
    scores = result.splits["test"]
    expected = {
        "auc": sk.roc_auc_score(truth, p / p.sum(1, keepdims=True), multi_class="ovr"),
        "f1": sk.f1_score(truth, called, average="macro"),
        "accuracy": sk.accuracy_score(truth, called),
        "sensitivity": sk.recall_score(truth, called, average="macro"),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, called),
        "mcc": sk.matthews_corrcoef(truth, called),
    }
    assert {key: scores.metrics[key] for key in expected} == pytest.approx(expected, abs=1e-12)
    assert scores.confusion == sk.confusion_matrix(truth, called).tolist()
    assert result.thresholds == {}
    assert result.threshold_source == "argmax"


def test_thresholds_come_from_validation_alone():
    source = predictions("binary", 1)
    result = scored(source)
    part = source.part("validation")
    assert result.threshold_source == "validation"
    threshold = result.thresholds["finding_0"]
    assert threshold in part.probabilities.astype(float)
    elsewhere = source.split != "validation"
    flipped = replace(
        source, targets=np.where(elsewhere[:, None], 1 - source.targets, source.targets)
    )
    assert scored(flipped).thresholds == result.thresholds


def test_point_values_do_not_change_when_every_patient_comes_twice():
    source = predictions(unlabelled=0.1)
    rows = np.tile(np.arange(len(source.split)), 2)
    copies = np.repeat([f"{i}" for i in range(2)], len(source.split))
    twice = take(source, rows, patient_id=np.char.add(source.patient_id[rows], copies))
    once, double = scored(source), scored(twice)
    assert double.thresholds == once.thresholds
    for split in SPLITS:
        for key in HEADLINES:
            assert double.splits[split].metrics[key] == pytest.approx(
                once.splits[split].metrics[key]
            )
        supports = double.splits[split].per_finding["finding_0"]
        assert supports.n_positive == 2 * (once.splits[split].per_finding["finding_0"].n_positive)


@pytest.mark.parametrize(("kind", "findings"), KINDS)
def test_order_of_rows_does_not_matter(kind, findings):
    source = predictions(kind, findings, unlabelled=0.1)
    order = np.random.default_rng(1).permutation(len(source.split))
    a, b = scored(source), scored(take(source, order))
    for split in SPLITS:
        for key in HEADLINES:
            assert a.splits[split].metrics[key] == pytest.approx(
                b.splits[split].metrics[key], abs=1e-10
            )
    assert a.thresholds == b.thresholds


def test_monotone_transform_of_the_logits_leaves_auc_and_f1():
    source = predictions(unlabelled=0.1)
    logits = (source.logits / 3 + 1).astype(np.float32)
    moved = replace(source, logits=logits, probabilities=link(logits, "multilabel"))
    a, b = scored(source), scored(moved)
    for split in SPLITS:
        for key in ("auc", "average_precision", "f1", "sensitivity", "mcc"):
            assert a.splits[split].metrics[key] == pytest.approx(
                b.splits[split].metrics[key], abs=1e-12
            )


# --- what the macro runs over ---------------------------------------------------------------------


def with_positives(count, split="test"):
    """Three findings; the last has ``count`` positive patients in one split."""
    source = predictions()
    targets = source.targets.copy()
    here = np.flatnonzero(source.split == split)
    targets[here, 2] = 0
    chosen = np.unique(source.patient_id[here])[:count]
    targets[here, 2] = np.isin(source.patient_id[here], chosen)
    return replace(source, targets=targets)


def test_nine_positive_patients_on_test_are_too_few():
    assert scored(with_positives(10)).excluded == {}
    result = scored(with_positives(9))
    assert result.macro_findings == ["finding_0", "finding_1"]
    assert result.excluded == {"finding_2": "9 positive patients in test (10 needed)"}
    assert result.splits["test"].per_finding["finding_2"].n_positive_patients == 9
    assert result.splits["test"].per_finding["finding_2"].metrics["auc"] is not None


@pytest.mark.parametrize("split", ["train", "validation"])
def test_what_other_splits_lack_takes_no_finding_out_of_the_mean(split):
    result = scored(with_positives(9, split))
    assert result.macro_findings == result.findings
    assert result.supported[split] == ["finding_0", "finding_1"]


def test_negative_patients_count_too():
    source = with_positives(5)
    targets = source.targets.copy()
    targets[:, 2] = 1 - targets[:, 2]
    excluded = scored(replace(source, targets=targets)).excluded
    assert excluded == {"finding_2": "5 negative patients in test (10 needed)"}


def test_what_one_finding_leaves_undefined_is_left_out_of_the_mean_and_counted():
    source = predictions()
    probabilities = source.probabilities.copy()
    here = source.split == "test"
    probabilities[here, 0] = 0.0  # nothing is called positive: no positive predictive value
    test = scored(replace(source, probabilities=probabilities)).splits["test"]
    ppv = [finding.metrics["ppv"] for finding in test.per_finding.values()]
    assert ppv[0] is None
    assert test.metrics["ppv"] == pytest.approx(np.mean(ppv[1:]))
    assert test.undefined == {"ppv": 1}


def test_an_absent_finding_is_excluded_and_not_averaged_in_as_zero():
    # keras.metrics.AUC averages it in as 0.
    result = scored(with_positives(0))
    test = result.splits["test"]
    assert test.per_finding["finding_2"].metrics["auc"] is None
    present = [test.per_finding[f].metrics["auc"] for f in ("finding_0", "finding_1")]
    assert test.metrics["auc"] == pytest.approx(np.mean(present))
    assert test.metrics["auc"] > 0.6


def test_rare_findings_get_their_exact_auc():
    # keras.metrics.AUC with its 200 thresholds is 0.14 off at this prevalence.
    source = predictions("binary", 1, patients=4000, images=1, prevalence=0.004, signal=3)
    part = source.part("test")
    exact = sk.roc_auc_score(part.targets[:, 0], part.logits[:, 0])
    per_finding = scored(source, resamples=0).splits["test"].per_finding
    assert per_finding["finding_0"].metrics["auc"] == pytest.approx(exact, abs=1e-12)


def test_without_a_qualifying_finding_there_is_no_macro_and_the_result_says_why():
    result = scored(predictions("binary", 1, patients=8))
    assert result.macro_findings == []
    assert "no finding has enough patients" in result.macro_undefined
    assert result.splits["test"].metrics["auc"] is None
    assert result.gap["auc"].value is None
    assert result.intervals == dict.fromkeys(result.intervals)
    assert result.splits["test"].per_finding["finding_0"].metrics["auc"] is not None


@pytest.mark.parametrize("positives", [0, 9])
def test_a_finding_with_too_few_patients_in_validation_is_decided_at_one_half(positives):
    result = scored(with_positives(positives, "validation"))
    assert result.macro_findings == result.findings  # test alone decides which findings count
    assert result.supported["validation"] == ["finding_0", "finding_1"]
    assert result.thresholds["finding_2"] == 0.5
    assert result.fixed_thresholds == ["finding_2"]


# --- gaps and intervals ---------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "findings"), KINDS)
def test_gap_is_the_sum_of_its_two_parts(kind, findings):
    result = scored(predictions(kind, findings))
    for metric in ("auc", "f1", "log_loss"):
        gap = result.gap[metric]
        train, test = (result.splits[s].metrics[metric] for s in ("train", "test"))
        assert gap.value == pytest.approx(train - test)
        parts = gap.train_minus_validation + gap.validation_minus_test
        assert parts == pytest.approx(gap.value)


def test_constant_gap_is_that_of_calling_everything_positive():
    source = predictions("binary", 1, unlabelled=0.1)
    prevalence = [np.nanmean(source.part(s).targets) for s in ("train", "test")]
    f1 = [2 * p / (1 + p) for p in prevalence]
    assert scored(source).gap["f1"].constant == pytest.approx(f1[0] - f1[1])


def test_constant_multiclass_gap_is_that_of_the_commonest_finding_in_train():
    source = predictions("multiclass")
    train, test = (source.part(s).targets.argmax(axis=1) for s in ("train", "test"))
    common = np.bincount(train).argmax()
    f1 = [
        sk.f1_score(y, np.full(len(y), common), average="macro", zero_division=0)
        for y in (train, test)
    ]
    assert scored(source).gap["f1"].constant == pytest.approx(f1[0] - f1[1])


def test_a_gap_runs_over_the_findings_that_both_of_its_splits_have_enough_of():
    result = scored(with_positives(9, "validation"))
    aucs = {
        split: [each.metrics["auc"] for each in scores.per_finding.values()]
        for split, scores in result.splits.items()
    }
    gap = result.gap["auc"]
    assert gap.value == pytest.approx(np.mean(aucs["train"]) - np.mean(aucs["test"]))
    first_two = {split: np.mean(each[:2]) for split, each in aucs.items()}
    assert gap.validation_minus_test == pytest.approx(first_two["validation"] - first_two["test"])
    assert gap.train_minus_validation == pytest.approx(first_two["train"] - first_two["validation"])


@pytest.mark.parametrize(("kind", "findings"), KINDS)
def test_intervals_hold_the_point_values(kind, findings):
    result = scored(predictions(kind, findings), resamples=200)
    values = {f"{s}_{name}": v for s in SPLITS for name, v in result.splits[s].metrics.items()}
    values["test_f1_frozen"] = values["test_f1"]
    for metric in ("auc", "f1"):
        gap = result.gap[metric]
        values[f"gap_{metric}"] = gap.value
        values[f"gap_{metric}_train_minus_validation"] = gap.train_minus_validation
        values[f"gap_{metric}_validation_minus_test"] = gap.validation_minus_test
    assert set(result.intervals) == set(INTERVALS)
    for name, limits in result.intervals.items():
        if kind == "multiclass" and name == "test_best_f1":
            assert limits is None
        elif (name, kind) != ("test_specificity", "multiclass"):  # there a mean of few numbers
            assert limits[0] < values[name] < limits[1], name


def test_the_gap_is_that_of_two_aucs_by_mover():
    result = scored(predictions("binary", 1))
    ends = {}
    for split in SPLITS:
        part = Part.of(predictions("binary", 1).part(split))
        found = influence.macro_auc(part, [0])
        ends[split] = (found.value, intervals.logit(found.value, found.variance, found.degrees))
        assert result.intervals[f"{split}_auc"] == pytest.approx(ends[split][1])
    expected = intervals.mover(*ends["train"], *ends["test"])
    assert result.intervals["gap_auc"] == pytest.approx(expected)


def test_a_perfect_auc_has_a_one_sided_interval():
    source = predictions("binary", 1, signal=9, images=1)
    result = scored(source)
    assert result.splits["test"].metrics["auc"] == 1.0
    part = result.splits["test"].per_finding["finding_0"]
    fewest = min(part.n_positive_patients, part.n_negative_patients)
    assert result.intervals["test_auc"] == pytest.approx([0.05 ** (1 / fewest), 1.0])
    low, high = result.intervals["gap_auc"]
    assert low < 0 < high


def test_undefined_resamples_are_counted_and_left_out(monkeypatch):
    # One positive patient of forty is missed by about e^-1 of the resamples.
    monkeypatch.setattr("benchmark.scoring.protocol.MINIMUM_PATIENTS", 1)
    result = scored(with_positives(1), resamples=400)
    assert 100 < result.undefined_resamples["test"] < 200
    assert result.intervals["test_f1"] is not None


def test_without_resamples_there_are_none_of_their_intervals():
    result = scored(predictions(), resamples=0)
    assert result.intervals["test_f1"] is None
    assert result.intervals["test_auc"] is not None


@pytest.mark.parametrize("findings", [1, 14])
def test_scores_of_a_row_are_small_whatever_the_number_of_resamples(findings):
    size = len(sealed(scored(predictions("multilabel", findings)), readable=False))
    assert size < 25_000 + 4_000 * (findings - 1)


def test_a_constant_predictor_scores_one_half_without_spread():
    source = predictions("binary", 1)
    same = replace(
        source,
        logits=np.zeros_like(source.logits),
        probabilities=np.full_like(source.probabilities, 0.5),
    )
    result = scored(same)
    assert result.splits["test"].metrics["auc"] == 0.5
    assert result.intervals["test_auc"] == (0.5, 0.5)
    assert result.splits["test"].metrics["mcc"] == 0.0
    assert result.gap["f1"].value == pytest.approx(result.gap["f1"].constant)


# --- predictions from elsewhere, and bad ones -----------------------------------------------------


def test_test_split_alone_is_scored_at_one_half_without_gap():
    result = scored(predictions(splits=("test",)))
    assert result.threshold_source == "fixed"
    assert set(result.thresholds.values()) == {0.5}
    assert set(result.splits) == {"test"}
    nothing = Gap(value=None, train_minus_validation=None, validation_minus_test=None)
    assert result.gap["auc"] == nothing
    assert result.gap["f1"].constant is None
    assert result.intervals["gap_auc"] is None
    assert result.intervals["test_auc"] is not None


def test_without_train_the_shift_between_the_other_splits_is_still_told():
    result = scored(predictions(splits=("validation", "test")))
    assert result.gap["auc"].value is None
    assert result.gap["auc"].validation_minus_test is not None


def test_without_a_test_split_there_is_an_error():
    with pytest.raises(ScoringError, match="no test split"):
        scored(predictions(splits=("train", "validation")))


@pytest.mark.parametrize("field", ["logits", "probabilities"])
def test_a_diverged_model_is_refused_by_image(field):
    source = predictions()
    values = getattr(source, field).copy()
    values[7, 1] = np.nan
    with pytest.raises(ScoringError, match=r"1 of 240 images .* 'image_7'"):
        scored(replace(source, **{field: values}))


def test_exclusive_findings_that_hold_together_are_refused():
    source = predictions("multiclass")
    targets = source.targets.copy()
    targets[3] = 1
    with pytest.raises(ScoringError, match="'image_3' has 3 findings"):
        scored(replace(source, targets=targets))


def test_scoring_imports_no_framework_and_little_else():
    import subprocess
    import sys

    code = (
        "import sys, benchmark.scoring, benchmark.scoring.ranking, benchmark.scoring.delong;"
        "print([m for m in ('tensorflow', 'keras', 'pandas', 'sklearn', 'scipy.stats')"
        " if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
