"""Two specs side by side, each with half of the cores, beside one after the other with all."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import Measure, Pairs, alternating
from benchmarks.planned import plan_of
from benchmarks.spec_speed import SIZE, SUITE

MODELS, SEEDS, JOBS = ["linear", "mlp", "cnn"], [0, 1], 2


def measure(dataset: str, data_dir: Path, epochs: int, pairs: int) -> list[Measure]:
    """Time of the models of :data:`MODELS` with two seeds, workers started included.

    Args:
        dataset: a prepared set; its views are made before anything is timed.
        epochs: of every spec.
        pairs: how many times each is timed.
    """
    with tempfile.TemporaryDirectory() as folder:
        arguments = dataset, data_dir, Path(folder), epochs
        _run(*arguments, jobs=1)
        took: Pairs = alternating(
            lambda: _run(*arguments, jobs=JOBS), lambda: _run(*arguments, jobs=1), pairs
        )
    specs = len(MODELS) * len(SEEDS)
    what = f"`run --jobs {JOBS}`, {specs} specs of {dataset} at {SIZE} px, {epochs} epochs"
    return [Measure(what, took.ours, "s", took.ratio, took.theirs, "`--jobs 1`")]


def _run(dataset: str, data_dir: Path, folder: Path, epochs: int, *, jobs: int) -> None:
    from benchmark.machine.environment import current
    from benchmark.scheduling.runner import Options, run_plan
    from benchmark.scheduling.slots import Folders
    from benchmark.suites.files import load_suite

    suite = load_suite(SUITE)
    matrix = suite.matrix | {
        "datasets": [dataset], "models": MODELS, "resolutions": [SIZE], "seeds": SEEDS,
    }  # fmt: skip
    recipe = suite.recipe | {"epochs": epochs, "patience": epochs}
    suite = replace(suite, matrix=matrix, recipe=recipe, ensembles=())
    with tempfile.TemporaryDirectory(dir=folder) as results:
        plan = plan_of(suite, data_dir, Path(results))
        folders = Folders(data_dir, folder / "cache", Path(results))
        ended = run_plan(plan, folders, current(), options=Options(jobs=jobs))
    if ended != {"done": len(MODELS) * len(SEEDS)}:
        raise RuntimeError(f"not every spec was done: {dict(ended)}")
