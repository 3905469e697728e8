"""Run what a plan has missing, cell by cell, and record how each one ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.errors import UserError
from benchmark.execution.cell_run import base_row
from benchmark.execution.environment import Environment
from benchmark.execution.plan import Plan, Planned
from benchmark.execution.pool import Worker
from benchmark.records.store import Results

Watcher = Callable[[Planned, dict[str, Any]], None]


@dataclass(frozen=True)
class Folders:
    """Where a run reads and writes."""

    data_dir: Path
    cache_dir: Path
    results: Path
    models_dirs: tuple[Path, ...] = ()


def run_plan(
    plan: Plan,
    folders: Folders,
    environment: Environment,
    watch: Watcher = lambda planned, event: None,
    most: int | None = None,
) -> Counter[str]:
    """Run the missing cells of a plan.

    Args:
        watch: told about every event of every cell.
        most: stop after so many cells.

    Returns:
        Number of cells by how they ended: ``done``, ``failed``, ``not_runnable``.

    Raises:
        UserError: the results folder cannot be written to.
        KeyboardInterrupt: after the worker was ended; the running cell is lost, no other.
    """
    results = Results(folders.results)
    results.check_writable()
    ended: Counter[str] = Counter()
    for planned in plan.refused():
        _record_failure(results, planned, "not_runnable", planned.refusal)
        ended["not_runnable"] += 1
    worker = Worker(_setup(folders), environment, results.log_path("worker"))
    try:
        for planned in plan.to_run()[:most]:
            ended[_run_one(worker, results, planned, watch)] += 1
    finally:
        worker.close()
    return ended


def _run_one(worker: Worker, results: Results, planned: Planned, watch: Watcher) -> str:
    watch(planned, {"event": "start"})
    for event in worker.run({"cell": planned.cell.as_dict(), "suite": planned.suite}):
        watch(planned, event)
    if event["event"] == "done":
        return "done"
    _record_failure(results, planned, event["status"], event["reason"], event["detail"])
    return event["status"]


def _record_failure(
    results: Results, planned: Planned, status: str, reason: str, detail: str = ""
) -> None:
    row = base_row(planned.cell, planned.prepared, planned.model_file, planned.suite)
    error = {"reason": reason, "detail": detail}
    try:
        results.write_row(row | {"status": status, "error": error})
    except OSError as fault:
        raise UserError(f"cannot write to {results.folder}: {fault.strerror}") from None


def _setup(folders: Folders) -> dict[str, Any]:
    return {
        "data_dir": str(folders.data_dir.resolve()),
        "cache_dir": str(folders.cache_dir.resolve()),
        "results": str(folders.results.resolve()),
        "models_dirs": [str(folder.resolve()) for folder in folders.models_dirs],
    }
