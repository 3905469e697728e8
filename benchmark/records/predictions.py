"""Prediction files: what a trained model said about every image, and what was true.

A prediction file is a gzipped CSV with one line per image of the train, validation and test
splits, all from the same checkpoint and without augmentation. Columns: ``split``, ``image_id``,
``patient_id``, ``age`` (years, -1 unknown), ``sex``, ``view``, then for each finding
``target:<finding>`` (0 or 1, empty where unlabelled), ``logit:<finding>`` and
``probability:<finding>``. Every published number is recomputed from these files.
"""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.errors import UserError
from benchmark.records.files import sha256, write_atomic

TEXT_COLUMNS = ("split", "image_id", "patient_id", "sex", "view")
SPLITS = ("train", "validation", "test")


class PredictionFileError(UserError):
    """A prediction file that cannot be trusted; the text names the file and the fault."""


@dataclass(frozen=True)
class Predictions:
    """Predictions of one model, N images by F findings.

    Attributes:
        findings: F names.
        kind: ``"binary"``, ``"multilabel"`` or ``"multiclass"``.
        split, image_id, patient_id, sex, view: (N,) text.
        age: (N,) int, years, -1 unknown.
        targets: (N, F) float64, 0 or 1, NaN where unlabelled.
        logits: (N, F) float32.
        probabilities: (N, F) float32 in [0, 1]; rows sum to one where findings are exclusive.
    """

    findings: tuple[str, ...]
    kind: str
    split: np.ndarray
    image_id: np.ndarray
    patient_id: np.ndarray
    age: np.ndarray
    sex: np.ndarray
    view: np.ndarray
    targets: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray

    def part(self, split: str) -> Predictions:
        """The predictions of one split, in file order."""
        keep = self.split == split
        arrays = {
            name: getattr(self, name)[keep]
            for name in (*TEXT_COLUMNS, "age", "targets", "logits", "probabilities")
        }
        return Predictions(self.findings, self.kind, **arrays)


def link(logits: np.ndarray, kind: str) -> np.ndarray:
    """Probabilities of (N, F) logits: softmax for ``"multiclass"``, else a sigmoid each.

    Computed in float64 and returned as float32, so that a saturated logit does not overflow.
    """
    from scipy.special import expit, softmax

    wide = np.asarray(logits, np.float64)
    return (softmax(wide, axis=1) if kind == "multiclass" else expit(wide)).astype(np.float32)


def write_predictions(path: Path, predictions: Predictions) -> str:
    """Write a prediction file atomically; returns the SHA-256 of its bytes.

    Equal predictions give equal bytes: nine significant digits hold a float32 exactly, and the
    gzip header carries no time.
    """
    data = gzip.compress(_to_csv(predictions), compresslevel=6, mtime=0)
    write_atomic(path, data)
    return sha256(data)


def read_predictions(path: Path, kind: str) -> Predictions:
    """Read a prediction file of a task of the given kind.

    Raises:
        PredictionFileError: the file is missing, truncated, not a gzipped CSV, lacks a column, or
            holds a value that no model can have written.
    """
    frame = read_frame(path)
    findings = tuple(c.removeprefix("target:") for c in frame.columns if c.startswith("target:"))
    needed = [
        *TEXT_COLUMNS,
        "age",
        *(f"{p}:{f}" for f in findings for p in ("logit", "probability")),
    ]
    missing = [column for column in needed if column not in frame.columns]
    if missing or not findings:
        raise PredictionFileError(f"{path}: missing column(s) {', '.join(missing) or 'target:*'}")
    predictions = Predictions(
        findings,
        kind,
        **{name: frame[name].to_numpy(dtype=str) for name in TEXT_COLUMNS},
        age=_numbers(path, frame, ["age"])[:, 0].astype(np.int64),
        targets=_numbers(path, frame, [f"target:{f}" for f in findings]),
        logits=_numbers(path, frame, [f"logit:{f}" for f in findings]).astype(np.float32),
        probabilities=_numbers(path, frame, [f"probability:{f}" for f in findings]).astype(
            np.float32
        ),
    )
    _check(path, predictions)
    return predictions


def _to_csv(predictions: Predictions) -> bytes:
    import pandas as pd

    columns: dict[str, object] = {
        name: getattr(predictions, name) for name in ("split", "image_id", "patient_id")
    }
    columns |= {name: getattr(predictions, name) for name in ("age", "sex", "view")}
    for i, finding in enumerate(predictions.findings):
        columns[f"target:{finding}"] = pd.array(predictions.targets[:, i], dtype="Int8")
        columns[f"logit:{finding}"] = predictions.logits[:, i].astype(np.float64)
        columns[f"probability:{finding}"] = predictions.probabilities[:, i].astype(np.float64)
    text = pd.DataFrame(columns).to_csv(index=False, float_format="%.9g", lineterminator="\n")
    return text.encode()


def read_frame(path: Path):
    """The table in a gzipped CSV file, ids and names as text.

    Raises:
        PredictionFileError: the file is missing, truncated or not a gzipped CSV.
    """
    import pandas as pd

    try:
        text = gzip.decompress(path.read_bytes())
        return pd.read_csv(
            io.BytesIO(text),
            dtype=dict.fromkeys(TEXT_COLUMNS, str),
            keep_default_na=False,
        )
    except FileNotFoundError:
        raise PredictionFileError(f"{path}: the prediction file is missing") from None
    except (OSError, EOFError, zlib.error, ValueError, UnicodeDecodeError) as error:
        raise PredictionFileError(
            f"{path}: not a readable prediction file ({error}). Remove it and run the cell again."
        ) from None


def _numbers(path: Path, frame, columns: list[str]) -> np.ndarray:
    import pandas as pd

    try:
        # An empty cell is "unlabelled" and becomes NaN; any other text is an error.
        return np.stack(
            [pd.to_numeric(frame[c].replace("", None)).to_numpy(np.float64) for c in columns], 1
        )
    except (ValueError, TypeError) as error:
        raise PredictionFileError(f"{path}: {', '.join(columns)}: {error}") from None


def _check(path: Path, predictions: Predictions) -> None:
    targets, probabilities = predictions.targets, predictions.probabilities
    faults = {
        "a split other than train, validation, test": ~np.isin(predictions.split, SPLITS),
        "a target other than 0, 1 or empty": ~(np.isin(targets, (0, 1)) | np.isnan(targets)),
        "a logit that is not a finite number": ~np.isfinite(predictions.logits),
        "a probability outside [0, 1]": ~((probabilities >= 0) & (probabilities <= 1)),
    }
    for fault, where in faults.items():
        if where.any():
            line = int(np.argwhere(where)[0][0]) + 2
            raise PredictionFileError(f"{path}, line {line}: {fault}")
