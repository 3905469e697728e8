"""Speed of scoring and of the leaderboard, run by hand.

First one row with as many predictions as ChestX-ray14's test split has, a validation split and a
small training split beside it: every metric and interval. Beside it a loop over scikit-learn's
``average_precision_score`` alone, on the same core, timed on a few resamples; both in processor
time, so that other work on the machine does not count. Then the time from a thousand scored rows
to a leaderboard, in a fresh process.

    python benchmarks/scoring.py
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import argparse
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from sklearn.metrics import average_precision_score

from benchmark.records.door import write_record
from benchmark.records.files import write_atomic
from benchmark.records.predictions import Predictions, link
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.scoring import score
from benchmark.scoring.stored import stored_influence, stored_intervals, stored_scores

PREVALENCE = np.geomspace(0.002, 0.2, 14)
IMAGES_PER_PATIENT = 9
LEADERBOARD = """
import sys, time
start = time.perf_counter()
from pathlib import Path
from benchmark.records.store import Results
from benchmark.report.export.leaderboard import write
write(Results(Path(sys.argv[1])))
wall = time.perf_counter() - start
print(f"{wall:.2f} s, {time.process_time():.2f} s of the processor with start-up;",
      "TensorFlow imported:", "tensorflow" in sys.modules)
"""


def predictions(splits: dict[str, int], rng: np.random.Generator) -> Predictions:
    """Of 14 findings, with some nine images a patient."""
    n = sum(splits.values())
    targets = (rng.random((n, len(PREVALENCE))) < PREVALENCE).astype(float)
    logits = (rng.normal(size=targets.shape) + 1.2 * targets - 3).astype(np.float32)
    patients = rng.integers(n // IMAGES_PER_PATIENT, size=n)
    split = np.repeat(list(splits), list(splits.values()))
    return Predictions(
        findings=tuple(f"finding_{i}" for i in range(len(PREVALENCE))),
        kind="multilabel",
        split=split,
        image_id=np.arange(n).astype(str),
        patient_id=np.char.add(split, patients.astype(str)),
        age=rng.integers(20, 90, size=n),
        sex=rng.choice(["F", "M"], n),
        view=rng.choice(["PA", "AP"], n),
        targets=targets,
        logits=logits,
        probabilities=link(logits, "multilabel"),
    )


def loop(test: Predictions, resamples: int, rng: np.random.Generator) -> None:
    """The plain way: rows of the drawn patients, then scikit-learn for each finding."""
    rows_of = [np.flatnonzero(test.patient_id == p) for p in np.unique(test.patient_id)]
    for _ in range(resamples):
        drawn = rng.integers(len(rows_of), size=len(rows_of))
        rows = np.concatenate([rows_of[patient] for patient in drawn])
        for f in range(len(PREVALENCE)):
            average_precision_score(test.targets[rows, f], test.logits[rows, f])


def resampling(options) -> None:
    """Time both ways and print them side by side."""
    rng = np.random.default_rng(0)
    splits = {"train": options.images, "validation": options.images // 2, "test": options.images}
    made = predictions(splits, rng)
    start = time.process_time()
    score(made, predictions_sha256="0" * 64, seed_text="speed", resamples=options.resamples)
    ours = time.process_time() - start
    start = time.process_time()
    loop(made.part("test"), options.loop, rng)
    theirs = (time.process_time() - start) * options.resamples / options.loop
    print(f"{options.images:,} images x {len(PREVALENCE)}, {options.resamples:,} resamples:")
    print(f"  this package, all intervals      {ours:8.1f} s")
    print(
        f"  scikit-learn, average precision  {theirs:8.1f} s ({options.loop} resamples, scaled up)"
    )
    print(f"  ratio                            {theirs / ours:8.1f}")


def leaderboard(options) -> None:
    """Time a leaderboard of copies of the rows of a results folder, three seeds each."""
    with tempfile.TemporaryDirectory() as folder:
        copies = Results(Path(folder))
        _copy_rows(Results(options.results), copies, options.rows)
        for told in ("first, comparing", "again, reading"):
            command = [sys.executable, "-c", LEADERBOARD, folder]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            print(f"{options.rows:,} rows, {told}: {said.strip()}")


def _copy_rows(source: Results, copies: Results, wanted: int) -> None:
    """So many rows with their predictions and scores, each copy a model of its own.

    Influences, and intervals of means over seeds, are copied, too: they are computed once, in about
    the time that the rows take to be scored.
    """
    rows = [row for row in source.rows() if row.done and not row.holds_masks]
    rows = sorted(rows, key=lambda row: (row.config_id, row.spec.seed))
    scores = {row.spec_id: stored_scores(source, row) for row in rows}
    seeds: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        seeds[row.config_id].append(row)
    intervals = {
        name: stored_intervals(source, name, of, [scores[row.spec_id] for row in of])
        for name, of in seeds.items()
    }
    for number in range(wanted):
        row, copy = rows[number % len(rows)], number // len(rows)
        spec = replace(row.spec, model=f"{row.spec.model}{copy}")
        copies.write_row(replace(row, spec=spec, spec_id=spec.spec_id, config_id=spec.config_id))
        data = source.predictions_path(row.spec_id).read_bytes()
        write_atomic(copies.predictions_path(spec.spec_id), data)
        write_record(copies.scores_path(spec.spec_id), scores[row.spec_id], readable=False)
        stored_influence(source, row, scores[row.spec_id])
        terms = source.influence_path(row.spec_id).read_bytes()
        write_atomic(copies.influence_path(spec.spec_id), terms)
        held = intervals[row.config_id]
        write_record(copies.intervals_path(spec.config_id), held, readable=False)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=25_596)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--loop", type=int, default=5, help="resamples of the scikit-learn loop")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--results", type=Path, default=Path("results"))
    options = parser.parse_args()
    resampling(options)
    leaderboard(options)


if __name__ == "__main__":
    main()
