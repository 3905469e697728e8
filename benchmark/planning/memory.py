"""What a spec is expected to take of the host's memory, by what others like it took."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from benchmark.records.row import Row
from benchmark.spec import Spec

START_MB = 650
"""Of a worker that has its frameworks loaded and trains nothing: the least of any row was 671."""
BYTES_PER_PARAMETER = 16
"""A weight, its gradient and the two moments of Adam, float32."""


def expected_mb(spec: Spec, rows: Iterable[Row]) -> int | None:
    """Memory that a spec is expected to take at most, in MiB; None where nothing like it was run.

    That is the peak of finished rows of the same model that were trained in the same way, with as
    many pixels at a time. Where there are none, what grows with the pixels is scaled from rows with
    more or fewer. Of several peaks the smallest: a worker keeps some of what the specs before took,
    and pages mapped from files are in a peak, so that each is rather too large than too small.

    Args:
        rows: of the backend and device that the spec is run with.
    """
    like = [row for row in rows if row.peak_memory_mb and _training(row.spec) == _training(spec)]
    alike = [row for row in like if _pixels(row.spec) == _pixels(spec)]
    return min((_scaled(row, _pixels(spec)) for row in alike or like), default=None)


def _training(spec: Spec) -> Hashable:
    return spec.kind, spec.model, spec.scheme, spec.precision


def _pixels(spec: Spec) -> int:
    """Pixels that are in memory at a time; at least 1."""
    return max(1, spec.resolution**2) * max(1, spec.micro_batch)


def _scaled(row: Row, pixels: int) -> int:
    """The peak of a row, had it been of so many pixels at a time."""
    peak = row.peak_memory_mb or 0
    fixed = START_MB + BYTES_PER_PARAMETER * (row.model.parameters or 0) // 2**20
    growing = max(0, peak - fixed)
    return peak + round(growing * (pixels / _pixels(row.spec) - 1))
