"""What :mod:`benchmark.data.prepare` derives from a whole set, for the images of a protocol."""

from __future__ import annotations

from msgspec import structs

from benchmark.data.facts import PreparedFacts
from benchmark.data.split_data import SplitData
from benchmark.hashing import canonical_json, sha256


def derive(
    whole: PreparedFacts, data: dict[str, SplitData], findings: list[str], truth: list
) -> PreparedFacts:
    """The facts with the counts and the test digest of these images.

    Args:
        whole: of the set.
        data: the images of each split.
        findings: that are asked for.
        truth: of each test image, as it goes into the digest.
    """
    test = data["test"].part
    lines = zip(test.image_id, test.patient_id, truth, strict=True)
    counts = {split: each.part.counts(findings) for split, each in data.items()}
    return structs.replace(whole, counts=counts, test_digest=sha256(canonical_json(sorted(lines))))
