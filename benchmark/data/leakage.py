"""The leakage gate: may a model trained on this set be tested on it?

Verdicts: ``leak`` (the same patient, or the same image, on both sides of a split), ``suspected``
(an ambiguity that the builder declares, with its reason) and ``clean``. A leak stops every run
whose protocol is not ``legacy``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from benchmark.data.prepared import SPLITS


@dataclass(frozen=True)
class Verdict:
    """``name`` is ``"leak"``, ``"suspected"`` or ``"clean"``; ``reasons`` says why, in prose."""

    name: str
    reasons: tuple[str, ...]


def audit(manifest, suspected: list[dict]) -> Verdict:
    """Look for patients and identical images that stand on both sides of a split.

    Args:
        manifest: DataFrame of :meth:`benchmark.data.prepared.Prepared.manifest`.
        suspected: the builder's declarations, ``{"splits": [a, b], "reason": str}``: between these
            splits equal patient ids do not prove the same patient.
    """
    declared = {frozenset(entry["splits"]): entry["reason"] for entry in suspected}
    leaks, suspicions = [], []
    for a, b in combinations(SPLITS, 2):
        images = _shared(manifest, "sha256", a, b)
        if images:
            leaks.append(f"{_count(images, 'identical image')} in both {a} and {b}")
        patients = _shared(manifest, "patient_id", a, b)
        if patients and frozenset((a, b)) in declared:
            reason = declared[frozenset((a, b))]
            suspicions.append(f"{_count(patients, 'patient id')} in both {a} and {b}: {reason}")
        elif patients:
            leaks.append(f"{_count(patients, 'patient')} in both {a} and {b}")
    name = "leak" if leaks else "suspected" if suspicions else "clean"
    return Verdict(name, tuple(leaks + suspicions))


def _shared(manifest, column: str, a: str, b: str) -> int:
    values = {split: set(manifest.loc[manifest["split"] == split, column]) for split in (a, b)}
    return len(values[a] & values[b])


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'s' if n != 1 else ''}"
