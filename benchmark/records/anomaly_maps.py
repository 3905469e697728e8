"""Anomaly files: score, confidence and map of every test image of a screening row; local only."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.records.npz_columns import arrays_of
from benchmark.records.predictions import PredictionFileError
from benchmark.records.tables import TableError


@dataclass(frozen=True)
class AnomalyMaps:
    """N images.

    Attributes:
        image_id: (N,) text.
        score: (N,) standard deviations above the mean normal validation image.
        confidence: (N,) of the member's own class, 0.5 to 1.
        distances: (N, H, W) float32, distance from normal at each location.
    """

    image_id: np.ndarray
    score: np.ndarray
    confidence: np.ndarray
    distances: np.ndarray


def encode_anomaly_maps(maps: AnomalyMaps) -> bytes:
    """The bytes of an anomaly file."""
    file = io.BytesIO()
    values = vars(maps) | {"image_id": maps.image_id.astype(str)}
    np.savez_compressed(file, **values)
    return file.getvalue()


def read_anomaly_maps(path: Path) -> AnomalyMaps:
    """Read an anomaly file.

    Raises:
        PredictionFileError: it is missing or damaged.
    """
    try:
        file = arrays_of(path)
        return AnomalyMaps(**{name: file[name] for name in AnomalyMaps.__annotations__})
    except (FileNotFoundError, TableError, KeyError) as error:
        raise PredictionFileError(
            f"{path}: no readable file of anomaly maps ({error}). Maps are not published; run the "
            "row again: cxr-bench run --suite screening --rerun all"
        ) from None
