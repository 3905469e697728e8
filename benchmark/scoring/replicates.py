"""Bootstrap replicates as text in a JSON file: half the bytes of decimals, and nothing to parse."""

from __future__ import annotations

import base64

import numpy as np

STORED = np.dtype("<f4")


def encode(values: np.ndarray) -> str:
    """(R,) replicates as base64 of little-endian float32: seven digits, NaN where undefined."""
    return base64.b64encode(np.asarray(values).astype(STORED).tobytes()).decode()


def decode(text: str) -> np.ndarray:
    """(R,) float64 replicates, as :func:`encode` wrote them."""
    return np.frombuffer(base64.b64decode(text), STORED).astype(np.float64)
