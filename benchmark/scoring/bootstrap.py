"""Patient-clustered bootstrap of what hangs on a threshold or a rank, for all resamples at once.

A resample draws as many patients as there are, with replacement; each patient brings all of their
images. The draws depend on the seed text and on the number of patients alone, and patients are
taken in the order of their ids: two rows scored on the same test set with the same seed text see
the same resamples, and replicates of several seeds may be averaged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.scoring.part import Part

BLOCK_ELEMENTS = 1_000_000  # 8 MB of float64 for the largest array of a block: stays in cache
RESAMPLES = 10_000
"""So many that the third decimal of a limit hardly moves with the draws."""
_Counts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
RESAMPLED = ("f1", "best_f1", "average_precision", "sensitivity_at_specificity_0.95")
"""Metrics on test that have replicates here; all other intervals need none."""


def replicates(
    test: Part,
    validation: Part | None,
    macro: Sequence[int],
    fixed: Collection[int] = (),
    *,
    resamples: int,
    seed_text: str,
) -> dict[str, np.ndarray]:
    """Metric of :data:`RESAMPLED` -> its mean over findings in every resample, (R,) float64.

    For F1 the patients of validation are drawn as well, independently of those of test, and the
    threshold is chosen anew in each resample of theirs, the highest of equals. A resample in which
    a finding has no positive image, on test or where its threshold is chosen, is NaN.

    Args:
        test: the test images, decided.
        validation: on which thresholds are chosen; None where none is.
        macro: the findings that count, by number.
        fixed: those of which no threshold is chosen, so that decisions are what they are.
        resamples: how many.
        seed_text: what the draws are derived from.
    """
    chosen = test if validation is None else validation
    free = set() if validation is None else set(macro) - set(fixed)
    columns = [_Column.of(test, chosen, i, i in free) for i in macro]
    tallest = max([_patients(test), *(column.height for column in columns)])
    block = max(1, min(resamples, BLOCK_ELEMENTS // tallest))
    found: dict[str, list[np.ndarray]] = {name: [] for name in RESAMPLED}
    draws = (resamples, seed_text)
    for of_test, of_chosen in zip(
        multiplicities(_patients(test), *draws, "test", block),
        multiplicities(_patients(chosen), *draws, "validation", block),
        strict=True,
    ):
        drawn = [column.metrics(of_test, of_chosen) for column in columns]
        for name in RESAMPLED:
            found[name].append(np.mean([each[name] for each in drawn], axis=0))
    return {name: np.concatenate([np.empty(0), *blocks]) for name, blocks in found.items()}


def multiplicities(
    n_patients: int, resamples: int, seed_text: str, stream: str, block: int = 64
) -> Iterator[np.ndarray]:
    """How often each patient is drawn: blocks of (n_patients, up to ``block``) float64.

    Philox counts from SHA-256 of ``seed_text + stream``. Its raw words are used, because their
    sequence is fixed by the algorithm, while NumPy may change how it draws integers from them; a
    64-bit word modulo the number of patients is uneven by less than one part in 10^12.

    Args:
        resamples: in all; each draws ``n_patients`` patients, so that its column sums to that.
        stream: tells the draws of several splits with one ``seed_text`` apart.
        block: most resamples that are held at a time.
    """
    bits = _philox(seed_text, stream)
    for start in range(0, resamples, block):
        width = min(block, resamples - start)
        drawn = bits.random_raw((width, n_patients)) % np.uint64(n_patients)
        drawn += np.arange(width, dtype=np.uint64)[:, None] * np.uint64(n_patients)
        counts = np.bincount(drawn.ravel().astype(np.intp), minlength=width * n_patients)
        yield np.ascontiguousarray(counts.reshape(width, n_patients).T, dtype=np.float64)


def generator(seed_text: str, stream: str) -> np.random.Generator:
    """Of other draws than patients; its own for each text and stream."""
    return np.random.Generator(_philox(seed_text, stream))


def _philox(seed_text: str, stream: str) -> np.random.Philox:
    key = hashlib.sha256((seed_text + stream).encode()).digest()[:16]
    return np.random.Philox(key=int.from_bytes(key, "big"))


def _patients(part: Part) -> int:
    return int(part.patients.max()) + 1


@dataclass(frozen=True)
class _Column:
    """One finding of a test split, and where its decisions come from.

    Attributes:
        ranked: its test images by their log-odds.
        chosen: the validation images by their probability; None where nothing is chosen.
        decided: the test images, at each threshold of ``chosen``; at one where there is none.
    """

    ranked: _Ladder
    chosen: _Ladder | None
    decided: _Ladder

    @classmethod
    def of(cls, test: Part, validation: Part, finding: int, free: bool) -> _Column:
        ranked = _Ladder.of(test, finding, test.log_odds[:, finding])
        if not free:
            rung = np.where(test.decisions[:, finding], 0, 1)
            return cls(ranked, None, _Ladder.on(test, finding, rung, 1))
        probabilities = validation.probabilities[:, finding]
        thresholds = _thresholds(validation, finding, probabilities)
        return cls(
            ranked,
            _Ladder.at(thresholds, validation, finding, probabilities),
            _Ladder.at(thresholds, test, finding, test.probabilities[:, finding]),
        )

    @property
    def height(self) -> int:
        ladders = filter(None, (self.ranked, self.chosen, self.decided))
        return max(ladder.height for ladder in ladders)

    def metrics(self, of_test: np.ndarray, of_chosen: np.ndarray) -> dict[str, np.ndarray]:
        """Metric -> (B,), under (patients, B) multiplicities of both."""
        true, false, positive, negative = self.ranked.counts(of_test)
        defined = positive > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.nan_to_num(true / (true + false))
            steps = np.diff(true, axis=0, prepend=0)
            allowed = np.where(20 * false <= negative, true, 0).max(axis=0, initial=0)
            best = _f1(true, false, positive).max(axis=0, initial=0)
            found = {
                "f1": self._f1(of_test, of_chosen),
                "best_f1": best,
                "average_precision": np.einsum("rb,rb->b", precision, steps) / positive,
                "sensitivity_at_specificity_0.95": allowed / positive,
            }
        return {name: np.where(defined, values, np.nan) for name, values in found.items()}

    def _f1(self, of_test: np.ndarray, of_chosen: np.ndarray) -> np.ndarray:
        true, false, positive, _ = self.decided.counts(of_test)
        if self.chosen is None:
            return _f1(true[0], false[0], positive)
        theirs = self.chosen.counts(of_chosen)
        rung = _f1(*theirs[:3]).argmax(axis=0)[None]
        true, false = (np.take_along_axis(each, rung, axis=0)[0] for each in (true, false))
        return np.where(theirs[2] > 0, _f1(true, false, positive), np.nan)


@dataclass(frozen=True)
class _Ladder:
    """One finding's images as rungs of falling score: which patients stand on each.

    Counts of what is called positive change their F1, precision or sensitivity for the better only
    where a positive image is added, so that there is one rung for each score of a positive image;
    negative images stand on the next rung below. Rare findings get short ladders. All counts are
    whole numbers, which float64 holds exactly in any order of summation.
    """

    positive: Any  # (rungs, patients) sparse image counts
    negative: Any
    of_patients: Any  # (2, patients) likewise: positive and negative images, whatever their score

    @classmethod
    def of(cls, part: Part, finding: int, scores: np.ndarray) -> _Ladder:
        """By the scores of the positive images themselves."""
        return cls.at(_thresholds(part, finding, scores), part, finding, scores)

    @classmethod
    def at(cls, thresholds: np.ndarray, part: Part, finding: int, scores: np.ndarray) -> _Ladder:
        """At given thresholds, falling: an image stands on the first that it reaches."""
        return cls.on(part, finding, np.searchsorted(-thresholds, -scores), len(thresholds))

    @classmethod
    def on(cls, part: Part, finding: int, rungs: np.ndarray, height: int) -> _Ladder:
        """On given rungs; images on no rung, from ``height`` on, are never called positive."""
        size = _patients(part)
        sides, values = [], part.targets[:, finding]
        for value in (1, 0):
            side = (values == value) & (rungs < height)
            sides.append(_sparse_counts(rungs[side], part.patients[side], (height, size)))
        known = ~np.isnan(values)  # sparse, too: BLAS would start threads for so little
        whole = _sparse_counts(1 - values[known].astype(int), part.patients[known], (2, size))
        positive, negative = sides
        return cls(positive, negative, whole)

    @property
    def height(self) -> int:
        return self.positive.shape[0]

    def counts(self, weights: np.ndarray) -> _Counts:
        """True and false positives down to each rung, (rungs, B), and (B,) images of each class."""
        true, false = ((side @ weights).cumsum(axis=0) for side in (self.positive, self.negative))
        positive, negative = self.of_patients @ weights
        return true, false, positive, negative


def _thresholds(part: Part, finding: int, scores: np.ndarray) -> np.ndarray:
    return np.unique(scores[part.targets[:, finding] == 1])[::-1]


def _sparse_counts(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)


def _f1(true: np.ndarray, false: np.ndarray, positive: np.ndarray) -> np.ndarray:
    return 2 * true / (true + false + positive)
