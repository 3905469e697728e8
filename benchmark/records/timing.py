"""How long a row's training took, where that is known."""

from __future__ import annotations

from benchmark.records.row import Row

TIMED = 0.97
"""Least share of its images that a whole training has timed; speeds are rounded."""


def is_timed_whole(row: Row) -> bool:
    """Whether all epochs of a row were timed.

    Earlier versions timed what came after the last interruption alone.
    """
    speed, parts = row.speed, row.profile or {}
    if not row.history or not speed or not speed.images_per_second or "train" not in row.counts:
        return True
    timed = speed.images_per_second * (parts.get("input", 0.0) + parts.get("steps", 0.0))
    n, epochs = row.counts["train"].images, len(row.history.loss)
    batch = max(1, min(n, row.spec.micro_batch or 1))
    stages = len(row.history.stages or [()])
    return timed >= TIMED * (epochs * (n // batch) - stages) * batch  # first steps are left out


def training_seconds(row: Row) -> float | None:
    """Wall-clock seconds of a row's training; None where they are not known."""
    return row.phases.get("train") if is_timed_whole(row) else None
