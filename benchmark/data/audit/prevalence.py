"""Is a finding more frequent in one split than in another?

Images of one patient are not independent, so the share of positive images is a ratio of sums over
patients, with the variance of a ratio estimator (Cochran, Sampling Techniques, 3rd ed. 1977, 6.3).
The difference of two splits is tested with z; p values of all findings and pairs of splits are
corrected together (Holm 1979). Effect size: Cohen's h, the difference of the arcsine-transformed
shares (0.2 small, 0.5 medium, 0.8 large).
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.data.prepared import SPLITS

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
PerPatient = tuple[np.ndarray, np.ndarray]

FEWEST = 5
"""Patients with and without the finding that a pair of splits must have to be tested."""


def shifts(manifest: pd.DataFrame, findings: list[str]) -> list[dict[str, Any]]:
    """Compare the prevalence of every finding between every two splits.

    Returns:
        One entry per finding and pair: ``finding``, ``splits``, ``prevalence`` (two shares of the
        labelled images), ``difference`` (second minus first) with its 95 % ``interval``,
        ``cohen_h``, ``p``, ``p_holm`` and ``shifted`` (p_holm < 0.05). ``p`` is None, and the entry
        untested, with fewer than :data:`FEWEST` patients on a side.
    """
    entries = []
    for finding in findings:
        parts = {split: _part(manifest, split, finding) for split in SPLITS}
        known = [split for split in SPLITS if len(parts[split][1])]
        entries += [
            _compare(finding, (a, b), parts[a], parts[b]) for a, b in combinations(known, 2)
        ]
    tested = [entry for entry in entries if entry["p"] is not None]
    for entry, p in zip(tested, holm([entry["p"] for entry in tested]), strict=True):
        entry |= {"p_holm": p, "shifted": p < ALPHA}
    return entries


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down correction (Scand. J. Statist. 6, 1979, 65), in the order given."""
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    corrected = np.empty(len(p_values))
    corrected[order] = np.maximum.accumulate(np.array(p_values)[order] * factors)
    return np.minimum(corrected, 1.0).tolist()


def _part(manifest: pd.DataFrame, split: str, finding: str) -> PerPatient:
    """Positive and all labelled images of each patient of a split, two arrays (patients,)."""
    lines = manifest[(manifest["split"] == split) & (manifest[f"labelled:{finding}"] == 1)]
    by_patient = lines.groupby("patient_id")[f"target:{finding}"]
    return by_patient.sum().to_numpy(float), by_patient.count().to_numpy(float)


def _compare(
    finding: str, splits: tuple[str, str], first: PerPatient, second: PerPatient
) -> dict[str, Any]:
    from scipy.stats import norm

    (p, variance_p), (q, variance_q) = _share(*first), _share(*second)
    entry = {
        "finding": finding,
        "splits": list(splits),
        "prevalence": [p, q],
        "difference": q - p,
        "interval": None,
        "cohen_h": 2 * (np.arcsin(np.sqrt(q)) - np.arcsin(np.sqrt(p))).item(),
        "p": None,
        "p_holm": None,
        "shifted": False,
    }
    error = np.sqrt(variance_p + variance_q)
    if error > 0 and _enough(*first) and _enough(*second):
        margin = norm.ppf(0.975) * error
        entry["interval"] = [float(q - p - margin), float(q - p + margin)]
        entry["p"] = float(2 * norm.sf(abs(q - p) / error))
    return entry


def _share(positive: np.ndarray, images: np.ndarray) -> tuple[float, float]:
    """Share of positive images, and the variance of this ratio over patients."""
    share = float(positive.sum() / images.sum())
    n = len(images)
    residual = positive - share * images
    return share, float((residual**2).sum() / images.sum() ** 2 * n / max(n - 1, 1))


def _enough(positive: np.ndarray, images: np.ndarray) -> bool:
    return min((positive > 0).sum(), (positive < images).sum()) >= FEWEST
