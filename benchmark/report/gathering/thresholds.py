"""By what a run decides that an image has a finding: which threshold, and who chose it."""

from __future__ import annotations

from benchmark.records.row import Row
from benchmark.records.scores import Scores

FROZEN = "at the threshold of the best F1 on validation"


def decided(scores: Scores, row: Row) -> str:
    """By what a run decides, as "at 0.5, there is no validation split"."""
    if scores.threshold_source == "argmax":
        return "by the most probable finding"
    if scores.threshold_source == "fixed":
        return f"at 0.5, {why_fixed(row)} to choose a threshold on"
    few = scores.fixed_thresholds
    if not few:
        return FROZEN
    if len(few) == len(scores.findings):
        return "at 0.5, too few patients in validation to choose a threshold on"
    return f"{FROZEN}, at 0.5 for {', '.join(few)} with too few patients there"


def why_fixed(row: Row) -> str:
    """Why no threshold of a row could be chosen on validation."""
    there = "validation" in row.counts and row.counts["validation"].images
    return "no predictions of validation images" if there else "there is no validation split"
