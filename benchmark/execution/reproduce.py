"""Run the cell of a row again, beside the results, and say what came out differently and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.data.prepared import load_prepared
from benchmark.ensembles.model_file import ensemble_file
from benchmark.errors import UserError
from benchmark.execution.environment import Environment
from benchmark.execution.plan import Plan, Planned
from benchmark.execution.runner import Folders, run_plan
from benchmark.models import discover
from benchmark.protocols import under
from benchmark.records.predictions import read_predictions
from benchmark.records.store import Results, Row, is_segmentation
from benchmark.scoring.stored import headline, stored_scores
from benchmark.suites.cell import Cell

_NEEDED = ("rows", "predictions", "private", "weights", "masks")
_METRICS = ("auc", "f1", "log_loss")
Numbers = dict[str, tuple[float | None, float | None]]


@dataclass(frozen=True)
class Reproduction:
    """A row and the same cell run again.

    Attributes:
        again: the row of the second run.
        numbers: name of a score -> its value then and now.
        largest: largest difference of a probability of any image; None for masks.
        changes: what else differs between the runs -> how it was and how it is.
    """

    row: Row
    again: Row
    numbers: Numbers
    largest: float | None
    changes: dict[str, tuple[Any, Any]]

    @property
    def identical(self) -> bool:
        """True where every byte of the prediction files is the same."""
        return self.row["predictions_sha256"] == self.again["predictions_sha256"]


def reproduce(
    row: Row, folders: Folders, scratch: Path, watch: Callable = lambda planned, event: None
) -> Reproduction:
    """Run the cell of a finished row in a folder of its own; nothing of the results is changed.

    Args:
        row: of the results in ``folders``.
        scratch: an empty folder.
        watch: told about every event of the run.

    Raises:
        UserError: the data or the model are not here as they were, or the run fails.
    """
    results, again = Results(folders.results), Results(scratch)
    planned = _planned(row, folders, results)
    _link(results, again, row["cell_id"])
    cell = planned.cell
    environment = Environment(cell.backend, cell.device, cell.threads)
    run_plan(Plan([planned]), replace(folders, results=scratch), environment, watch)
    made = again.read_row(cell.cell_id)
    if made["status"] != "done":
        raise UserError(f"the second run did not finish: {made['error']['reason']}")
    return Reproduction(
        row,
        made,
        _numbers(results, again, row, made),
        _largest(results, again, row),
        _changes(row, made),
    )


def _planned(row: Row, folders: Folders, results: Results) -> Planned:
    if row["status"] != "done" or "external" in row:
        reason = "made by another tool" if "external" in row else row["status"].replace("_", " ")
        raise UserError(f"row {row['cell_id']} cannot be run again: it is {reason}")
    cell = Cell(**row["cell"])
    prepared = under(cell.protocol, load_prepared(cell.dataset, folders.data_dir))
    if (prepared.version, prepared.manifest_sha256) != (cell.dataset_version, cell.manifest_sha256):
        raise UserError(
            f"{cell.dataset} is not here as it was: version {cell.dataset_version}, manifest "
            f"{cell.manifest_sha256[:12]} then; {prepared.version}, "
            f"{prepared.manifest_sha256[:12]} now. Prepare the same files again."
        )
    model_files = discover(folders.models_dirs)
    if cell.ensemble:
        model_file = ensemble_file(cell, model_files, results)
    elif cell.model in model_files:
        model_file = model_files[cell.model]
    else:
        raise UserError(f"there is no model file {cell.model}; name its folder by --models-dir")
    return Planned(cell, row["suite"], prepared, model_file, "missing")


def _link(results: Results, again: Results, cell_id: str) -> None:
    """Links to everything that a cell may build on, but for its own files."""
    for name in _NEEDED:
        for path in (results.folder / name).glob("[!.]*"):
            if not path.name.startswith(cell_id):
                (again.folder / name).mkdir(parents=True, exist_ok=True)
                (again.folder / name / path.name).symlink_to(path.resolve())


def _numbers(results: Results, again: Results, row: Row, made: Row) -> Numbers:
    then, now = stored_scores(results, row), stored_scores(again, made)
    if is_segmentation(row):
        (name, before), (_, after) = headline(row, then), headline(made, now)
        return {f"test {name}": (before, after)}
    return {
        f"{split} {metric}": (then["splits"][split][metric], now["splits"][split][metric])
        for split in then["splits"]
        for metric in _METRICS
    }


def _largest(results: Results, again: Results, row: Row) -> float | None:
    if is_segmentation(row):
        return None
    kind, public = row["dataset"]["task"]["kind"], row["dataset"]["redistributable"]
    first, second = (
        read_predictions(each.predictions_path(row["cell_id"], public), kind).probabilities
        for each in (results, again)
    )
    return float(np.abs(first - second).max()) if first.shape == second.shape else None


def _changes(row: Row, made: Row) -> dict[str, tuple[Any, Any]]:
    then, now = (_surroundings(each) for each in (row, made))
    names = dict.fromkeys([*then, *now])
    return {n: (then.get(n), now.get(n)) for n in names if then.get(n) != now.get(n)}


def _surroundings(row: Row) -> dict[str, Any]:
    made = row["provenance"]
    own = {key: made.get(key) for key in ("code_version", "commit", "python")}
    return (
        {"model file": row["model"]["sha256"]}
        | own
        | made.get("packages", {})
        | {f"hardware {key}": value for key, value in made.get("hardware", {}).items()}
    )
