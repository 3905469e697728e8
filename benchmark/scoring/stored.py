"""Scores on disk: computed once for each state of a prediction file, then only read."""

from __future__ import annotations

import json

from benchmark.records.files import canonical_json, sha256_of_file, write_atomic
from benchmark.records.predictions import PredictionFileError, read_predictions
from benchmark.records.store import Results, Row
from benchmark.scoring import SCORER_VERSION, score


def stored_scores(results: Results, row: Row) -> dict:
    """Scores of a finished row, recomputed wherever the prediction file or the scorer changed.

    Returns:
        What :func:`benchmark.scoring.score` returns, with ``predictions_sha256`` of the file it
        was computed from. Where that differs from the row's own ``predictions_sha256`` the file
        was edited after the run.

    Raises:
        PredictionFileError: the prediction file is missing or cannot be trusted; it is named.
    """
    path = results.predictions_path(row["cell_id"], row["dataset"]["redistributable"])
    if not path.is_file():
        raise PredictionFileError(f"{path}: the prediction file is missing")
    digest = sha256_of_file(path)
    known = _read(results, row["cell_id"])
    if known and (known["predictions_sha256"], known["scorer_version"]) == (digest, SCORER_VERSION):
        return known
    predictions = read_predictions(path, row["dataset"]["task"]["kind"])
    scores = score(predictions, seed_text=row["protocol"]["id"]) | {"predictions_sha256": digest}
    write_atomic(results.scores_path(row["cell_id"]), canonical_json(scores) + b"\n")
    return scores


def _read(results: Results, cell_id: str) -> dict | None:
    """The saved scores, or None where there are none or the file is damaged (it is derived)."""
    try:
        scores = json.loads(results.scores_path(cell_id).read_bytes())
        return scores if {"predictions_sha256", "scorer_version"} <= scores.keys() else None
    except (OSError, ValueError, AttributeError):
        return None
