"""What the grey levels of the images tell on their own: by finding, view and source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmark.report.eda.statistics import Statistic, grey_statistics, known
from benchmark.scoring import influence
from benchmark.scoring.protocol import MINIMUM_PATIENTS, Support

LEVELS = ("mean", "spread")
"""Columns that :func:`with_levels` adds: mean and standard deviation of the pixels of an image."""
_BLOCK = 512  # images


@dataclass(frozen=True)
class MeanImages:
    """The mean image with a finding, and without.

    Attributes:
        finding: its name.
        positive, negative: float (S, S).
        n_positive, n_negative: images that they are means of.
    """

    finding: str
    positive: np.ndarray
    negative: np.ndarray
    n_positive: int
    n_negative: int


def with_levels(manifest: pd.DataFrame, images: dict[str, np.ndarray]) -> pd.DataFrame:
    """The lines of the splits that images are given of, with the columns :data:`LEVELS`.

    Args:
        manifest: one line an image, in the order of the images of each split.
        images: split -> uint8 (N, S, S).
    """
    parts = []
    for split, pixels in images.items():
        _, means, deviations = grey_statistics(pixels)
        lines = manifest[manifest["split"] == split]
        parts.append(lines.assign(mean=means, spread=deviations))
    return pd.concat(parts) if parts else manifest.iloc[:0].assign(mean=0.0, spread=0.0)


def alone(lines: pd.DataFrame, findings: list[str]) -> list[Statistic]:
    """AUC of each level as if it were a model of the finding; below 0.5: lower with the finding.

    Findings with fewer than ten patients of either kind are left out. The intervals hold the
    choice of patients.
    """
    rows = []
    for finding in findings:
        here = known(lines, finding)
        targets = here["positive"].to_numpy(float)
        patients = here["patient_id"].to_numpy(str)
        support = Support.of(targets, patients)
        fewest = min(support.n_positive_patients, support.n_negative_patients)
        if fewest < MINIMUM_PATIENTS:
            continue
        codes = np.unique(patients, return_inverse=True)[1]
        for level in LEVELS:
            found = influence.auc(targets, here[level].to_numpy(float), codes)
            if found is not None:
                low, high = influence.bounded(found, fewest)
                of = f"{level} grey level" if level == "mean" else "spread of grey levels"
                rows.append(
                    Statistic("grey", finding, of, "AUC", found.value, low, high, len(here))
                )
    return rows


def mean_images(
    manifest: pd.DataFrame, images: dict[str, np.ndarray], finding: str
) -> MeanImages | None:
    """Mean images of all splits; None with fewer than ten patients of either kind."""
    side = next(iter(images.values())).shape[1:] if images else (0, 0)
    sums = {True: np.zeros(side), False: np.zeros(side)}
    n = {True: 0, False: 0}
    patients: dict[bool, set[str]] = {True: set(), False: set()}
    for split, pixels in images.items():
        lines = manifest[manifest["split"] == split].reset_index(drop=True)
        here = known(lines, finding)
        for sign in (True, False):
            chosen = here[here["positive"] == sign]
            patients[sign] |= set(chosen["patient_id"])
            n[sign] += len(chosen)
            for start in range(0, len(chosen), _BLOCK):
                block = np.sort(chosen.index.to_numpy()[start : start + _BLOCK])
                sums[sign] += np.asarray(pixels[block], float).sum(axis=0)
    if min(map(len, patients.values())) < MINIMUM_PATIENTS:
        return None  # a mean of few is nearly one of them
    return MeanImages(finding, sums[True] / n[True], sums[False] / n[False], n[True], n[False])
