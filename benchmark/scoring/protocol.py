"""Which findings the macro averages run over: fixed by the data, before any model is scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MINIMUM_PATIENTS = 10


@dataclass(frozen=True)
class Support:
    """How much evidence one split holds on one finding.

    Attributes:
        n, n_positive: labelled images, and the positive ones among them.
        n_positive_patients, n_negative_patients: patients with at least one such image; a patient
            can be both.
    """

    n: int
    n_positive: int
    n_positive_patients: int
    n_negative_patients: int

    @classmethod
    def of(cls, targets: np.ndarray, patients: np.ndarray) -> Support:
        """The support of (N,) targets, NaN where unlabelled, of (N,) patient ids."""
        positive, negative = targets == 1, targets == 0
        return cls(
            int(positive.sum() + negative.sum()),
            int(positive.sum()),
            len(np.unique(patients[positive])),
            len(np.unique(patients[negative])),
        )


def shortfall(supports: dict[str, Support]) -> str | None:
    """Why a finding with these supports by split stays out of the macro, or None if it is in."""
    counts = {
        f"{count} {sign} patients in {split}": count
        for split, support in supports.items()
        for sign, count in (
            ("positive", support.n_positive_patients),
            ("negative", support.n_negative_patients),
        )
    }
    short = [text for text, count in counts.items() if count < MINIMUM_PATIENTS]
    return f"{', '.join(short)} ({MINIMUM_PATIENTS} needed)" if short else None
