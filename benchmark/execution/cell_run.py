"""One cell, start to finish, inside a worker: data, model, training, predictions, row."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.data.prepared import SPLITS, ManifestPart, Prepared, load_prepared
from benchmark.errors import UserError
from benchmark.execution.cell_data import cell_data
from benchmark.execution.checkpoints import remove_checkpoints
from benchmark.execution.environment import provenance
from benchmark.execution.fallback import WATERMARK
from benchmark.execution.memory import peak_memory_mb, reset_peak_memory
from benchmark.execution.profile import profile
from benchmark.execution.protocol import dataset_facts, protocol_of
from benchmark.legacy import is_legacy
from benchmark.legacy.split import legacy_verdict
from benchmark.models import ModelFile
from benchmark.protocols import under
from benchmark.records.mask_counts import MaskCounts, write_mask_counts
from benchmark.records.predictions import Predictions, link, write_predictions
from benchmark.records.store import Results, Row
from benchmark.scoring.stored import stored_scores
from benchmark.segmentation.chosen import network_of
from benchmark.suites.cell import Cell

Event = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Context:
    """Where a cell reads and writes; ``weights_dirs`` are folders of published weight files."""

    data_dir: Path
    cache_dir: Path
    results: Results
    suite: str
    weights_dirs: tuple[Path, ...] = ()


@dataclass
class Outcome:
    """What running a model gives: logits per split, how it went, and from which weights.

    ``ensemble`` says of an ensemble what its members were and what it chose. A segmentation network
    gives ``masks`` in place of logits, and the hash of the weights that others may use it with.
    """

    logits: dict[str, np.ndarray]
    parameters: int
    history: dict[str, Any] | None = None
    determinism: str = "bit-identical on one CPU machine"
    weights: dict[str, Any] = field(default_factory=dict)
    watermarks: list[str] = field(default_factory=list)
    ensemble: dict[str, Any] = field(default_factory=dict)
    masks: MaskCounts | None = None
    weights_sha256: str | None = None


@dataclass
class Phases:
    """Wall-clock seconds of each phase of a cell, and of the parts of its training."""

    seconds: dict[str, float] = field(default_factory=dict)
    training: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of the block to a phase."""
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = self.seconds.get(name, 0.0) + time.perf_counter() - start
            self.seconds[name] = round(spent, 3)


def run_cell(cell: Cell, model_file: ModelFile, context: Context, on_event: Event) -> Row:
    """Run one cell and save its predictions, scores and row.

    Raises:
        UserError: the data set has changed since the cell was planned, or the model is not
            applicable to it.
    """
    from benchmark.execution.baseline import run_baseline
    from benchmark.execution.ensemble_run import run_ensemble
    from benchmark.execution.image_model import run_image_model
    from benchmark.segmentation.lung_views import lung_facts
    from benchmark.segmentation.mask_model import run_mask_model

    reset_peak_memory()
    begun, phases = time.perf_counter(), Phases()
    prepared = under(cell.protocol, load_prepared(cell.dataset, context.data_dir))
    if prepared.manifest_sha256 != cell.manifest_sha256:
        raise UserError(f"{cell.dataset} was prepared anew after this cell was planned; run again")
    data = cell_data(cell, prepared)
    parts = {split: data[split].part for split in SPLITS}
    if prepared.holds_masks:
        outcome = run_mask_model(cell, model_file, prepared, data, context, phases, on_event)
    elif cell.ensemble:
        outcome = run_ensemble(cell, model_file, prepared, data, context, phases, on_event)
    elif model_file.card["inputs"] == "metadata":
        outcome = run_baseline(model_file, prepared.task, parts, phases)
    else:
        outcome = run_image_model(cell, model_file, prepared, data, context, phases, on_event)
    with phases.phase("write"):
        path = context.results.predictions_path(cell.cell_id, prepared.facts["redistributable"])
        if outcome.masks is None:
            digest = write_predictions(path, make_predictions(prepared, parts, outcome.logits))
        else:
            digest = write_mask_counts(path, outcome.masks)
    row = base_row(cell, prepared, model_file, context.suite) | {
        "status": "done",
        "counts": {split: parts[split].counts(prepared.facts["findings"]) for split in SPLITS},
        "predictions_sha256": digest,
        "history": outcome.history,
        "peak_memory_mb": peak_memory_mb(),
    }
    if is_legacy(cell.protocol):
        row["dataset"] |= legacy_verdict(data, row["dataset"])
    for key in ("weights", "weights_sha256", "ensemble"):
        if values := getattr(outcome, key):
            row[key] = values
    if network_of(cell.preprocessing):
        row["lungs"] = lung_facts(cell, prepared, context.cache_dir, context.results)
    row["watermarks"] += [m for m in outcome.watermarks if m not in row["watermarks"]]
    row["model"]["parameters"] = outcome.parameters
    row["provenance"]["determinism"] = outcome.determinism
    with phases.phase("score"):
        stored_scores(context.results, row)
    row["phases"] = phases.seconds
    row["profile"] = profile(phases.seconds, phases.training, time.perf_counter() - begun)
    context.results.write_row(row)
    remove_checkpoints(context.results.checkpoints, cell)
    return row


def base_row(cell: Cell, prepared: Prepared, model_file: ModelFile, suite: str) -> Row:
    """The part of a row that is known before a cell runs, so also of a failed one."""
    card = model_file.card
    finished = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {
        "cell_id": cell.cell_id,
        "config_id": cell.config_id,
        "suite": suite,
        "error": None,
        "cell": cell.as_dict(),
        "dataset": dataset_facts(prepared),
        "protocol": protocol_of(cell, prepared),
        "watermarks": _watermarks(cell),
        "model": {
            "title": card.get("title", model_file.name),  # a broken file has no card
            "reference": card.get("reference", ""),
            "sha256": model_file.sha256,
            "deterministic": card.get("deterministic", True),
            "parameters": None,
        },
        "counts": prepared.counts,
        "predictions_sha256": None,
        "history": None,
        "phases": {},
        "peak_memory_mb": None,
        "provenance": provenance() | {"finished": finished},
    }


def _watermarks(cell: Cell) -> list[str]:
    """Why a row is not to be ranked with full ones, as far as its cell says it."""
    limited = [f"limited to {cell.limit} images of each split"] if cell.limit else []
    return limited + ([WATERMARK] if cell.memory_fallback else [])


def make_predictions(
    prepared: Prepared, parts: dict[str, ManifestPart], logits: dict[str, np.ndarray]
) -> Predictions:
    """Join logits with ids, metadata and targets, split after split."""

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(parts[split], name) for split in SPLITS])

    values = np.concatenate([logits[split] for split in SPLITS]).astype(np.float32)
    return Predictions(
        findings=prepared.task.findings,
        kind=prepared.task.kind,
        split=np.concatenate([[split] * len(parts[split].image_id) for split in SPLITS]),
        **{name: joined(name) for name in ("image_id", "patient_id", "age", "sex", "view")},
        targets=np.where(joined("labelled"), joined("targets"), np.nan),
        logits=values,
        probabilities=link(values, prepared.task.kind),
    )
