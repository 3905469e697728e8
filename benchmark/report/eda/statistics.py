"""What a data set says before any model sees it: counts, co-occurrence, associations.

Input is the manifest of a prepared set, a DataFrame with one line per image and the columns
``patient_id``, ``split``, ``age`` (-1 unknown), ``sex``, ``view``, ``target:<finding>`` and
``labelled:<finding>``. Intervals are 95 % percentile bootstrap intervals over patients, because
images of one patient are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmark.records.predictions import SPLITS
from benchmark.report.eda.file_shape import ShapeAlone

RESAMPLES = 400
_BLOCK = 512  # images


@dataclass(frozen=True)
class Statistic:
    """One number of the CSV: what it is of, its value, its interval and the images it rests on."""

    table: str
    finding: str
    of: str
    measure: str
    value: float
    low: float
    high: float
    images: int


def values_of(rows: Sequence[Statistic]) -> dict[tuple[str, str, str], float]:
    """The values by finding, what they are of, and measure."""
    return {(row.finding, row.of, row.measure): row.value for row in rows}


def known(manifest: pd.DataFrame, finding: str) -> pd.DataFrame:
    """Lines on which a finding is labelled, with a column ``positive``."""
    lines = manifest[manifest[f"labelled:{finding}"] == 1]
    return lines.assign(positive=lines[f"target:{finding}"].to_numpy(bool))


def counts(manifest: pd.DataFrame, findings: list[str]) -> list[Statistic]:
    """Labelled and positive images, positive patients and prevalence of each finding and split."""
    rows = []
    for finding in findings:
        for split in SPLITS:
            lines = known(manifest[manifest["split"] == split], finding)
            positive = lines[lines["positive"]]
            share = len(positive) / len(lines) if len(lines) else np.nan
            numbers = {
                "labelled images": len(lines),
                "positive images": len(positive),
                "positive patients": positive["patient_id"].nunique(),
                "prevalence": share,
            }
            rows += [_exactly("counts", finding, split, k, v, lines) for k, v in numbers.items()]
    return rows


def samples(lines: pd.DataFrame, findings: list[str], most: int) -> dict[str, list[int]]:
    """Places of lines with each finding, and of lines without any: for a contact sheet.

    Those with few other findings come first, then those that stand first; none is there twice.
    """
    columns = [lines[f"target:{f}"] * lines[f"labelled:{f}"] for f in findings]
    positive = np.array([column.to_numpy(bool) for column in columns]).reshape(-1, len(lines))
    without = f"no {findings[0]}" if len(findings) == 1 else "none of these"
    clear = np.logical_not(positive.any(axis=0))
    rows = {**dict(zip(findings, positive, strict=True)), without if findings else "images": clear}
    together = positive.sum(axis=0)
    used: set[int] = set()
    chosen = {}
    for row, here in rows.items():
        free = [line for line in np.flatnonzero(here).tolist() if line not in used]
        chosen[row] = sorted(free, key=lambda line: together[line])[:most]
        used.update(chosen[row])
    return chosen


def cooccurrence(manifest: pd.DataFrame, findings: list[str]) -> np.ndarray:
    """(F, F): of the images with the row's finding, the share that has the column's, too.

    Images on which the other finding is not labelled are left out; NaN without any image.
    """
    labelled = manifest[[f"labelled:{f}" for f in findings]].to_numpy(float)
    positive = manifest[[f"target:{f}" for f in findings]].to_numpy(float) * labelled
    both, base = positive.T @ positive, positive.T @ labelled
    return np.where(base > 0, both / np.maximum(base, 1), np.nan)


def counted_together(manifest: pd.DataFrame, findings: list[str]) -> np.ndarray:
    """(F, F) int: images with the row's finding and the column's; in the diagonal with the one."""
    labelled = manifest[[f"labelled:{f}" for f in findings]].to_numpy(int)
    positive = manifest[[f"target:{f}" for f in findings]].to_numpy(int) * labelled
    return positive.T @ positive


def always_together(manifest: pd.DataFrame, findings: list[str]) -> list[str]:
    """In words which findings go, or never go, with all that some other image shows.

    A finding that every image with any of the others has was perhaps what images were chosen by.
    """
    share, both = cooccurrence(manifest, findings), counted_together(manifest, findings)
    said = []
    for k, finding in enumerate(findings):
        others = [j for j in range(len(findings)) if j != k and both[j, j]]
        if len(others) > 1 and all(share[j, k] == 1 for j in others):
            said.append(f"Every image with any other finding also has {finding}.")
        if len(others) > 1 and both[k, k] and all(share[j, k] == 0 for j in others):
            said.append(f"No image with another finding has {finding}.")
    return said


def grey_statistics(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of each grey level (256,), and mean and standard deviation of each image, (N,) both.

    Args:
        pixels: uint8 (N, S, S), read block by block: it may be a view on disk, larger than memory.
    """
    levels, means, deviations = np.zeros(256), [], []
    for start in range(0, len(pixels), _BLOCK):
        flat = np.asarray(pixels[start : start + _BLOCK]).reshape(-1, pixels[0].size)
        levels += np.bincount(flat.ravel(), minlength=256)
        means.append(flat.mean(1))
        deviations.append(flat.std(1))
    if not means:
        return levels, np.empty(0), np.empty(0)
    return levels / levels.sum(), np.concatenate(means), np.concatenate(deviations)


