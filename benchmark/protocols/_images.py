"""Which images a spec trains, chooses and reports on."""

from __future__ import annotations

import numpy as np

from benchmark.data.prepared import Prepared
from benchmark.data.split_data import SplitData
from benchmark.hashing import sha256
from benchmark.protocols._discovery import find
from benchmark.spec import Spec


def spec_data(spec: Spec, prepared: Prepared) -> dict[str, SplitData]:
    """The images of each split of a spec, by its protocol and limit; no test if it asks for none.

    Args:
        prepared: as the protocol sees it (see :meth:`SplitProtocol.apply`).

    Raises:
        UserError: the protocol cannot be applied to this set.
    """
    data = find(spec.protocol).data(spec, prepared)
    if spec.no_test:
        data = {split: each for split, each in data.items() if split != "test"}
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
