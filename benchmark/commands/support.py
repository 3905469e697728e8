"""Which numbers a split leaves undefined for want of patients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.scoring.protocol import MINIMUM_PATIENTS, Support

if TYPE_CHECKING:
    import pandas as pd

FEW = 3
"""Findings that are named; of more, how many of how many."""
_NUMBERS = {"test": "AUC on test", "validation": "threshold and F1, chosen on validation"}


def shortfalls(lines: pd.DataFrame, findings: list[str]) -> list[str]:
    """What cannot be measured and for which findings, a line a split.

    Args:
        lines: columns split, patient_id, and of each finding ``target:`` and ``labelled:``.
        findings: their names.
    """
    return [
        f"{_NUMBERS[split]}: {counted([f'{f} ({few})' for f, few in short.items()], findings)}"
        for split, short in short_findings(lines, findings).items()
    ]


def counted(names: Sequence[str], findings: Sequence[str]) -> str:
    """Findings in words: their names where they are few, else how many of all these are."""
    if len(names) <= FEW:
        return ", ".join(names)
    return f"{len(names)} of {len(findings)} findings ({', '.join(names[:FEW])}, ...)"


def short_findings(lines: pd.DataFrame, findings: list[str]) -> dict[str, dict[str, str]]:
    """By split the findings with too few patients there, and how many these are."""
    found = {}
    for split in _NUMBERS:
        part = lines[lines["split"] == split]
        if short := {f: few for f in findings if (few := _few(_support(part, f)))}:
            found[split] = short
    return found


def _support(part: pd.DataFrame, finding: str) -> Support:
    known = part[f"labelled:{finding}"].to_numpy(bool)
    targets = np.where(known, part[f"target:{finding}"].to_numpy(float), np.nan)
    return Support.of(targets, part["patient_id"].to_numpy())


def _few(support: Support) -> str:
    """Which side has too few patients, and how many; empty where neither has."""
    sides = {"with": support.n_positive_patients, "without": support.n_negative_patients}
    return ", ".join(f"{n} {side}" for side, n in sides.items() if n < MINIMUM_PATIENTS)
