"""Everything the audit finds in a prepared set, as one dictionary that is ready for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from benchmark.data.audit import AUDIT_VERSION, duplicates
from benchmark.data.audit.copies import Copies
from benchmark.data.audit.patients import shared_patients
from benchmark.data.audit.plausibility import implausible
from benchmark.data.audit.prevalence import shifts
from benchmark.data.facts import SetFacts
from benchmark.data.leakage import Leakage, audit
from benchmark.data.prepared import Prepared

if TYPE_CHECKING:
    import pandas as pd


def examine(prepared: Prepared, copies: Copies | None) -> dict[str, Any]:
    """Audit a prepared set.

    Args:
        prepared: the data set.
        copies: what was found in the pixels; None leaves out what needs them (``near``, ``pixels``,
            ``doubtful`` and ``blank`` are then None).
    """
    manifest, facts = prepared.manifest(), prepared.facts
    same = same_image(manifest, copies)
    leakage = gate(manifest, facts, copies)
    return {
        "schema": 1,
        "audit_version": AUDIT_VERSION,
        "dataset": prepared.name,
        "dataset_version": prepared.version,
        "manifest_sha256": prepared.manifest_sha256,
        "verdict": leakage.status,
        "reasons": list(leakage.reasons),
        "images": len(manifest),
        "shared_patients": shared_patients(manifest, facts.findings),
        "exact": duplicates.exact(manifest),
        "pixels": copies and duplicates.same_pixels(manifest, copies),
        "near": copies and duplicates.near(manifest, copies, same),
        "doubtful": copies and duplicates.doubtful(manifest, copies),
        "conflicting_labels": duplicates.conflicting_labels(manifest, duplicates.groups_of(same)),
        "prevalence": shifts(manifest, facts.findings),
        "blank": None if copies is None else manifest["image_id"].iloc[copies.blank].tolist(),
        "unreadable": msgspec.to_builtins(facts.quarantined),
        "implausible": implausible(manifest, facts.projections),
    }


def gate(manifest: pd.DataFrame, facts: SetFacts, copies: Copies | None) -> Leakage:
    """The leakage status of a set; ``facts`` is what its builder says of it."""
    return audit(
        manifest,
        facts.suspected,
        patients_unknown=facts.patients_unknown,
        same_image=same_image(manifest, copies),
    )


def same_image(manifest: pd.DataFrame, copies: Copies | None) -> np.ndarray:
    """(N,) equal where the same image is shown: equal files, and copies where looked for."""
    _, by_bytes = np.unique(manifest["sha256"].to_numpy(str), return_inverse=True)
    patients = manifest["patient_id"].to_numpy()
    return by_bytes if copies is None else copies.same_image(by_bytes, patients)
