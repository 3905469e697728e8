"""A trained row on the test images of another data set: its weights as they are, nothing tuned.

The result is a row of its own kind, in the folder ``cross`` of the results. Its prediction file
holds the row's own predictions of its validation split, on which thresholds stay chosen, and the
new ones of the other set's test split, both under the common names of the findings.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmark.data.prepared import NotPrepared, Prepared, load_prepared
from benchmark.data.shared_findings import shared_findings
from benchmark.data.split_data import SplitData
from benchmark.errors import UserError
from benchmark.execution.ancestry import overlap
from benchmark.execution.cross_row import cross_row, joined, test_predictions
from benchmark.legacy import HONEST
from benchmark.models import ModelFile
from benchmark.records.files import sha256_of_file
from benchmark.records.predictions import read_predictions, write_predictions
from benchmark.records.store import Results, Row, is_segmentation
from benchmark.scoring.carried import carried
from benchmark.scoring.stored import stored_scores
from benchmark.suites.cell import Cell
from benchmark.task import Task

Progress = Callable[[int, int], None]


def evaluate(
    row: Row,
    target: Prepared,
    model_file: ModelFile,
    results: Results,
    cache_dir: Path,
    progress: Progress | None = None,
) -> Row:
    """Test the network of a row on another data set, and save predictions, scores and row.

    Args:
        row: finished, of a network that sees images.
        target: the other data set, prepared.
        model_file: of the row.
        results: where the row and its weights are; the new row goes to its ``cross`` folder.
        progress: told how many images are decoded.

    Raises:
        UserError: the weights are not here or not of this model file, the sets share no finding,
            or the network was trained on some of the very test images.
    """
    start = time.perf_counter()
    weights = _weights(row, model_file, results)
    source = Cell(**row["cell"])
    learnt = Task(tuple(row["dataset"]["task"]["findings"]), row["dataset"]["task"]["kind"])
    ours, theirs = shared_findings(
        source.dataset, learnt.findings, target.name, target.task.findings
    )
    cell = _cell(source, row, target)
    seen = _seen(cell, source, target, results)
    logits = _predict(source, learnt, model_file, weights, target, results, cache_dir, progress)
    home = results.predictions_path(row["cell_id"], row["dataset"]["redistributable"])
    validation = carried(read_predictions(home, learnt.kind).part("validation"), ours)
    both = joined(validation, test_predictions(target, logits, learnt, ours, theirs))
    made = cross_row(cell, row, target, model_file, both)
    made["watermarks"] += seen
    made["source"] |= {"findings": [ours, theirs], "weights_sha256": sha256_of_file(weights)}
    made["phases"] = {"evaluate": round(time.perf_counter() - start, 3)}
    digest = write_predictions(
        results.cross.predictions_path(cell.cell_id, made["dataset"]["redistributable"]), both
    )
    made["predictions_sha256"] = digest
    stored_scores(results.cross, made)
    results.cross.write_row(made)
    return made


def _weights(row: Row, model_file: ModelFile, results: Results) -> Path:
    """The saved weights of a row that can be evaluated."""
    path = results.weights_path(row["cell_id"])
    if row["status"] != "done" or is_segmentation(row) or "source" in row:
        raise UserError(f"row {row['cell_id']} is not a finished classifier")
    if "probe" in row["protocol"]:
        raise UserError(
            f"row {row['cell_id']} is a shortcut probe: what it reads is no finding of another set"
        )
    if row["cell"].get("ensemble") or model_file.card["inputs"] != "image":
        raise UserError(
            f"row {row['cell_id']} ({row['cell']['model']}) has no network of its own that sees "
            "images; evaluate a model that does"
        )
    if model_file.sha256 != row["model"]["sha256"]:
        raise UserError(
            f"the model file of {row['cell']['model']} has changed since row {row['cell_id']} was "
            "trained; run it again: cxr-bench run --rerun stale"
        )
    if not path.is_file():
        raise UserError(
            f"{path}: the weights are not here; they are not published with a row. Train it again: "
            f"cxr-bench run --suite {row['suite']} --rerun all --filter "
            f"model={row['cell']['model']},seed={row['cell']['seed']}"
        )
    return path


def _cell(source: Cell, row: Row, target: Prepared) -> Cell:
    """What stands for the evaluation: the target's images and the row's weights, no recipe."""
    return replace(
        source,
        dataset=target.name,
        dataset_version=target.version,
        manifest_sha256=target.manifest_sha256,
        weights=f"from:{row['cell_id']}",
        recipe={},
        protocol=HONEST,
    )


def _seen(cell: Cell, source: Cell, target: Prepared, results: Results) -> list[str]:
    """Why the network may know patients it is tested on; very test images are refused."""
    if target.manifest_sha256 == source.manifest_sha256:
        raise UserError(
            f"row {cell.weights.removeprefix('from:')} was trained on {target.name} itself; its "
            "scores there are in the leaderboard"
        )
    try:
        manifest = load_prepared(source.dataset, target.path.parents[2]).manifest()
    except NotPrepared:
        return overlap(cell, target, results)
    own_test = manifest["split"] == "test"
    trained = manifest[~own_test] if source.protocol == HONEST else manifest
    test = target.manifest().query("split == 'test'")
    copies = int(test["sha256"].isin(trained["sha256"]).sum())
    if copies:
        raise UserError(
            f"{copies} of the {len(test)} test images of {target.name} are among those that the "
            f"network was trained on ({source.dataset}): a score there would mean nothing"
        )
    earlier = overlap(replace(cell, weights=source.weights), target, results)
    one_builder = source.dataset.partition("/")[0] == target.name.partition("/")[0]
    known = int(test["patient_id"].isin(trained["patient_id"]).sum()) if one_builder else 0
    if not known:
        return earlier
    return [f"{known} of {len(test)} test images have patient ids it was trained on", *earlier]


def _predict(
    source: Cell,
    learnt: Task,
    model_file: ModelFile,
    weights: Path,
    target: Prepared,
    results: Results,
    cache_dir: Path,
    progress: Progress | None,
) -> np.ndarray:
    """(N, F) logits of the target's test images."""
    from benchmark.execution.image_model import fresh_model
    from benchmark.execution.stage import predict_logits
    from benchmark.segmentation.lung_views import open_prepared_view

    def view(split: str) -> np.ndarray:
        size, preprocessing = source.resolution, source.preprocessing
        return open_prepared_view(
            target, split, size, preprocessing, cache_dir, results, progress
        ).images

    model = fresh_model(source, model_file, learnt)
    model.load_weights(weights)
    return predict_logits(model, SplitData(target.part("test"), ("test",)).images(view))
