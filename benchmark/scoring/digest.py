"""Which test set predictions are of: the digest of a protocol, computed from them alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.hashing import canonical_json, sha256
from benchmark.records.facts import ProtocolFacts
from benchmark.records.predictions import Predictions


def test_digest(predictions: Predictions, protocol: ProtocolFacts) -> str:
    """SHA-256 of the sorted test (image_id, patient_id, targets), as its protocol writes them.

    Where the predictions are of the test set that the protocol means, that is its ``test_digest``.
    Not under a legacy one, which means a rule, nor where only some of the images are predicted:
    such rows can be held against each other.
    """
    test = predictions.part("test")
    ids = (test.image_id.tolist(), test.patient_id.tolist())
    return sha256(canonical_json(sorted(zip(*ids, *_truth(test.targets, protocol), strict=True))))


def is_recomputable(protocol: ProtocolFacts) -> bool:
    """Whether :func:`test_digest` is to be the protocol's own."""
    return not protocol.legacy and protocol.limit is None


def _truth(targets: np.ndarray, protocol: ProtocolFacts) -> list[list[Any]]:
    """Columns of what is true of each image: one of numbers, or of texts two for each finding."""
    labelled = ~np.isnan(targets)
    known = np.where(labelled, targets, 0)
    if protocol.withheld:
        return [known[:, 0].tolist()]
    if protocol.probe:
        return [known.tolist()]
    both = np.stack([known, labelled], axis=2)
    return both.reshape(len(targets), -1).astype(int).astype(str).T.tolist()
