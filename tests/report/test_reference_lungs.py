"""What the reference run of lung segmentation reached, recomputed from its committed counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.records.mask_counts import read_mask_counts
from benchmark.records.store import Results
from benchmark.scoring.overlap import dice

RESULTS = Results(Path(__file__).parents[2] / "results")


@pytest.fixture(scope="module")
def reached() -> dict[str, float]:
    """Model to mean Dice over the test images of unique pairing."""
    means = {}
    for row in RESULTS.rows():
        if not row.holds_masks:
            continue
        counts = read_mask_counts(RESULTS.predictions_path(row.spec_id))
        chosen = counts.take((counts.split == "test") & (counts.pairing == "unique"))
        assert len(chosen.split) == 246
        means[row.spec.model] = dice(chosen.counts).mean()
    return means


def test_a_unet_reaches_what_was_asked_of_it(reached):
    assert max(reached.values()) >= 0.95
    assert reached["mean_mask"] < 0.85
