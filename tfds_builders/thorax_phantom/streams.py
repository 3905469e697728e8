"""Keyed random streams: every draw is named, so nothing depends on the order of generation."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(*names: object) -> np.random.Generator:
    """Random generator that depends on `names` alone.

    The Philox key (128 bit) is the head of the SHA-256 of the joined names
    (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011).
    """
    text = "/".join(str(name) for name in names)
    key = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")
    return np.random.Generator(np.random.Philox(key=key))
