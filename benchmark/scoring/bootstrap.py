"""Patient-clustered bootstrap of macro AUC and macro F1, for all resamples at once.

A resample draws as many patients as there are, with replacement; each patient brings all of their
images. The draws depend on the seed text and on the number of patients alone, and patients are
taken in the order of their ids: two rows scored on the same test set with the same seed text see
the same resamples, and the difference of their replicates is the paired bootstrap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

MIXED = 3  # a score that images of both classes share
BLOCK_ELEMENTS = 1_000_000  # 8 MB of float64 for the largest array of a block: stays in cache


@dataclass(frozen=True)
class Replicates:
    """Macro AUC and macro F1 of every resample, (R,) float64.

    A resample in which some finding lost all its positive or all its negative images is NaN in
    both. Which ones those are depends on targets and draws only, so it is the same for every row.
    """

    auc: np.ndarray
    f1: np.ndarray


def resample(
    targets: np.ndarray,
    scores: np.ndarray,
    decisions: np.ndarray,
    patients: np.ndarray,
    *,
    resamples: int,
    seed_text: str,
    stream: str,
) -> Replicates:
    """Bootstrap replicates over patients.

    Args:
        targets: (N, F) of 0, 1 and NaN (unlabelled: left out for that finding).
        scores: (N, F) float, larger is more positive.
        decisions: (N, F) bool.
        patients: (N,) ids.
        resamples: number of resamples.
        seed_text: what the draws are derived from, with
        stream: so that train and test of one row are drawn independently.
    """
    ids, codes = np.unique(patients, return_inverse=True)
    columns = zip(targets.T, scores.T, strict=True)
    ladders = [_Ladder.of(*column, codes, len(ids)) for column in columns]
    counts = _decision_counts(targets, decisions, codes, len(ids))
    tallest = max(len(ids), *(ladder.height for ladder in ladders))
    block = max(1, min(resamples, BLOCK_ELEMENTS // tallest))
    aucs, f1s = [], []
    for weights in multiplicities(len(ids), resamples, seed_text, stream, block):
        aucs.append(np.mean([ladder.auc(weights) for ladder in ladders], axis=0))
        f1s.append(_f1(counts, weights).mean(axis=0))
    auc, f1 = (np.concatenate([np.empty(0), *blocks]) for blocks in (aucs, f1s))
    return Replicates(auc, np.where(np.isnan(auc), np.nan, f1))


def multiplicities(
    n_patients: int, resamples: int, seed_text: str, stream: str, block: int = 64
) -> Iterator[np.ndarray]:
    """How often each patient is drawn: blocks of (n_patients, up to ``block``) float64.

    Philox counts from SHA-256 of ``seed_text + stream``. Its raw words are used, because their
    sequence is fixed by the algorithm, while NumPy may change how it draws integers from them; a
    64-bit word modulo the number of patients is uneven by less than one part in 10^12.
    """
    key = hashlib.sha256((seed_text + stream).encode()).digest()[:16]
    bits = np.random.Philox(key=int.from_bytes(key, "big"))
    for start in range(0, resamples, block):
        width = min(block, resamples - start)
        drawn = bits.random_raw((width, n_patients)) % np.uint64(n_patients)
        drawn += np.arange(width, dtype=np.uint64)[:, None] * np.uint64(n_patients)
        counts = np.bincount(drawn.ravel().astype(np.intp), minlength=width * n_patients)
        yield np.ascontiguousarray(counts.reshape(width, n_patients).T, dtype=np.float64)


@dataclass(frozen=True)
class _Ladder:
    """One finding's images as rungs of rising score: which patients stand on each.

    Neighbouring scores that only positives, or only negatives, hold are one rung: no pair within
    it is compared, so nothing is lost, and rare findings get short ladders. The AUC of a resample
    is then two sparse products and one running sum; all counts are whole numbers (and halves), so
    float64 holds them exactly in any order of summation.
    """

    positive: Any  # (rungs, patients) sparse image counts
    negative: Any

    @classmethod
    def of(
        cls, targets: np.ndarray, scores: np.ndarray, codes: np.ndarray, n_patients: int
    ) -> _Ladder:
        labelled = ~np.isnan(targets)
        positive, codes = targets[labelled] == 1, codes[labelled]
        rungs = _rungs(positive, scores[labelled])
        height = int(rungs.max(initial=-1)) + 1
        count = _sparse_counts
        return cls(
            *(
                count(rungs[side], codes[side], (height, n_patients))
                for side in (positive, ~positive)
            )
        )

    @property
    def height(self) -> int:
        return self.positive.shape[0]

    def auc(self, weights: np.ndarray) -> np.ndarray:
        """(B,) AUC under (patients, B) multiplicities, NaN where a class is absent."""
        positive, negative = self.positive @ weights, self.negative @ weights
        pairs = positive.sum(axis=0) * negative.sum(axis=0)
        below = negative.cumsum(axis=0)
        below -= negative / 2
        won = np.einsum("rb,rb->b", positive, below)
        return np.divide(won, pairs, out=np.full(len(won), np.nan), where=pairs > 0)


def _rungs(positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    _, level = np.unique(scores, return_inverse=True)
    n_levels = int(level.max(initial=-1)) + 1
    has_positive = np.bincount(level[positive], minlength=n_levels) > 0
    has_negative = np.bincount(level[~positive], minlength=n_levels) > 0
    kind = has_positive + 2 * has_negative
    joins = (kind[1:] == kind[:-1]) & (kind[1:] != MIXED)
    return np.concatenate([[0], np.cumsum(~joins)])[level]


def _sparse_counts(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)


def _decision_counts(
    targets: np.ndarray, decisions: np.ndarray, codes: np.ndarray, n_patients: int
) -> np.ndarray:
    """(2, F, patients): right positive decisions, and fp + fn, of each patient."""
    right = (targets == 1) & decisions
    wrong = ~np.isnan(targets) & ((targets == 1) != decisions)
    columns = [column for part in (right, wrong) for column in part.T]
    counts = [np.bincount(codes, weights=column, minlength=n_patients) for column in columns]
    return np.reshape(counts, (2, targets.shape[1], n_patients))


def _f1(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    right, wrong = counts @ weights
    whole = 2 * right + wrong
    return np.divide(2 * right, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
