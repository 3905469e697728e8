"""Images of one prepared set that another one shows, too, however they were saved.

Looked for once per pair of manifests; what was found is kept in the cache, beside the views.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmark.data.audit import AUDIT_VERSION
from benchmark.data.audit.candidates import find_candidates
from benchmark.data.audit.confirm import FOLLOW_UP, correlations, threshold
from benchmark.data.audit.copies import surveyed
from benchmark.data.audit.ondisk import OnDisk
from benchmark.data.audit.texture import SIZE
from benchmark.data.indexed_images import IndexedImages
from benchmark.data.prepared import Prepared
from benchmark.data.views import open_view
from benchmark.hashing import canonical_json, sha256
from benchmark.records.door import read_derived, write_record
from benchmark.records.facts import Count, Record


class Seen(Record, frozen=True):
    """How many test images of a set another one shows.

    Attributes:
        looked_at: version of the audit, both manifests, and splits of the other set.
        surely: as alike as no two exposures are.
        perhaps: further ones that reach the bar of :func:`benchmark.data.audit.confirm.threshold`:
            altered copies, or other images of the same patients.
    """

    looked_at: list[str]
    surely: Count
    perhaps: Count


def copies_between(
    other: Prepared, splits: Sequence[str], tested: Prepared, cache_dir: Path
) -> Seen:
    """Which test images of a set are among those of some splits of another one.

    Simulated images are nobody's copies, see :func:`benchmark.data.audit.copies.find_copies`.
    """
    looked_at = [str(AUDIT_VERSION), other.manifest_sha256, *splits, tested.manifest_sha256]
    if other.facts.simulated or tested.facts.simulated:
        return Seen(looked_at, 0, 0)
    path = cache_dir / "copies" / f"{sha256(canonical_json(looked_at))[:16]}.json"
    found = read_derived(path, Seen)
    if found is None or found.looked_at != looked_at:
        found = Seen(looked_at, *_look(other, splits, tested, cache_dir))
        write_record(path, found)
    return found


def _look(
    other: Prepared, splits: Sequence[str], tested: Prepared, cache_dir: Path
) -> tuple[int, int]:
    parts = [
        OnDisk(open_view(prepared, split, SIZE, "raw", cache_dir).path / "images.npy")
        for prepared, split in (*((other, split) for split in splits), (tested, "test"))
    ]
    images = IndexedImages(parts, np.arange(sum(map(len, parts))))
    blank, _ = surveyed(images)
    shown = np.flatnonzero(~blank)
    first = int((shown < len(images) - len(parts[-1])).sum())
    seen = IndexedImages([images], shown)
    pairs = find_candidates(seen, first=first)
    alike = correlations(seen, pairs)
    test = np.maximum(pairs.whole, pairs.cut)  # they stand behind the others
    surely = np.unique(test[alike >= FOLLOW_UP])
    likely = np.unique(test[alike >= threshold(alike[pairs.turns == 0])])
    return len(surely), len(np.setdiff1d(likely, surely))
