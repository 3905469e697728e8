"""Scores on disk: computed once for each state of a prediction file, then only read."""

from __future__ import annotations

import json
from pathlib import Path

from benchmark.records.files import canonical_json, sha256_of_file, write_atomic
from benchmark.records.mask_counts import read_mask_counts
from benchmark.records.predictions import PredictionFileError, read_predictions
from benchmark.records.store import Results, Row, is_segmentation
from benchmark.scoring import SCORER_VERSION, score
from benchmark.scoring.by_rule import by_rule
from benchmark.scoring.overlap import ALL, score_masks


def stored_scores(results: Results, row: Row) -> dict:
    """Scores of a finished row, recomputed wherever the prediction file or the scorer changed.

    Returns:
        What :func:`benchmark.scoring.score` returns, with ``predictions_sha256`` of the file it
        was computed from. Where that differs from the row's own ``predictions_sha256`` the file
        was edited after the run. Rows of a legacy protocol also have ``by_rule``. For a
        segmentation row, what :func:`benchmark.scoring.overlap.score_masks` returns.

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
    scores = _computed(path, row) | {"predictions_sha256": digest}
    write_atomic(results.scores_path(row["cell_id"]), canonical_json(scores) + b"\n")
    return scores


def headline(row: Row, scores: dict) -> tuple[str, float | None]:
    """The one number that tells how a finished row did on test: its name and value."""
    test = scores["splits"]["test"]
    return ("Dice", test[ALL]["dice"]) if is_segmentation(row) else ("AUC", test["auc"])


def _computed(path: Path, row: Row) -> dict:
    seed_text = row["protocol"]["id"]
    if is_segmentation(row):
        return score_masks(read_mask_counts(path), seed_text=seed_text)
    predictions = read_predictions(path, row["dataset"]["task"]["kind"])
    scores = score(predictions, seed_text=seed_text)
    if row["protocol"]["legacy"]:
        scores["by_rule"] = by_rule(predictions, row["protocol"]["rule"]["decision"])
    return scores


def _read(results: Results, cell_id: str) -> dict | None:
    """The saved scores, or None where there are none or the file is damaged (it is derived)."""
    try:
        scores = json.loads(results.scores_path(cell_id).read_bytes())
        return scores if {"predictions_sha256", "scorer_version"} <= scores.keys() else None
    except (OSError, ValueError, AttributeError):
        return None
