"""Which images a cell trains, chooses and reports on."""

from __future__ import annotations

import numpy as np

from benchmark.data.prepared import SPLITS, Prepared
from benchmark.data.split_data import SplitData
from benchmark.legacy import HONEST, find_protocol
from benchmark.legacy.split import legacy_data
from benchmark.probes import probed
from benchmark.probes.split import probe_data
from benchmark.records.files import sha256
from benchmark.screening import withheld_by
from benchmark.screening.split import screening_data
from benchmark.suites.cell import Cell


def cell_data(cell: Cell, prepared: Prepared) -> dict[str, SplitData]:
    """The images of each split of a cell, by its protocol and limit.

    Args:
        prepared: as the protocol sees it (see :func:`benchmark.protocols.under`).

    Raises:
        UserError: a legacy protocol cannot be applied to this set.
    """
    if cell.protocol == HONEST:
        data = {split: SplitData(prepared.part(split), (split,)) for split in SPLITS}
    elif withheld_by(cell.protocol) is not None:
        data = screening_data(prepared)
    elif probed(cell.protocol) is not None:
        data = probe_data(prepared)
    else:
        data = legacy_data(find_protocol(cell.protocol), cell.imbalance, prepared)
    if cell.limit is None:
        return data
    return {split: _limited(each, cell.limit) for split, each in data.items()}


def _limited(data: SplitData, limit: int) -> SplitData:
    """At most so many images, chosen by a hash of their ids: every limited cell sees the same."""
    image_ids = data.part.image_id
    if limit >= len(image_ids):
        return data
    keys = [sha256(f"limit:{image_id}".encode()) for image_id in image_ids]
    return data.take(np.sort(np.argsort(keys)[:limit]))
