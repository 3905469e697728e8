"""Predictions of another tool as a row of the leaderboard, marked as such."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec import structs

from benchmark.data.prepared import SPLITS, ManifestPart, Prepared
from benchmark.errors import UserError
from benchmark.hashing import sha256_of_file
from benchmark.kinds.running import base_row
from benchmark.models import ModelFile
from benchmark.protocols import spec_data
from benchmark.records.external import External, ExternalFileError, read_external
from benchmark.records.predictions import Predictions
from benchmark.records.row import ExternalFacts, Row
from benchmark.records.store import Results
from benchmark.scoring.publishing import check, publish
from benchmark.spec import PUBLISHED, Spec

EXAMPLES = 3
SUITE = "external"


@dataclass(frozen=True)
class Origin:
    """What a person says about predictions made elsewhere.

    Attributes:
        name: of the model.
        seed: of the training.
        deterministic: True for a model without chance in it.
        reference: where it is described; may be empty.
        parameters: of the model; None unknown.
    """

    name: str
    seed: int = 0
    deterministic: bool = False
    reference: str = ""
    parameters: int | None = None


def enter(
    path: Path,
    prepared: Prepared,
    origin: Origin,
    results: Results,
    protocol: str = PUBLISHED,
    *,
    replace: bool = False,
) -> Row:
    """Read predictions, check that they are of exactly the data set's images, and save a row.

    Args:
        path: see :mod:`benchmark.records.external`. Test is needed; train and validation are used
            where they are there, and whole.
        prepared: whose split, targets and patients count, as ``protocol`` sees it.
        protocol: the set's own, a screening one, or attribute prediction.
        replace: whether an earlier entry of the same name and seed gives way.

    Raises:
        UserError: the file cannot be read, its images are not those of the data set, or there is
            an earlier entry.
    """
    external = read_external(path, prepared.task)
    splits = [split for split in SPLITS if (external.split == split).any() or split == "test"]
    spec = _spec(prepared, origin, protocol)
    data = spec_data(spec, prepared)
    parts = {split: data[split].part for split in splits}
    orders = {split: _order(path, split, external, parts[split]) for split in splits}
    row = _row(
        spec,
        prepared,
        origin,
        ExternalFacts(file=path.name, sha256=sha256_of_file(path), splits=splits),
    )
    checked = check(_predictions(external, prepared, parts, orders), row.protocol)
    return publish(results, row, checked, replace=replace)


def _order(path: Path, split: str, external: External, part: ManifestPart) -> np.ndarray:
    """Lines of the file in the order of the data set's images."""
    lines = np.flatnonzero(external.split == split)
    given, wanted = external.image_id[lines], part.image_id.astype(str)
    missing, extra = np.setdiff1d(wanted, given), np.setdiff1d(given, wanted)
    if len(missing) or len(extra):
        raise ExternalFileError(
            f"{path}: its {split} images are not those of the data set ({len(wanted)}): "
            f"{_named(missing, 'missing')}, {_named(extra, 'not in it')}. All and only these "
            "images are scored, or numbers would not compare."
        )
    return lines[np.argsort(given)[np.argsort(np.argsort(wanted))]]


def _named(image_ids: np.ndarray, how: str) -> str:
    some = ", ".join(repr(str(i)) for i in image_ids[:EXAMPLES])
    more = ", ..." if len(image_ids) > EXAMPLES else ""
    return f"{len(image_ids)} {how}" + (f" ({some}{more})" if some else "")


def _predictions(external: External, prepared: Prepared, parts: dict, orders: dict) -> Predictions:
    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts.values()])

    lines = np.concatenate(list(orders.values()))
    return Predictions(
        prepared.task.findings,
        prepared.task.kind,
        split=external.split[lines],
        **{name: joined(name) for name in ("image_id", "patient_id", "age", "sex", "view")},
        targets=np.where(joined("labelled"), joined("targets"), np.nan),
        logits=external.logits[lines],
        probabilities=external.probabilities[lines],
    )


def _spec(prepared: Prepared, origin: Origin, protocol: str) -> Spec:
    """What tells external rows apart: data, name and seed; nothing else is known of them."""
    return Spec(
        kind="external",
        dataset=prepared.name,
        dataset_version=prepared.version,
        manifest_sha256=prepared.manifest_sha256,
        model=origin.name,
        resolution=0,
        preprocessing="",
        normalisation="",
        imbalance="",
        scheme="",
        weights="",
        augmentation="",
        recipe={},
        precision="",
        seed=origin.seed,
        protocol=protocol,
    )


def _row(spec: Spec, prepared: Prepared, origin: Origin, external: ExternalFacts) -> Row:
    if prepared.derived.leakage_status == "leak":
        raise UserError(
            f"{prepared.name} leaks: {'; '.join(prepared.derived.reasons)}. Nothing is scored "
            "on it."
        )
    card = {
        "title": origin.name,
        "reference": origin.reference,
        "deterministic": origin.deterministic,
    }
    row = base_row(spec, prepared, ModelFile(origin.name, Path(), card), SUITE, None)
    return structs.replace(
        row,
        status="done",
        model=structs.replace(row.model, parameters=origin.parameters),
        determinism="made elsewhere",
        external=external,
    )
