"""How long `cxr-bench run` takes where a thousand specs are done already, run by hand.

Makes the rows of a suite with so many specs on the embedded set, with predictions and scores, and
times the command in fresh processes, from the shell to the end: with the leaderboard to write for
the first time, and then with nothing left to do.

    python -m benchmarks.finished
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from benchmark.data.discovery import find_dataset
from benchmark.data.prepare import prepare
from benchmark.data.prepared import SPLITS, Prepared
from benchmark.kinds.running import base_row, make_predictions
from benchmark.machine.environment import current
from benchmark.models import discover
from benchmark.planning.inputs import PlanInputs
from benchmark.planning.plan import PlannedSpec
from benchmark.planning.resolve import make_plan
from benchmark.protocols import protocol_of
from benchmark.records.predictions import Predictions
from benchmark.records.store import Results
from benchmark.scoring.publishing import Checked, check, publish
from benchmark.suites.axes import DEFAULTS
from benchmark.suites.suite import Suite

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
suite = benchmark.suites.Suite("thousand", "A thousand specs", "", json.loads(sys.argv.pop(1)))
benchmark.suites.load_suite = lambda name: suite
from benchmark.cli import main
main()
"""


def make_rows(folder: Path, matrix: dict[str, list]) -> int:
    """Prepare the data and finish every spec of a matrix; returns how many there are."""
    prepared = prepare(find_dataset(DATASET), folder / "data", None)
    results = Results(folder / "results")
    plan = make_plan([_suite(matrix)], PlanInputs(discover(), {DATASET: prepared}, results))
    protocol = protocol_of(plan.specs[0].spec, prepared)
    guesses = [check(_guess(prepared, number), protocol) for number in range(GUESSES)]
    for number, planned in enumerate(plan.specs):
        _finish(planned, results, guesses[number % GUESSES])
    return len(plan.specs)


def _suite(matrix: dict[str, list]) -> Suite:
    return Suite("thousand", "A thousand specs", "", matrix)


def _guess(prepared: Prepared, seed: int) -> Predictions:
    rng, parts = np.random.default_rng(seed), {s: prepared.part(s) for s in SPLITS}
    logits = {split: rng.normal(size=part.targets.shape) for split, part in parts.items()}
    return make_predictions(prepared, parts, logits)


def _finish(planned: PlannedSpec, results: Results, guess: Checked) -> None:
    """A row as a run writes it, of a model that guesses."""
    row = base_row(planned.spec, planned.prepared, planned.model_file, planned.suite, current())
    model = replace(row.model, parameters=1)
    publish(results, replace(row, status="done", phases={"train": 1.0}, model=model), guess)


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
        specs = make_rows(Path(folder), MATRIX)
        first, *later = [seconds(Path(folder), MATRIX) for _ in range(4)]
    print(f"{specs:,} specs done: {first:.2f} s the first time, then {min(later):.2f} s")


if __name__ == "__main__":
    main()
