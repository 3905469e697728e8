"""Which numbers a split leaves undefined for want of patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.scoring.protocol import Support, shortfall

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = {"test": "test AUC", "validation": "threshold and F1"}


def shortfalls(lines: pd.DataFrame, findings: list[str]) -> list[str]:
    """What cannot be measured, a finding and a split each.

    Args:
        lines: columns split, patient_id, and of each finding ``target:`` and ``labelled:``.
        findings: their names.
    """
    found = []
    for split, numbers in _NUMBERS.items():
        part = lines[lines["split"] == split]
        patients = part["patient_id"].to_numpy()
        for finding in findings:
            known = part[f"labelled:{finding}"].to_numpy(bool)
            targets = np.where(known, part[f"target:{finding}"].to_numpy(float), np.nan)
            if short := shortfall({split: Support.of(targets, patients)}):
                found.append(f"{numbers} of {finding}: {short}")
    return found
