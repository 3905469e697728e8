"""How long `cxr-bench run` takes where a thousand cells are done already, run by hand.

Makes the rows of a suite with so many cells on the embedded set, with predictions and scores, and
times the command in fresh processes, from the shell to the end: with the leaderboard to write for
the first time, and then with nothing left to do.

    python -m benchmarks.finished
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmark.data.discovery import find_dataset
from benchmark.data.prepare import prepare
from benchmark.data.prepared import SPLITS
from benchmark.execution.cell_run import base_row, make_predictions
from benchmark.execution.environment import current
from benchmark.execution.plan import Planned, Stock, make_plan
from benchmark.models import discover
from benchmark.records.predictions import write_predictions
from benchmark.records.store import Results
from benchmark.scoring.stored import stored_scores
from benchmark.suites.suite import DEFAULTS, Suite

DATASET = "thorax_phantom/small"
MODELS = ["linear", "mlp", "cnn", "googlenet", "resnet50"]
MATRIX = DEFAULTS | {
    "datasets": [DATASET],
    "models": MODELS,
    "resolutions": [32, 64, 96, 128],
    "normalisation": ["unit", "imagenet"],
    "augmentation": ["none", "flip", "rotate5", "standard", "randaugment"],
    "seeds": [0, 1, 2, 3, 4],
}
FEW = MATRIX | {"models": ["linear"], "resolutions": [32], "normalisation": ["unit"]}
"""Only to try the script."""
GUESSES = 20
"""Different predictions; scoring a thousand would take longer than all the rest."""
RUN = """
import json, sys
import benchmark.suites
suite = benchmark.suites.Suite("thousand", "A thousand cells", "", json.loads(sys.argv.pop(1)))
benchmark.suites.load_suite = lambda name: suite
from benchmark.cli import main
main()
"""


def make_rows(folder: Path, matrix: dict[str, list]) -> int:
    """Prepare the data and finish every cell of a matrix; returns how many there are."""
    prepared = prepare(find_dataset(DATASET), folder / "data", None)
    parts = {split: prepared.part(split) for split in SPLITS}
    results = Results(folder / "results")
    plan = make_plan([_suite(matrix)], Stock(discover(), {DATASET: prepared}, results, current()))
    for number, planned in enumerate(plan.cells):
        twin = plan.cells[number - GUESSES].cell.cell_id if number >= GUESSES else None
        _finish(planned, parts, results, number % GUESSES, twin)
    return len(plan.cells)


def _suite(matrix: dict[str, list]) -> Suite:
    return Suite("thousand", "A thousand cells", "", matrix)


def _finish(planned: Planned, parts, results: Results, guess: int, twin: str | None) -> None:
    """A row as a run writes it, of a model that guesses; a twin made the same guesses."""
    prepared, cell, rng = planned.prepared, planned.cell, np.random.default_rng(guess)
    logits = {s: rng.normal(size=part.targets.shape) for s, part in parts.items()}
    row = base_row(cell, prepared, planned.model_file, planned.suite)
    path = results.predictions_path(cell.cell_id)
    digest = write_predictions(path, make_predictions(prepared, parts, logits))
    row |= {"status": "done", "predictions_sha256": digest, "phases": {"train": 1.0}}
    if twin:
        shutil.copy(results.scores_path(twin), results.scores_path(cell.cell_id))
    stored_scores(results, row)
    results.write_row(row | {"model": row["model"] | {"parameters": 1}})


def seconds(folder: Path, matrix: dict[str, list]) -> float:
    """Of one `cxr-bench run` in a fresh process."""
    folders = {"results": "results", "data-dir": "data", "cache-dir": "cache"}
    options = [f"--{name}={folder / value}" for name, value in folders.items()]
    begun = time.perf_counter()
    command = [sys.executable, "-c", RUN, json.dumps(matrix), "run", "--suite", "thousand"]
    command += options
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    """Make, time and print."""
    with tempfile.TemporaryDirectory() as folder:
        cells = make_rows(Path(folder), MATRIX)
        first, *later = [seconds(Path(folder), MATRIX) for _ in range(4)]
    print(f"{cells:,} cells done: {first:.2f} s the first time, then {min(later):.2f} s")


if __name__ == "__main__":
    main()
