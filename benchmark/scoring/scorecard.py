"""Predictions of one model to its scores: metrics by split, overfitting gap, intervals.

Macro values run over the findings with enough patients of both kinds on test (`protocol`);
everything else stays visible per finding. What train or validation has too few patients for is said
per number: a gap runs over the findings that both of its splits have enough of, and a threshold
that cannot be chosen is 0.5. Nothing undefined is averaged in: it is None in the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from benchmark.errors import UserError
from benchmark.records.predictions import SPLITS
from benchmark.records.scores import FindingScores, Metrics, Scores, SplitScores, SubgroupGap
from benchmark.scoring import multiclass
from benchmark.scoring.bootstrap import RESAMPLES
from benchmark.scoring.delong import mean_auc_error
from benchmark.scoring.gap import gaps
from benchmark.scoring.metrics import METRICS, mean_of_defined
from benchmark.scoring.part import Part
from benchmark.scoring.protocol import shortfall
from benchmark.scoring.subgroups import largest_gap
from benchmark.scoring.thresholds import DEFAULT_THRESHOLD, best_f1_threshold
from benchmark.scoring.uncertainty import Measured, uncertainty

if TYPE_CHECKING:
    from benchmark.records.predictions import Predictions

SCORER_VERSION = 4
HEADLINES = (
    "auc", "f1", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "log_loss",
    "average_precision", "brier", "ece", "mcc", "ppv", "npv", "sensitivity_at_specificity_0.90",
    "sensitivity_at_specificity_0.95", "best_f1", "calibration_slope", "calibration_intercept",
)  # fmt: skip


class ScoringError(UserError):
    """Predictions that cannot be scored; the text says what is wrong with them."""


def score(
    predictions: Predictions,
    *,
    predictions_sha256: str,
    seed_text: str,
    resamples: int = RESAMPLES,
    tested: bool = True,
) -> Scores:
    """Every number of a row, computed from its predictions alone.

    Args:
        predictions: of the test split, unless it was left out, and of train and validation where
            there are any. Logits rank the images (AUC, average precision, ROC points) and give the
            log loss; probabilities give decisions and calibration.
        predictions_sha256: of the file that holds them; the scores name it.
        seed_text: what the resamples are drawn from, for instance the protocol id.
        resamples: bootstrap resamples over patients.
        tested: whether there is to be a test split, or none.

    Returns:
        The scores. Undefined numbers are None.

        - ``findings``, ``macro_findings``, ``excluded`` (finding: reason), ``macro_undefined``
          (None, or why there is no macro value), ``supported``: by split the findings with enough
          patients there.
        - ``thresholds`` (empty for multiclass, which decides by the largest probability),
          ``threshold_source`` ("validation", "fixed" at 0.5 without a validation split, or
          "argmax"), ``fixed_thresholds``: findings at 0.5 whatever the source, because validation
          has too few patients of them.
        - ``splits``: by split the `HEADLINES` as ``metrics``, macro averages unless
          `multiclass.summary` defines them, ``undefined`` (headline: how many of the macro findings
          it leaves out because they leave it undefined), ``n_images``, ``n_patients``,
          ``per_finding`` and ``confusion``: (tn, fp, fn, tp) by finding, or for multiclass a matrix
          with a row for each true finding.
        - ``gap``: train minus test and its two parts, for AUC, F1 and log loss; positive means
          more on train. F1 also has the gap of a ``constant`` predictor, which prevalence alone
          can make non-zero: always positive, or for multiclass always train's commonest finding.
        - ``intervals``: of 95 %, see `uncertainty`; ``undefined_resamples``: how many of the
          bootstrap's a macro finding had no positive image in.
        - ``subgroup_gap``: the largest difference in AUC between two subgroups, see
          `subgroups.largest_gap`.
        - ``validation_auc_error``: DeLong's standard error of the mean AUC on validation, over the
          findings that have images of both kinds there, as early stopping has it.
        - ``two_valued``: whether no macro finding has more than two different scores, and one has
          two. With a single one each, nothing is told apart, as the AUC of one half says.

    Raises:
        ScoringError: no test split, or one that was to be left out; numbers that are not finite, or
            findings that should exclude each other and do not.
    """
    _check(predictions, tested=tested)
    parts = {s: Part.of(predictions.part(s)) for s in SPLITS if (predictions.split == s).any()}
    exclusive = predictions.kind == "multiclass"
    names = tuple(predictions.findings)
    supported = {split: _supported(part) for split, part in parts.items()}
    thresholds, fixed = ({}, []) if exclusive else _thresholds(parts.get("validation"), names)
    parts = {split: part.decided(list(thresholds.values())) for split, part in parts.items()}
    judged = "test" if tested else "validation"
    excluded = {names[i]: reason for i, reason in _short(parts[judged], judged).items()}
    macro = [i for i, name in enumerate(names) if name not in excluded]
    source: Literal["validation", "fixed"] = "validation" if "validation" in parts else "fixed"
    splits = {split: _split_scores(part, names, macro) for split, part in parts.items()}
    measured = Measured([parts], macro, supported, [names.index(name) for name in fixed])
    found = uncertainty(measured, resamples=resamples, seed_text=seed_text)
    return Scores(
        scorer_version=SCORER_VERSION,
        predictions_sha256=predictions_sha256,
        seed_text=seed_text,
        kind=predictions.kind,  # type: ignore[arg-type]  # the task's, checked there
        findings=list(names),
        macro_findings=[names[i] for i in macro],
        excluded=excluded,
        macro_undefined=None if macro else f"no finding has enough patients on {judged}",
        supported={split: [names[i] for i in of] for split, of in supported.items()},
        thresholds=thresholds,
        threshold_source="argmax" if exclusive else source,
        fixed_thresholds=fixed,
        splits=splits,
        gap=gaps(splits, parts, macro, supported),
        intervals=found.intervals,
        undefined_resamples=found.undefined_resamples,
        validation_auc_error=_error(parts.get("validation")),
        subgroup_gap=_subgroup_gap(predictions, [names[i] for i in macro]) if tested else None,
        two_valued=different_scores(parts[judged], macro) == 2,
    )


def different_scores(part: Part, findings: Iterable[int]) -> int:
    """How many different ones there are of that of some findings that has the most."""
    # Rounded, as the sum over many other classes depends on their order in its last digit.
    different = [len(np.unique(part.sample(i).log_odds.round(6))) for i in findings]
    return max(different, default=0)


def _subgroup_gap(predictions: Predictions, findings: list[str]) -> SubgroupGap | None:
    return largest_gap([predictions.part("test")], findings)


def _error(part: Part | None) -> float | None:
    return mean_auc_error(part.targets, part.log_odds, part.patients) if part else None


def _check(predictions: Predictions, *, tested: bool) -> None:
    holds_test = (predictions.split == "test").any()
    if tested and not holds_test:
        raise ScoringError("the predictions hold no test split; there is nothing to report on")
    if holds_test and not tested:
        raise ScoringError("the predictions hold a test split, which was to be left out")
    for name in ("logits", "probabilities"):
        bad = ~np.isfinite(getattr(predictions, name)).all(axis=1)
        if bad.any():
            raise ScoringError(
                f"{bad.sum()} of {len(bad)} images have {name} that are not finite numbers, the "
                f"first is {str(predictions.image_id[bad][0])!r}: the model diverged"
            )
    if predictions.kind == "multiclass":
        total = predictions.targets.sum(axis=1)  # NaN for an unlabelled image
        odd = ~np.isnan(total) & (total != 1)
        if odd.any():
            raise ScoringError(
                f"image {str(predictions.image_id[odd][0])!r} has {total[odd][0]:.0f} findings "
                "where a multiclass task has exactly one"
            )


def _thresholds(
    validation: Part | None, names: tuple[str, ...]
) -> tuple[dict[str, float], list[str]]:
    best: dict[str, float | None] = dict.fromkeys(names)
    if validation is not None:
        decided = validation.decided([DEFAULT_THRESHOLD] * len(names))
        for i in _supported(validation):
            sample = decided.sample(i)
            best[names[i]] = best_f1_threshold(sample.targets, sample.probabilities)
    fixed = [name for name, threshold in best.items() if threshold is None]
    return {n: DEFAULT_THRESHOLD if t is None else t for n, t in best.items()}, fixed


def _short(part: Part, split: str) -> dict[int, str]:
    """The findings with too few patients, by number, with the reason."""
    reasons = {i: shortfall({split: part.support(i)}) for i in range(part.targets.shape[1])}
    return {i: reason for i, reason in reasons.items() if reason}


def _supported(part: Part) -> list[int]:
    short = _short(part, "")
    return [i for i in range(part.targets.shape[1]) if i not in short]


def _split_scores(part: Part, names: tuple[str, ...], macro: list[int]) -> SplitScores:
    samples = [part.sample(i) for i in range(len(names))]
    table = [{key: m.function(sample) for key, m in METRICS.items()} for sample in samples]
    values = {key: [table[i][key] for i in macro] for key in HEADLINES}
    headlines = {key: mean_of_defined(each) for key, each in values.items()}
    undefined = {key: int(np.isnan(each).sum()) for key, each in values.items()}
    confusion = {n: list(s.confusion) for n, s in zip(names, samples, strict=True)}
    if part.exclusive:
        known = ~np.isnan(part.targets).any(axis=1)
        targets, decisions = part.targets[known], part.decisions[known]
        odds, probabilities = part.log_odds[known], part.probabilities[known]
        at_once = multiclass.summary(targets, odds, probabilities)
        headlines |= at_once
        undefined |= dict.fromkeys(at_once, 0)
        confusion = multiclass.confusion_matrix(targets, decisions).tolist()
    return SplitScores(
        n_images=len(part.targets),
        n_patients=len(np.unique(part.patients)),
        metrics=_plain(headlines),
        undefined={key: n for key, n in undefined.items() if n},
        per_finding={
            name: FindingScores(**vars(part.support(i)), metrics=_plain(table[i]))
            for i, name in enumerate(names)
        },
        confusion=confusion,
    )


def _plain(values: Mapping[str, float | None]) -> Metrics:
    """Floats as they are, None for what JSON cannot hold."""
    return {k: float(v) if v is not None and np.isfinite(v) else None for k, v in values.items()}
