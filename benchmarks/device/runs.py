"""Whole runs through plan, runner and workers: what a person would have with `cxr-bench run`.

    KERAS_BACKEND=jax python -m benchmarks.device.runs auc --data-dir DIR --folder DIR

``auc``: the pneumonia suite's cnn, seed by seed. ``workers``: specs a minute with several workers
on one device. ``memory``: a spec that does not fit, and one behind it that does.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.device import card
from benchmarks.device.child import attempt
from benchmarks.planned import plan_of

COMMITTED = Path(__file__).parents[2] / "results"
TOO_MANY = 512
"""Images of 224 px of which a training step of the cnn does not fit into a few GB."""


def main() -> None:
    """Do the run that is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=RUNS)
    parser.add_argument("--dataset", default="kermany_pneumonia/internal")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="for results and views")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="in place of the suite's own")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--memory-mb", type=int, help="of the host that a worker may take")
    options = parser.parse_args()
    RUNS[options.what](options)


def auc(options) -> None:
    """The cnn of the pneumonia suite, and the committed row of the same spec beside it."""
    from benchmark.suites.files import load_suite

    suite = load_suite("pneumonia")
    axes = {"datasets": [options.dataset], "models": ["cnn"], "seeds": list(range(options.seeds))}
    recipe = suite.recipe | ({"epochs": options.epochs} if options.epochs else {})
    suite = replace(suite, matrix=suite.matrix | axes, recipe=recipe, ensembles=())
    attempt("run", lambda: {"rows": _run(suite, options)["rows"]})


def workers(options) -> None:
    """Specs a minute: as a run takes them, and once every worker has had its first."""
    suite = _suite(options, [64], seeds=options.seeds, epochs=options.epochs or 3)

    def work() -> dict:
        found, jobs = _run(suite, options), options.jobs
        ends = sorted(found["ends"])
        steady = (len(ends) - jobs) / (ends[-1] - ends[jobs - 1]) if len(ends) > jobs else None
        return {
            "specs": len(ends),
            "specs_a_minute": round(60 * len(ends) / ends[-1], 1),
            "specs_a_minute_later": steady and round(60 * steady, 1),
            "card_mib": found["card_mib"],
            "main_process_mib": found["main_process_mib"],
            "process_mib": found["process_mib"],
            "seconds_of_phases": [row["phases"] for row in found["rows"]],
        }

    attempt(f"{options.jobs} at once", work)


def memory(options) -> None:
    """A spec with too many images at a time, before one that fits."""
    suite = _suite(options, [224, 64], seeds=1, epochs=1)
    too_many = {"cnn@224": {"batch_size": TOO_MANY}}
    attempt("run", lambda: _run(replace(suite, recipe_for=too_many), options))


RUNS = {"auc": auc, "workers": workers, "memory": memory}


def _suite(options, sizes: list[int], seeds: int, epochs: int):
    from benchmark.suites.axes import DEFAULTS
    from benchmark.suites.suite import Suite

    axes = {"datasets": [options.dataset], "models": ["cnn"], "resolutions": sizes}
    recipe = {"epochs": epochs, "patience": epochs}
    matrix = DEFAULTS | axes | {"seeds": list(range(seeds))}
    return Suite("device", "", "", matrix, recipe=recipe)


def _run(suite, options) -> dict:
    """Run a suite; what its rows say, when specs ended, and the card's memory meanwhile."""
    from benchmark.machine.environment import current
    from benchmark.records.store import Results
    from benchmark.scheduling.runner import Options, run_plan
    from benchmark.scheduling.slots import Folders, Limits

    folder, begun, ends = options.folder / options.what, time.perf_counter(), []
    folders = Folders(options.data_dir, options.folder / "cache", folder / "results")
    plan = plan_of(suite, options.data_dir, folder)

    def watch(planned, event) -> None:
        if event["event"] == "done":
            ends.append(round(time.perf_counter() - begun, 2))

    with card.watched() as memory:
        limits, environment = Limits(memory_mb=options.memory_mb), current()
        shared = {"jobs": None, "jobs_per_gpu": options.jobs}
        jobs = shared if environment.device == "gpu" else {"jobs": options.jobs}
        ended = run_plan(plan, folders, environment, watch, Options(limits=limits, **jobs))
    rows = sorted(Results(folders.results).rows(), key=lambda row: row.finished)
    return {
        "ended": dict(ended),
        "ends": ends,
        "rows": [_told(row, folders.results) for row in rows],
        "card_mib": memory.used,
        "main_process_mib": memory.by_process.get(os.getpid(), 0),
        "process_mib": sorted(memory.by_process.values()),
    }


def _told(row, results: Path) -> dict:
    told = {
        "spec": row.spec.label,
        "spec_id": row.spec_id,
        "seed": row.spec.seed,
        "images_at_a_time": row.spec.micro_batch,
        "status": row.status,
        "phases": row.phases,
    }
    if not row.done:
        return told | {"reason": row.error.reason, "fallback": row.error.fallback}
    return told | {
        "auc": _headline(results, row.spec_id),
        "committed_auc": _headline(COMMITTED, row.spec_id),
        "predictions_sha256": row.predictions_sha256,
        "best_epoch": row.history.best_epoch,
        "loss": row.history.loss,
        "determinism": row.determinism,
        "profile": row.profile,
        "host_peak_mb": row.peak_memory_mb,
    }


def _headline(results: Path, spec_id: str) -> float | None:
    """Test AUC of a row; None where there is no such row."""
    from benchmark.records.store import Results
    from benchmark.scoring.stored import stored_headline

    stored = Results(results)
    rows = [row for row in stored.rows() if row.spec_id == spec_id]
    return stored_headline(stored, rows[0])[1] if rows else None


if __name__ == "__main__":
    main()
