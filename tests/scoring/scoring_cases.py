"""Made-up predictions and wild samples for the scoring tests."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy.special import expit

from benchmark.records.predictions import Predictions, link
from benchmark.scoring.metrics import Sample

SPLITS = ("train", "validation", "test")


@st.composite
def samples(draw, min_size=1, max_size=25):
    """A `Sample` with many ties, any mix of classes and any decisions."""
    rows = st.tuples(st.booleans(), st.integers(-4, 4), st.booleans())
    columns = draw(st.lists(rows, min_size=min_size, max_size=max_size))
    targets, log_odds, decisions = (np.array(column) for column in zip(*columns, strict=True))
    return Sample(targets, log_odds.astype(float), expit(log_odds.astype(float)), decisions)


def predictions(
    kind="multilabel",
    findings=3,
    patients=40,
    images=2,
    splits=SPLITS,
    unlabelled=0.0,
    prevalence=0.4,
    signal=1.5,
    seed=0,
) -> Predictions:
    """Predictions of a model that knows something; each patient has ``images`` images."""
    rng = np.random.default_rng(seed)
    n = patients * images
    split = np.repeat(splits, n)
    total = len(split)
    if kind == "multiclass":
        targets = np.eye(findings)[rng.integers(findings, size=total)]
        missing = np.repeat(rng.random((total, 1)) < unlabelled, findings, axis=1)
    else:
        targets = (rng.random((total, findings)) < prevalence).astype(float)
        missing = rng.random((total, findings)) < unlabelled
    logits = (signal * targets + rng.normal(size=targets.shape) - 1).round(1).astype(np.float32)
    return Predictions(
        findings=tuple(f"finding_{i}" for i in range(findings)),
        kind=kind,
        split=split,
        image_id=np.array([f"image_{i}" for i in range(total)]),
        patient_id=np.array([f"{s}_{i // images:04d}" for s in splits for i in range(n)]),
        age=np.full(total, -1),
        sex=np.full(total, ""),
        view=np.full(total, ""),
        targets=np.where(missing, np.nan, targets),
        logits=logits,
        probabilities=link(logits, kind),
    )


def take(source: Predictions, rows: np.ndarray, **changes) -> Predictions:
    """The given rows, in the given order, with some arrays replaced."""
    names = ("split", "image_id", "patient_id", "age", "sex", "view")
    arrays = {name: getattr(source, name)[rows] for name in names}
    arrays |= {name: getattr(source, name)[rows] for name in ("targets", "logits", "probabilities")}
    return Predictions(source.findings, source.kind, **(arrays | changes))
