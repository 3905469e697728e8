"""Predictions of one model to a scored row: metrics by split, overfitting gap, intervals.

Macro values run over the findings with enough patients of both kinds in every split
(`protocol`); everything else stays visible per finding. Nothing undefined is averaged in: it is
None in the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import UserError
from benchmark.scoring import bootstrap, multiclass
from benchmark.scoring.intervals import percentile
from benchmark.scoring.metrics import METRICS, Sample
from benchmark.scoring.protocol import Support, shortfall
from benchmark.scoring.thresholds import DEFAULT_THRESHOLD, argmax_decisions, best_f1_threshold

if TYPE_CHECKING:
    from benchmark.records.predictions import Predictions

SCORER_VERSION = 1
SPLITS = ("train", "validation", "test")
HEADLINES = (
    "auc", "f1", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "log_loss",
    "average_precision", "brier", "ece", "mcc",
)  # fmt: skip
GAPS = ("auc", "f1", "log_loss")
DECIMALS = 7


class ScoringError(UserError):
    """Predictions that cannot be scored; the text says what is wrong with them."""


def score(predictions: Predictions, *, resamples: int = 1000, seed_text: str) -> dict:
    """Every number of a row, computed from its predictions alone.

    Args:
        predictions: of the test split, and of train and validation where there are any. Logits
            rank the images (AUC, average precision, ROC points) and give the log loss;
            probabilities give decisions and calibration.
        resamples: bootstrap resamples over patients.
        seed_text: what the resamples are drawn from. Rows that are to be compared need the same
            text, for instance the protocol id; their replicates are then paired.

    Returns:
        A dictionary of plain values, ready for JSON. Undefined numbers are None.

        - ``findings``, ``macro_findings``, ``excluded`` (finding: reason), ``macro_undefined``
          (None, or why there is no macro value).
        - ``thresholds`` (empty for multiclass, which decides by the largest probability),
          ``threshold_source`` ("validation", "fixed" at 0.5 without a validation split, or
          "argmax"), ``fixed_thresholds``: findings at 0.5 whatever the source, because validation
          has no positive image of them.
        - ``splits``: by split the `HEADLINES`, macro averages unless `multiclass.summary` defines
          them, ``n_images``, ``n_patients``, ``per_finding`` and ``confusion``: (tn, fp, fn, tp)
          by finding, or for multiclass a matrix with a row for each true finding.
        - ``gap``: train minus test and its two parts, for AUC, F1 and log loss; positive means
          more on train. F1 also has the gap of a ``constant`` predictor, which prevalence alone
          can make non-zero: always positive, or for multiclass always train's commonest finding.
        - ``intervals``: 95 % percentile intervals; those of the gaps from independent train and
          test resamples. ``replicates``: of the test split, None where a macro finding lost a
          class in the resample; ``undefined_resamples`` counts these by split.

    Raises:
        ScoringError: no test split, numbers that are not finite, or findings that should exclude
            each other and do not.
    """
    _check(predictions)
    parts = {s: _Part.of(predictions.part(s)) for s in SPLITS if (predictions.split == s).any()}
    exclusive = predictions.kind == "multiclass"
    names = tuple(predictions.findings)
    thresholds, fixed = ({}, []) if exclusive else _thresholds(parts.get("validation"), names)
    parts = {split: part.decided(list(thresholds.values())) for split, part in parts.items()}
    excluded = _excluded(parts, names)
    macro = [i for i, name in enumerate(names) if name not in excluded]
    source = "validation" if "validation" in parts else "fixed"
    splits = {split: _split_scores(part, names, macro) for split, part in parts.items()}
    return {
        "scorer_version": SCORER_VERSION,
        "kind": predictions.kind,
        "findings": list(names),
        "macro_findings": [names[i] for i in macro],
        "excluded": excluded,
        "macro_undefined": None if macro else "no finding has enough patients in every split",
        "thresholds": thresholds,
        "threshold_source": "argmax" if exclusive else source,
        "fixed_thresholds": fixed,
        "splits": splits,
        "gap": _gaps(splits, parts, macro),
        **_uncertainty(parts, macro, resamples, seed_text),
    }


@dataclass(frozen=True)
class _Part:
    """One split: (N, F) arrays, targets NaN where unlabelled; (N,) patients, numbered by id."""

    targets: np.ndarray
    log_odds: np.ndarray
    probabilities: np.ndarray
    patients: np.ndarray
    exclusive: bool
    decisions: np.ndarray | None = None

    @classmethod
    def of(cls, predictions: Predictions) -> _Part:
        exclusive = predictions.kind == "multiclass"
        targets = np.array(predictions.targets, float)
        if exclusive:  # an image is labelled for all of them or for none
            targets[np.isnan(targets).any(axis=1)] = np.nan
        logits = np.asarray(predictions.logits, float)
        odds = multiclass.log_odds(logits) if exclusive else logits
        probabilities = np.asarray(predictions.probabilities, float)
        patients = np.unique(predictions.patient_id, return_inverse=True)[1]
        return cls(targets, odds, probabilities, patients, exclusive)

    def decided(self, thresholds: list[float]) -> _Part:
        """The same with decisions: argmax where findings are exclusive, else >= threshold."""
        by_threshold = None if self.exclusive else self.probabilities >= np.array(thresholds)
        decisions = argmax_decisions(self.probabilities) if self.exclusive else by_threshold
        return replace(self, decisions=decisions)

    def sample(self, finding: int) -> Sample:
        """The labelled images of one finding."""
        labelled = ~np.isnan(self.targets[:, finding])
        arrays = (self.targets == 1, self.log_odds, self.probabilities, self.decisions)
        return Sample(*(array[labelled, finding] for array in arrays))

    def support(self, finding: int) -> Support:
        """How many labelled images and patients one finding has."""
        return Support.of(self.targets[:, finding], self.patients)


def _check(predictions: Predictions) -> None:
    if not (predictions.split == "test").any():
        raise ScoringError("the predictions hold no test split; there is nothing to report on")
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
    validation: _Part | None, names: tuple[str, ...]
) -> tuple[dict[str, float], list[str]]:
    best: dict[str, float | None] = dict.fromkeys(names)
    for i, name in enumerate(names if validation else ()):
        targets, labelled = validation.targets[:, i], ~np.isnan(validation.targets[:, i])
        best[name] = best_f1_threshold(
            targets[labelled] == 1, validation.probabilities[labelled, i]
        )
    fixed = [name for name, threshold in best.items() if threshold is None]
    return {n: DEFAULT_THRESHOLD if t is None else t for n, t in best.items()}, fixed


def _excluded(parts: Mapping[str, _Part], names: tuple[str, ...]) -> dict[str, str]:
    reasons = {
        name: shortfall({split: part.support(i) for split, part in parts.items()})
        for i, name in enumerate(names)
    }
    return {name: reason for name, reason in reasons.items() if reason}


def _split_scores(part: _Part, names: tuple[str, ...], macro: list[int]) -> dict:
    samples = [part.sample(i) for i in range(len(names))]
    table = [{key: m.function(sample) for key, m in METRICS.items()} for sample in samples]
    headlines = {key: _mean([table[i][key] for i in macro]) for key in HEADLINES}
    confusion = {n: list(s.confusion) for n, s in zip(names, samples, strict=True)}
    if part.exclusive:
        known = ~np.isnan(part.targets).any(axis=1)
        targets, decisions = part.targets[known], part.decisions[known]
        odds, probabilities = part.log_odds[known], part.probabilities[known]
        headlines |= multiclass.summary(targets, odds, probabilities)
        confusion = multiclass.confusion_matrix(targets, decisions).tolist()
    return {
        "n_images": len(part.targets),
        "n_patients": len(np.unique(part.patients)),
        **_plain(headlines),
        "per_finding": {
            name: asdict(part.support(i)) | _plain(table[i]) for i, name in enumerate(names)
        },
        "confusion": confusion,
    }


def _gaps(splits: Mapping[str, dict], parts: Mapping[str, _Part], macro: list[int]) -> dict:
    def differences(values: Mapping[str, float | None]) -> dict:
        pairs = {
            "value": ("train", "test"),
            "train_minus_validation": ("train", "validation"),
            "validation_minus_test": ("validation", "test"),
        }
        return {name: _difference(*(values.get(s) for s in pair)) for name, pair in pairs.items()}

    gaps = {
        metric: differences({split: scores[metric] for split, scores in splits.items()})
        for metric in GAPS
    }
    gaps["f1"]["constant"] = differences(_constant_f1(parts, macro))["value"]
    return gaps


def _constant_f1(parts: Mapping[str, _Part], macro: list[int]) -> dict[str, float | None]:
    """Macro F1 by split of a model that says the same about every image."""
    if "train" not in parts:
        return {}
    train = parts["train"]
    called = np.ones(train.targets.shape[1], bool)
    if train.exclusive:
        called = np.arange(len(called)) == np.nansum(train.targets, axis=0).argmax()
    values = {}
    for split, part in parts.items():
        constant = replace(part, decisions=np.broadcast_to(called, part.targets.shape))
        values[split] = _mean([METRICS["f1"].function(constant.sample(i)) for i in macro])
    return values


def _uncertainty(
    parts: Mapping[str, _Part], macro: list[int], resamples: int, seed_text: str
) -> dict:
    drawn = {
        split: bootstrap.resample(
            part.targets[:, macro], part.log_odds[:, macro], part.decisions[:, macro],
            part.patients, resamples=resamples, seed_text=seed_text, stream=split,
        )
        for split, part in parts.items() if split != "validation" and macro
    }  # fmt: skip
    empty = bootstrap.Replicates(np.empty(0), np.empty(0))
    train, test = drawn.get("train", empty), drawn.get("test", empty)
    paired = len(train.auc) == len(test.auc)
    return {
        "intervals": {
            "test_auc": percentile(test.auc),
            "test_f1": percentile(test.f1),
            "gap_auc": percentile(train.auc - test.auc) if paired else None,
            "gap_f1": percentile(train.f1 - test.f1) if paired else None,
        },
        "replicates": {"test_auc": _rounded(test.auc), "test_f1": _rounded(test.f1)},
        "undefined_resamples": {s: int(np.isnan(r.auc).sum()) for s, r in drawn.items()},
    }


def _mean(values: list[float]) -> float | None:
    """Mean of the defined values; None without any."""
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else None


def _difference(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


def _rounded(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else round(value, DECIMALS) for value in values.tolist()]


def _plain(values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Floats as they are, None for what JSON cannot hold."""
    return {k: float(v) if v is not None and np.isfinite(v) else None for k, v in values.items()}
