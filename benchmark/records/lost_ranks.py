"""Ranks that predictions of another tool lost on their way, in words: images that score as equal.

Where digits are left out, by whoever wrote the file or by float32 here, scores that differed
become equal, and AUC counts such a pair as half. All is asked within a split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

SURE = 1e-12
"""Probabilities nearer to 0 or 1 than this are ranked as equal."""
NEAR = 1e-3
"""So near to 0 or 1 a probability of few digits is soon that of another image."""
LOST, TOLD = 1e-2, 1e-3
"""Shares of the pairs of images of a split that float32 may make equal: from which on ranks are
lost, as an AUC moves by about half of that, and from which on it is told."""
MOST = 0.5
"""The same of probabilities, on which thresholds are: networks that are sure have some."""


def saturated(
    names: list[str], values: np.ndarray, probabilities: np.ndarray, split: np.ndarray
) -> str:
    """Which columns are nearly all of one probability, in words; empty for none."""
    same = above(newly_equal(names, values, probabilities, split), MOST)
    return same and (
        "most images of a split have one probability in float32, so that no threshold for F1 tells "
        f"them apart: {same}. Give logits nearer to 0: less a constant, or z-scores"
    )


def newly_equal(
    names: list[str], values: np.ndarray, kept: np.ndarray, split: np.ndarray
) -> dict[str, float]:
    """By column the share of pairs of images that are equal only as they are kept.

    The largest of those of the splits.
    """
    parts = [split == name for name in np.unique(split)]
    return {
        name: max((_equal(after[part]) - _equal(before[part]) for part in parts), default=0.0)
        for name, before, after in zip(names, values.T, kept.T, strict=True)
    }


def above(shares: Mapping[str, float], least: float) -> str:
    """Those above a share, in words; empty for none."""
    return few(
        f"{name} ({100 * share:.1f} % of the pairs)"
        for name, share in shares.items()
        if share > least
    )


def _equal(scores: np.ndarray) -> float:
    """Share of the pairs of images that have equal scores."""
    counts = np.unique(scores, return_counts=True)[1]
    return (counts * (counts - 1)).sum() / max(1, len(scores) * (len(scores) - 1))


def ties(names: list[str], values: np.ndarray, split: np.ndarray) -> str:
    """Which columns of probabilities have lost ranks near 0 or 1, in words; empty for none."""
    tied = {name: _tied(of_one, split) for name, of_one in zip(names, values.T, strict=True)}
    lost = [f"{name} ({n} images)" for name, n in tied.items() if n]
    if not lost:
        return ""
    return (
        f"probabilities within {NEAR:g} of 0 or 1 are those of several images of a split, which "
        f"then rank as equal, as all within {SURE:g} do: {few(lost)}. Unless these images are "
        "copies of each other, give logits, or all digits"
    )


def _tied(probabilities: np.ndarray, split: np.ndarray) -> int:
    """How many images near 0 or 1 rank as equal to another one of their split."""
    near = (probabilities < NEAR) | (probabilities > 1 - NEAR)
    ranked = np.clip(probabilities[near], SURE, 1 - SURE)
    found = Counter(zip(split[near].tolist(), ranked.tolist(), strict=True))
    return sum(n for n in found.values() if n > 1)


def few(names: Iterable[str]) -> str:
    """The first of some names, and how many more there are."""
    names = [name[:80] for name in names]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
