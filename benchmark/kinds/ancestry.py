"""What a spec's weights have seen before: rows they were continued from, and their images.

Weights that learnt from the patients a spec is tested on make its score mean nothing. Ids of
patients are only comparable within one builder; images are compared by the hash of their bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchmark.data.prepared import NotPrepared, Prepared, load_prepared
from benchmark.protocols import find
from benchmark.records.store import Results
from benchmark.spec import NETWORK, PUBLISHED, WEIGHTS, Spec

if TYPE_CHECKING:
    import pandas as pd


def overlap(spec: Spec, prepared: Prepared, results: Results) -> list[str]:
    """Why a spec's weights may know its test images, one sentence a row they come from.

    Args:
        spec: continues from another row, which may itself have.
        prepared: the spec's data set.
    """
    reasons = (
        _reason(spec_id, earlier, spec, prepared) for spec_id, earlier in _ancestors(spec, results)
    )
    return [reason for reason in reasons if reason]


def _ancestors(spec: Spec, results: Results) -> Iterator[tuple[str, Spec | None]]:
    """Ids and specs of the rows that weights come from, the latest first; None: no such row."""
    earlier: Spec | None = spec
    while earlier and (spec_id := _network_of(earlier)):
        row = results.read_row(spec_id)
        earlier = row.spec if row else None
        yield spec_id, earlier


def _network_of(spec: Spec) -> str | None:
    """Id of the row whose weights a spec begins with or, elsewhere, is tested with."""
    return spec.required_ids.get(WEIGHTS) or spec.required_ids.get(NETWORK)


def _reason(spec_id: str, earlier: Spec | None, spec: Spec, prepared: Prepared) -> str | None:
    if earlier is None:
        return f"weights come from row {spec_id}, which is gone: nobody knows what they have seen"
    told = f"weights come from row {spec_id}, trained on {earlier.dataset}"
    protocols = {find(earlier.protocol).splits, find(spec.protocol).splits}
    one_builder = _builder(earlier.dataset) == _builder(spec.dataset)
    if earlier.manifest_sha256 == spec.manifest_sha256 and len(protocols) == 1:
        return None  # the same split: its test images were kept apart
    if one_builder and protocols != {PUBLISHED}:
        return f"{told} under another protocol: test images may have been among them"
    manifest = _manifest(earlier, prepared)
    if manifest is None:
        return f"{told}, which is not here to compare patients with" if one_builder else None
    learnt = manifest if protocols != {PUBLISHED} else manifest[manifest["split"] != "test"]
    test = prepared.manifest().query("split == 'test'")
    column = "patient_id" if one_builder else "sha256"
    seen = test[test[column].isin(learnt[column]) | test["sha256"].isin(learnt["sha256"])]
    if seen.empty:
        return None
    return f"{told}: {len(seen)} of {len(test)} test images are of patients it learnt from"


def _builder(dataset: str) -> str:
    return dataset.partition("/")[0]


def _manifest(earlier: Spec, prepared: Prepared) -> pd.DataFrame | None:
    """The manifest that an earlier spec was trained on; None where it is not here any more."""
    try:
        found = load_prepared(earlier.dataset, prepared.path.parents[2])
    except NotPrepared:
        return None
    return found.manifest() if found.manifest_sha256 == earlier.manifest_sha256 else None
