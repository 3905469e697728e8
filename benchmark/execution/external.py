"""Predictions of another tool as a row of the leaderboard, marked as such."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.data.prepared import SPLITS, ManifestPart, Prepared
from benchmark.errors import UserError
from benchmark.execution.cell_data import cell_data
from benchmark.execution.environment import provenance
from benchmark.execution.protocol import dataset_facts, protocol_of
from benchmark.legacy import HONEST
from benchmark.records.external import External, ExternalFileError, read_external
from benchmark.records.files import sha256_of_file
from benchmark.records.predictions import Predictions, write_predictions
from benchmark.records.store import Results, Row
from benchmark.scoring.stored import stored_scores
from benchmark.suites.cell import Cell

EXAMPLES = 3
BACKEND = "external"


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
    path: Path, prepared: Prepared, origin: Origin, results: Results, protocol: str = HONEST
) -> Row:
    """Read predictions, check that they are of exactly the data set's images, and save a row.

    Args:
        path: see :mod:`benchmark.records.external`. Test is needed; train and validation are used
            where they are there, and whole.
        prepared: whose split, targets and patients count, as ``protocol`` sees it.
        protocol: honest, a screening one, or a shortcut probe.

    Raises:
        UserError: the file cannot be read, or its images are not those of the data set.
    """
    external = read_external(path, prepared.task)
    splits = [split for split in SPLITS if (external.split == split).any() or split == "test"]
    cell = _cell(prepared, origin, protocol)
    data = cell_data(cell, prepared)
    parts = {split: data[split].part for split in splits}
    orders = {split: _order(path, split, external, parts[split]) for split in splits}
    predictions = _predictions(external, prepared, parts, orders)
    row = _row(cell, prepared, origin) | {
        "predictions_sha256": write_predictions(
            results.predictions_path(cell.cell_id, prepared.facts["redistributable"]), predictions
        ),
        "external": {"file": path.name, "sha256": sha256_of_file(path), "splits": splits},
    }
    stored_scores(results, row)
    results.write_row(row)
    return row


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


def _named(image_ids: Sequence[str], how: str) -> str:
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


def _cell(prepared: Prepared, origin: Origin, protocol: str) -> Cell:
    """What tells external rows apart: data, name and seed; nothing else is known of them."""
    unknown = ("preprocessing", "normalisation", "imbalance", "weights", "augmentation")
    return Cell(
        dataset=prepared.name,
        dataset_version=prepared.version,
        manifest_sha256=prepared.manifest_sha256,
        model=origin.name,
        resolution=0,
        **dict.fromkeys(unknown, ""),
        seed=origin.seed,
        recipe={},
        backend=BACKEND,
        device="",
        precision="",
        threads=0,
        micro_batch=0,
        protocol=protocol,
    )


def _row(cell: Cell, prepared: Prepared, origin: Origin) -> Row:
    if prepared.derived["verdict"] == "leak":
        raise UserError(
            f"{prepared.name} leaks: {'; '.join(prepared.derived['reasons'])}. Nothing is scored "
            "on it."
        )
    finished = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {
        "cell_id": cell.cell_id,
        "config_id": cell.config_id,
        "suite": BACKEND,
        "status": "done",
        "error": None,
        "cell": cell.as_dict(),
        "dataset": dataset_facts(prepared),
        "protocol": protocol_of(cell, prepared),
        "watermarks": [],
        "model": {
            "title": origin.name,
            "reference": origin.reference,
            "sha256": None,
            "deterministic": origin.deterministic,
            "parameters": origin.parameters,
        },
        "counts": prepared.counts,
        "history": None,
        "phases": {},
        "peak_memory_mb": None,
        "provenance": provenance()
        | {"finished": finished, "hardware": {}, "determinism": "made elsewhere"},
    }
