"""Files of predictions, written as they are: `publish` writes them with their row."""

from __future__ import annotations

from pathlib import Path

from benchmark.hashing import sha256
from benchmark.records.files import write_atomic
from benchmark.records.mask_counts import MaskCounts, encode_mask_counts
from benchmark.records.predictions import Predictions, encode_predictions


def write_predictions(path: Path, predictions: Predictions) -> str:
    """Returns the SHA-256 of the bytes; so does the other."""
    return _written(path, encode_predictions(predictions))


def write_mask_counts(path: Path, counts: MaskCounts) -> str:
    return _written(path, encode_mask_counts(counts))


def _written(path: Path, data: bytes) -> str:
    write_atomic(path, data)
    return sha256(data)
