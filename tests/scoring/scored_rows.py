"""Finished rows with made-up predictions, as they are published."""

from __future__ import annotations

import numpy as np
from scoring_cases import predictions

from benchmark.records.mask_counts import MaskCounts
from benchmark.records.predictions import Predictions
from benchmark.records.row import Row
from benchmark.spec import Spec
from tests.records.rows import a_row, a_spec, counts_of

KINDS = {"binary": 1, "multilabel": 3, "multiclass": 3}


def findings_row(kind: str = "binary", seed: int = 0) -> tuple[Row, Predictions]:
    """A row of findings and its predictions."""
    content = predictions(kind, KINDS[kind], seed=seed)
    facts = {"predictions_sha256": None, "counts": counts_of(content)}
    return a_row(a_spec(seed=seed), content.findings, kind, **facts), content


def masks_row(spec: Spec | None = None) -> tuple[Row, MaskCounts]:
    """A row of masks and its counts."""
    n = 30
    content = MaskCounts(
        split=np.repeat(["train", "validation", "test"], n // 3),
        image_id=np.array([f"images/{i:03d}.jpeg" for i in range(n)]),
        patient_id=np.array([f"{i // 2:03d}" for i in range(n)]),
        pairing=np.resize(["unique", "01", ""], n),
        counts=np.random.default_rng(0).integers(0, 200, (n, 4)),
    )
    spec = spec or a_spec(kind="masks", model="unet")
    facts = {"predictions_sha256": None, "counts": counts_of(content)}
    return a_row(spec, ("lung",), "segmentation", **facts), content
