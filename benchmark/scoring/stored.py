"""Scores on disk: computed once for each state of a prediction file, then only read.

A file of scores is derived. One that is missing or was changed, or is of another version of the
scorer or of other predictions, is as none: the scores are computed anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmark.errors import UserError
from benchmark.hashing import sha256, sha256_of_file
from benchmark.records.door import read_derived, save_derived
from benchmark.records.mask_counts import decode_mask_counts
from benchmark.records.predictions import (
    PredictionFileError,
    Predictions,
    decode_predictions,
    read_bytes,
    read_predictions,
)
from benchmark.records.row import Row
from benchmark.records.scores import ConfigurationIntervals, MaskScores, Scores, StoredInfluence
from benchmark.records.store import Results, leave_out
from benchmark.records.tables import LARGEST
from benchmark.scoring import seeds
from benchmark.scoring.agreement import disagreement
from benchmark.scoring.by_protocol import is_current, score_counts, score_predictions
from benchmark.scoring.influence import Influence, macro_auc
from benchmark.scoring.overlap import ALL
from benchmark.scoring.part import Part
from benchmark.scoring.scorecard import SCORER_VERSION, ScoringError

Found = TypeVar("Found", Scores, MaskScores)


def stored_scores(results: Results, row: Row) -> Scores:
    """Scores of a finished row of findings, as its prediction file is now.

    Where their ``predictions_sha256`` is not the row's own, the file was edited after the run.
    They are returned even where they cannot be saved.

    Raises:
        PredictionFileError: the prediction file is missing or cannot be trusted; it is named.
        ScoringError: it cannot be scored; it is named.
    """

    def compute(data: bytes, path: Path) -> Scores:
        predictions = decode_predictions(data, row.dataset.task.kind, path)
        tested = not row.spec.no_test
        return score_predictions(predictions, row.protocol, sha256(data), tested=tested)

    return _stored(results, row, Scores, compute)


def scored(
    results: Results,
    rows: Iterable[Row],
    score: Callable[[Results, Row], Found],
    left_out: list[UserError] | None = None,
) -> Iterator[tuple[Row, Found]]:
    """The finished ones of some rows with their scores.

    Args:
        results: the folder that they are in.
        rows: finished or not.
        score: of a row, :func:`stored_scores` or the like.
        left_out: see :meth:`benchmark.records.store.Results.rows`; also where predictions are
            missing or cannot be trusted.
    """
    for row in rows:
        if row.done:
            try:
                yield row, score(results, row)
            except UserError as error:
                leave_out(error, left_out)


def stored_mask_scores(results: Results, row: Row) -> MaskScores:
    """Scores of a finished row of masks; see :func:`stored_scores`."""

    def compute(data: bytes, path: Path) -> MaskScores:
        return score_counts(decode_mask_counts(data, path), row.protocol, sha256(data))

    return _stored(results, row, MaskScores, compute)


def stored_intervals(
    results: Results, configuration: str, rows: Sequence[Row], scores: Sequence[Scores]
) -> ConfigurationIntervals:
    """Intervals of the means over the seeds of a configuration; see :func:`stored_scores`.

    Args:
        results: the folder.
        configuration: what tells it from all others there.
        rows: its finished rows, by seed.
        scores: of each.
    """
    if len(rows) == 1:
        return seeds.of_one(scores[0])
    saved = results.intervals_path(configuration)
    known = read_derived(saved, ConfigurationIntervals)
    if known and _version(known) == (
        SCORER_VERSION, scores[0].seed_text, [each.predictions_sha256 for each in scores]
    ):  # fmt: skip
        return known
    found = seeds.of_all([predictions_of(results, row) for row in rows], scores)
    save_derived(saved, found, results.top)
    return found


def _version(known: ConfigurationIntervals) -> tuple[int, str, list[str]]:
    return known.scorer_version, known.seed_text, known.predictions_sha256


def predictions_of(results: Results, row: Row) -> Predictions:
    """All that a finished row of findings said, from its file as it is now.

    Raises:
        PredictionFileError: the file is missing or cannot be trusted; it is named.
    """
    return read_predictions(results.predictions_of(row), row.dataset.task.kind)


def stored_influence(results: Results, row: Row, scores: Scores) -> Influence | None:
    """What each test patient adds to the macro AUC of a row; None where it is undefined.

    Args:
        results: the folder.
        row: finished, of findings.
        scores: of its prediction file as it is now.
    """
    saved = results.influence_path(row.spec_id)
    known = read_derived(saved, StoredInfluence)
    if known is None or not _is_of(known, scores):
        known = influence_record(predictions_of(results, row), scores)
        save_derived(saved, known, results.top)
    return None if known.value is None else Influence(known.value, np.array(known.of_patients))


def _is_of(known: StoredInfluence, scores: Scores) -> bool:
    terms = 0 if known.value is None else scores.splits["test"].n_patients
    state = (known.scorer_version, known.predictions_sha256, len(known.of_patients))
    return state == (SCORER_VERSION, scores.predictions_sha256, terms)


def influence_record(predictions: Predictions, scores: Scores) -> StoredInfluence:
    """What is stored of :func:`stored_influence`: of predictions that were scored."""
    test = Part.scored(predictions.part("test"), scores.thresholds)
    found = macro_auc(test, [scores.findings.index(f) for f in scores.macro_findings])
    value, terms = (found.value, found.of_patients.tolist()) if found else (None, [])
    return StoredInfluence(
        scorer_version=SCORER_VERSION,
        predictions_sha256=scores.predictions_sha256,
        value=value,
        of_patients=terms,
    )


def stored_headline(results: Results, row: Row) -> tuple[str, float | None]:
    """:func:`headline` of a row by its stored scores; see :func:`stored_scores`."""
    scores = stored_mask_scores(results, row) if row.holds_masks else stored_scores(results, row)
    return headline(row, scores)


def headline(row: Row, scores: Scores | MaskScores) -> tuple[str, float | None]:
    """The one number that tells how a finished row did on test: its name and value.

    Of a row that leaves the test out on validation.
    """
    if isinstance(scores, MaskScores):
        return "test Dice", scores.splits["test"][ALL].overlaps["dice"]
    if row.spec.no_test:
        return "AUC on validation", scores.splits["validation"].metrics["auc"]
    return "test AUC", scores.splits["test"].metrics["auc"]


def _stored(
    results: Results, row: Row, kind: type[Found], compute: Callable[[bytes, Path], Found]
) -> Found:
    path = results.predictions_of(row)
    saved = results.scores_path(row.spec_id)
    known = read_derived(saved, kind)
    of_its_splits = known and ("test" in known.splits) != row.spec.no_test
    if known and of_its_splits and is_current(known, row.protocol, _digest(path)):
        return _of_row(known, row, path)
    try:
        scores = compute(read_bytes(path), path)
    except ScoringError as error:
        raise ScoringError(f"{path}: {error}") from None
    save_derived(saved, scores, results.top)
    return _of_row(scores, row, path)


def _of_row(scores: Found, row: Row, path: Path) -> Found:
    if problem := disagreement(row, scores):
        raise PredictionFileError(
            f"{path}: holds predictions {problem} than its row says, so it is not what was "
            f"measured. Remove it and the row of {row.spec_id}, and run that spec again."
        )
    return scores


def _digest(path: Path) -> str:
    """Of a file that is to be read; empty where it cannot be, which :func:`read_bytes` explains."""
    try:
        readable = path.is_file() and path.stat().st_size <= LARGEST  # a pipe would never end
        return sha256_of_file(path) if readable else ""
    except OSError:
        return ""
