"""The one way in which a finished row gets into a results folder.

Predictions are turned into the bytes of their file, read back from these bytes and scored, all in
memory, before anything is written; the row goes through the checks of one that is read. Then
what is large (weights, masks, maps), predictions, scores and row take their names in this order: a
row that is there has the others, and one that is not published leaves those of the row before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec import structs

from benchmark.errors import UserError
from benchmark.hashing import sha256
from benchmark.records.door import sealed
from benchmark.records.facts import ProtocolFacts
from benchmark.records.mask_counts import MaskCounts, decode_mask_counts, encode_mask_counts
from benchmark.records.predictions import (
    IN_MEMORY,
    PredictionFileError,
    Predictions,
    decode_predictions,
    encode_predictions,
)
from benchmark.records.row import Row
from benchmark.records.scores import MaskScores, Scores, StoredInfluence
from benchmark.records.store import Results
from benchmark.scoring.agreement import disagreement
from benchmark.scoring.by_protocol import is_current, score_counts, score_predictions
from benchmark.scoring.stored import influence_record

COMPUTED = ("logits", "probabilities")
"""What a file holds to the last bit of float32, whatever the arrays were."""


class FinishedMeanwhile(UserError):
    """There is a finished row of the spec, which nobody asked to replace: the earlier one stays."""


@dataclass(frozen=True)
class Checked:
    """Predictions that were read back and scored; see :func:`check`.

    Attributes:
        data: the bytes of their file.
        sha256: of these bytes.
        scores: of what was read from them.
        influence: what each of their test patients adds to the AUC; None of masks and without test.
    """

    data: bytes
    sha256: str
    scores: Scores | MaskScores
    influence: StoredInfluence | None = None


def check(
    predictions: Predictions | MaskCounts, protocol: ProtocolFacts, *, tested: bool = True
) -> Checked:
    """Encode, read back and score predictions, in memory.

    Args:
        predictions: of findings, or the pixel counts of predicted masks.
        protocol: of the row that they are to belong to.
        tested: whether they are to hold a test split, or none.

    Raises:
        PredictionFileError: they cannot be written, or not be read back as they are.
        ScoringError: they cannot be scored.
    """
    if isinstance(predictions, MaskCounts):
        data = encode_mask_counts(predictions)
        counts = decode_mask_counts(data)
        _refuse_other(predictions, counts)
        return Checked(data, digest := sha256(data), score_counts(counts, protocol, digest))
    data = encode_predictions(predictions)
    read = decode_predictions(data, predictions.kind)
    _refuse_other(predictions, read)
    digest = sha256(data)
    scores = score_predictions(read, protocol, digest, tested=tested)
    return Checked(data, digest, scores, influence_record(read, scores) if tested else None)


def publish(
    results: Results,
    row: Row,
    checked: Checked,
    *,
    replace: bool = False,
    large: Mapping[Path, bytes] | None = None,
) -> Row:
    """Write predictions, scores and row; returns the row as it was written.

    Args:
        results: the folder.
        row: finished; its ``predictions_sha256`` is set here.
        checked: its predictions.
        replace: whether a finished row of the same spec may be replaced.
        large: files of the folder that belong to the row and are not published with it.

    Raises:
        UserError: the row contradicts itself or its predictions, or would be written through a
            link. Nothing is written then.
        FinishedMeanwhile: there is a finished row that nobody asked to replace; nor then.
        OSError: the folder cannot be written to; a row that was there is as it was.
    """
    made = structs.replace(row, predictions_sha256=checked.sha256)
    data = results.row_bytes(made)
    _refuse_strangers(made, checked)
    if not replace:
        _refuse_finished(results, made)
    derived = {
        results.scores_path(made.spec_id): checked.scores,
        results.influence_path(made.spec_id): checked.influence,
    }
    results.write(
        {
            **(large or {}),
            results.predictions_of(made): checked.data,
            **{path: sealed(each, readable=False) for path, each in derived.items() if each},
            results.row_path(made.spec_id): data,
        }
    )
    return made


def _refuse_other(given: Predictions | MaskCounts, read: Predictions | MaskCounts) -> None:
    """Names and ids may hold what a table cannot, a carriage return for instance."""
    for name, values in vars(read).items():
        before = getattr(given, name)
        if name in COMPUTED:
            continue
        if not isinstance(values, np.ndarray):
            same = before == values
        elif values.dtype.kind == "U":
            same = np.array_equal(before.astype(str), values)
        else:
            same = np.array_equal(before, values, equal_nan=values.dtype.kind == "f")
        if not same:
            raise PredictionFileError(f"{IN_MEMORY}: {name} cannot be written to a file as it is")


def _refuse_strangers(row: Row, checked: Checked) -> None:
    scores, task = checked.scores, row.dataset.task
    kind = "segmentation" if isinstance(scores, MaskScores) else scores.kind
    findings = task.findings if isinstance(scores, MaskScores) else scores.findings
    if (kind, findings) != (task.kind, task.findings):
        raise UserError(
            f"row {row.spec_id}: its predictions are of a {kind} task ({', '.join(findings)}), its "
            f"data set is of a {task.kind} one ({', '.join(task.findings)})"
        )
    if problem := disagreement(row, scores):
        raise UserError(f"row {row.spec_id}: its predictions are {problem} than it says")
    if not is_current(scores, row.protocol, checked.sha256):
        raise UserError(
            f"row {row.spec_id}: its predictions were scored under another protocol than its own, "
            f"{row.protocol.id}"
        )


def _refuse_finished(results: Results, row: Row) -> None:
    there = results.read_row(row.spec_id)
    if there and there.done:
        raise FinishedMeanwhile(
            f"{results.row_path(row.spec_id)}: there is a finished row already, and none is "
            f"replaced without being asked to. Ask for it ({_again(row)}), remove that file, or "
            "choose another folder with --results DIR."
        )


def _again(row: Row) -> str:
    """The command that replaces a row."""
    if row.external is not None:
        return "cxr-bench score --replace"
    if row.trained_on is not None:
        (network,) = row.spec.required_ids.values()
        return f"cxr-bench evaluate {network} --on {row.spec.dataset} --replace"
    return f"cxr-bench run --suite {row.suite} --rerun all"
