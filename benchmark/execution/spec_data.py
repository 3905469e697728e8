"""Which images a spec trains, chooses and reports on."""

from __future__ import annotations

import numpy as np

from benchmark.data.prepared import SPLITS, Prepared
from benchmark.data.split_data import SplitData
from benchmark.hashing import sha256
from benchmark.legacy import find_protocol
from benchmark.legacy.split import legacy_data
from benchmark.probes import probed
from benchmark.probes.split import probe_data
from benchmark.screening import withheld_by
from benchmark.screening.split import screening_data
from benchmark.spec import PUBLISHED, Spec


def spec_data(spec: Spec, prepared: Prepared) -> dict[str, SplitData]:
    """The images of each split of a spec, by its protocol and limit.

    Args:
        prepared: as the protocol sees it (see :func:`benchmark.protocols.under`).

    Raises:
        UserError: a legacy protocol cannot be applied to this set.
    """
    if spec.protocol == PUBLISHED:
        data = {split: SplitData(prepared.part(split), (split,)) for split in SPLITS}
    elif withheld_by(spec.protocol) is not None:
        data = screening_data(prepared)
    elif probed(spec.protocol) is not None:
        data = probe_data(prepared)
    else:
        data = legacy_data(find_protocol(spec.protocol), spec.imbalance, prepared)
    if spec.limit is None:
        return data
    return {split: _limited(each, spec.limit) for split, each in data.items()}


def _limited(data: SplitData, limit: int) -> SplitData:
    """At most so many images, chosen by a hash of their ids: every limited spec sees the same."""
    image_ids = data.part.image_id
    if limit >= len(image_ids):
        return data
    keys = [sha256(f"limit:{image_id}".encode()) for image_id in image_ids]
    return data.take(np.sort(np.argsort(keys)[:limit]))