def associations(manifest: pd.DataFrame, findings: list[str], seed: int) -> list[Statistic]:
    """How strongly age, sex and view go with each finding.

    Returns:
        Per finding, where the metadata are there: ``standardised mean difference`` of age (positive
        minus negative, in pooled standard deviations; Cohen 1988), ``odds ratio`` of the finding in
        women against men (0.5 added to each cell; Haldane 1956) and ``Cramer's V`` of the views
        (Cramer 1946). NaN where a side is empty.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for finding in findings:
        lines = known(manifest, finding)
        aged = lines[lines["age"] >= 0]
        rows += _measured(finding, "age", "standardised mean difference", aged, _ages, _smd, rng)
        sexed = lines[lines["sex"].isin(["F", "M"])]
        rows += _measured(finding, "sex: F against M", "odds ratio", sexed, _sexes, _odds, rng)
        seen = lines[lines["view"] != ""]
        if seen["view"].nunique() > 1:
            rows += _measured(finding, "view", "Cramer's V", seen, _views, _cramer, rng)
    return rows


def by_shape(told: ShapeAlone) -> list[Statistic]:
    """``AUC`` of each finding from the shape of the original file alone, with its interval."""
    return [
        Statistic("shape", each.finding, "file", "AUC", each.auc, each.low, each.high, each.images)
        for each in told.findings
    ]


def table(rows: list[Statistic]) -> pd.DataFrame:
    """Statistics as a DataFrame with one line each, ready for CSV."""
    return pd.DataFrame(rows, columns=list(Statistic.__dataclass_fields__))


def _exactly(
    kind: str, finding: str, of: str, measure: str, value: float, lines: Sized
) -> Statistic:
    return Statistic(kind, finding, of, measure, value, np.nan, np.nan, len(lines))


def _measured(
    finding: str,
    of: str,
    measure: str,
    lines: pd.DataFrame,
    columns: Callable[[pd.DataFrame], pd.DataFrame],
    statistic: Callable,
    rng: np.random.Generator,
) -> list[Statistic]:
    if not len(lines):
        return []
    sums = columns(lines).groupby(lines["patient_id"].to_numpy()).sum().to_numpy(float)
    low, high = _interval(sums, statistic, rng)
    value = float(statistic(sums.sum(0)[None])[0])
    return [Statistic("associations", finding, of, measure, value, low, high, len(lines))]


def _interval(
    sums: np.ndarray, statistic: Callable, rng: np.random.Generator
) -> tuple[float, float]:
    """95 % interval of a statistic of sums over patients (P, C), by resampling patients."""
    patients = len(sums)
    even = np.full(patients, 1 / patients)
    drawn = np.stack([rng.multinomial(patients, even) @ sums for _ in range(RESAMPLES)])
    values = statistic(drawn)
    if np.isnan(values).mean() > 0.05 or patients < 2:
        return np.nan, np.nan
    return tuple(np.nanpercentile(values, [2.5, 97.5]).tolist())


def _ages(lines: pd.DataFrame) -> pd.DataFrame:
    """n, sum and sum of squares of age, for negative and positive images."""
    columns: dict[tuple[bool, int], np.ndarray] = {}
    for sign in (False, True):
        here = (lines["positive"] == sign).to_numpy(float)
        columns |= {(sign, k): here * lines["age"].to_numpy(float) ** k for k in range(3)}
    return pd.DataFrame(columns)


def _smd(sums: np.ndarray) -> np.ndarray:
    n0, s0, q0, n1, s1, q1 = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        within = q0 - s0**2 / n0 + q1 - s1**2 / n1
        return (s1 / n1 - s0 / n0) / np.sqrt(within / (n0 + n1 - 2))


def _sexes(lines: pd.DataFrame) -> pd.DataFrame:
    return _cross(lines, "sex", ["F", "M"])


def _odds(sums: np.ndarray) -> np.ndarray:
    female_positive, female_negative, male_positive, male_negative = sums.T + 0.5
    odds = female_positive * male_negative / (female_negative * male_positive)
    empty = ((sums[:, [0, 1]].sum(1) * sums[:, [2, 3]].sum(1)) == 0) | (
        (sums[:, [0, 2]].sum(1) * sums[:, [1, 3]].sum(1)) == 0
    )
    return np.where(empty, np.nan, odds)


def _views(lines: pd.DataFrame) -> pd.DataFrame:
    return _cross(lines, "view", sorted(lines["view"].unique()))


def _cross(lines: pd.DataFrame, column: str, words: list[str]) -> pd.DataFrame:
    """Indicator columns: positive and negative of each word in turn."""
    value, positive = lines[column].to_numpy(), lines["positive"].to_numpy()
    columns = {(w, s): ((value == w) & (positive == s)) for w in words for s in (True, False)}
    return pd.DataFrame(columns).astype(float)


def _cramer(sums: np.ndarray) -> np.ndarray:
    cells = sums.reshape(len(sums), -1, 2)
    total = cells.sum((1, 2), keepdims=True)
    expected = cells.sum(1, keepdims=True) * cells.sum(2, keepdims=True) / total
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(expected > 0, (cells - expected) ** 2 / expected, 0)
    one_sided = (cells.sum(1) == 0).any(1) | ((cells.sum(2) > 0).sum(1) < 2)
    return np.where(one_sided, np.nan, np.sqrt(parts.sum((1, 2)) / total[:, 0, 0]))
