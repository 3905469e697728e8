"""What a cell's weights have seen before: rows they were continued from, and their images.

Weights that learnt from the patients a cell is tested on make its score mean nothing. Ids of
patients are only comparable within one builder; images are compared by the hash of their bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmark.data.prepared import NotPrepared, Prepared, load_prepared
from benchmark.legacy import HONEST
from benchmark.probes import probed
from benchmark.records.store import Results
from benchmark.suites.cell import Cell
from benchmark.training.weights import origin


def overlap(cell: Cell, prepared: Prepared, results: Results) -> list[str]:
    """Why a cell's weights may know its test images, one sentence a row they come from.

    Args:
        cell: continues from another row, which may itself have.
        prepared: the cell's data set.
    """
    reasons = (
        _reason(cell_id, earlier, cell, prepared)
        for cell_id, earlier in _ancestors(cell.weights, results)
    )
    return [reason for reason in reasons if reason]


def _ancestors(weights: str, results: Results) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Ids and cells of the rows that weights come from, the latest first; None: no such row."""
    while cell_id := origin(weights):
        row = results.read_row(cell_id)
        yield cell_id, row and row["cell"]
        weights = row["cell"]["weights"] if row else ""


def _reason(
    cell_id: str, earlier: dict[str, Any] | None, cell: Cell, prepared: Prepared
) -> str | None:
    if earlier is None:
        return f"weights come from row {cell_id}, which is gone: nobody knows what they have seen"
    told = f"weights come from row {cell_id}, trained on {earlier['dataset']}"
    protocols = {_splits_of(earlier.get("protocol", HONEST)), _splits_of(cell.protocol)}
    one_builder = _builder(earlier["dataset"]) == _builder(cell.dataset)
    if earlier["manifest_sha256"] == cell.manifest_sha256 and len(protocols) == 1:
        return None  # the same split: its test images were kept apart
    if one_builder and protocols != {HONEST}:
        return f"{told} under another protocol: test images may have been among them"
    manifest = _manifest(earlier, prepared)
    if manifest is None:
        return f"{told}, which is not here to compare patients with" if one_builder else None
    learnt = manifest if protocols != {HONEST} else manifest[manifest["split"] != "test"]
    test = prepared.manifest().query("split == 'test'")
    column = "patient_id" if one_builder else "sha256"
    seen = test[test[column].isin(learnt[column]) | test["sha256"].isin(learnt["sha256"])]
    if seen.empty:
        return None
    return f"{told}: {len(seen)} of {len(test)} test images are of patients it learnt from"


def _splits_of(protocol: str) -> str:
    """The protocol whose splits another one shares: a probe asks something else of the same."""
    return HONEST if probed(protocol) else protocol


def _builder(dataset: str) -> str:
    return dataset.partition("/")[0]


def _manifest(earlier: dict[str, Any], prepared: Prepared):
    """The manifest that an earlier cell was trained on; None where it is not here any more."""
    try:
        found = load_prepared(earlier["dataset"], prepared.path.parents[2])
    except NotPrepared:
        return None
    return found.manifest() if found.manifest_sha256 == earlier["manifest_sha256"] else None
