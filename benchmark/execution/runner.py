"""Run what a plan has missing, cell by cell, and record how each one ended."""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.ensembles.cells import member_cells
from benchmark.errors import UserError
from benchmark.execution.cell_run import base_row
from benchmark.execution.environment import Environment
from benchmark.execution.fallback import smaller
from benchmark.execution.locks import CellLocks
from benchmark.execution.plan import Plan, Planned
from benchmark.execution.pool import Limits, Worker
from benchmark.execution.starting_weights import remove_superseded
from benchmark.records.files import remove_abandoned
from benchmark.records.store import Results
from benchmark.suites.cell import Cell

Watcher = Callable[[Planned, dict[str, Any]], None]
WAIT_SECONDS = 1.0
"""How often to look whether another run has ended a cell, once nothing else is left to do."""


@dataclass(frozen=True)
class Folders:
    """Where a run reads and writes."""

    data_dir: Path
    cache_dir: Path
    results: Path
    models_dirs: tuple[Path, ...] = ()
    weights_dirs: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Options:
    """How a run goes about it.

    Attributes:
        most: stop after so many cells; None for all.
        exit_on_error: stop at the first cell that fails.
        limits: when a worker is ended.
    """

    most: int | None = None
    exit_on_error: bool = False
    limits: Limits = field(default_factory=Limits)


def run_plan(
    plan: Plan,
    folders: Folders,
    environment: Environment,
    watch: Watcher = lambda planned, event: None,
    options: Options | None = None,
) -> Counter[str]:
    """Run the missing cells of a plan, beside any other run on the same results folder.

    A cell that another run is at work on is left to it; should that run end without having done
    the cell, it is done here.

    Args:
        watch: told about every event of every cell.

    Returns:
        Number of cells by how they ended here: ``done``, ``failed``, ``not_runnable``; and
        ``done elsewhere``, by another run.

    Raises:
        UserError: the results folder cannot be written to.
        KeyboardInterrupt: after the worker was ended; the running cell is lost, no other.
    """
    results, options = Results(folders.results), options or Options()
    results.check_writable()
    ended: Counter[str] = Counter()
    if not (plan.to_run() or plan.refused()):
        return ended
    remove_abandoned(results.folder)
    remove_superseded([planned.cell for planned in plan.cells], results)
    for planned in plan.refused():
        _record_failure(results, planned, "not_runnable", planned.refusal)
        ended["not_runnable"] += 1
    worker = Worker(_setup(folders), environment, results.log_path("worker"), options.limits)
    with contextlib.closing(worker), contextlib.closing(CellLocks(results.folder)) as locks:
        for planned in _shared(plan.to_run(), results, locks, ended):
            how = _run_one(worker, results, locks, planned, watch)
            ended[how] += 1
            if options.exit_on_error and how == "failed":
                break
            if ended["done"] + ended["failed"] >= (options.most or math.inf):
                break
    return ended


def _shared(
    cells: Sequence[Planned], results: Results, locks: CellLocks, ended: Counter[str]
) -> Iterator[Planned]:
    """The cells one after another, each locked while it is out; those of others when they are free.

    Counts in ``ended`` what other runs have done.
    """
    known = {p.cell.cell_id: _written(results, p.cell.cell_id) for p in cells}
    waiting = list(cells)
    while waiting:
        busy: dict[str, Planned] = {}
        for planned in waiting:
            cell_id = planned.cell.cell_id
            with locks.hold(cell_id) as ours:
                if not ours or _waits_for(planned.cell, busy):
                    busy[cell_id] = planned
                elif _written(results, cell_id) != known[cell_id]:
                    ended["done elsewhere"] += 1
                else:
                    yield planned
        if len(busy) == len(waiting):
            time.sleep(WAIT_SECONDS)
        waiting = list(busy.values())


def _waits_for(cell: Cell, busy: Container[str]) -> bool:
    """Whether another run is at work on a member of this ensemble."""
    return bool(cell.ensemble) and any(m.cell_id in busy for m in member_cells(cell).values())


def _written(results: Results, cell_id: str) -> int | None:
    """When the row of a cell was written last, in nanoseconds; None where there is none."""
    try:
        return results.row_path(cell_id).stat().st_mtime_ns
    except FileNotFoundError:
        return None


def _run_one(
    worker: Worker, results: Results, locks: CellLocks, planned: Planned, watch: Watcher
) -> str:
    """Run a cell, and smaller ones where it runs out of memory; how the last of them ended.

    Raises:
        UserError: the disk is full; the cell has no row and will be run again.
    """
    watch(planned, {"event": "start"})
    for event in worker.run({"cell": planned.cell.as_dict(), "suite": planned.suite}):
        watch(planned, event)
    if event["event"] == "done":
        return "done"
    reason, detail = event["reason"], event["detail"]
    if event.get("disk_full"):  # the next cell would be trained in vain
        raise UserError(f"{reason}. Free some space and run again: it goes on where it was.")
    less = smaller(planned) if event.get("out_of_memory") else None
    if less is None:
        _record_failure(results, planned, event["status"], reason, detail)
        return event["status"]
    told = f"{reason}; tried again with {less.cell.micro_batch} images at a time"
    _record_failure(results, planned, event["status"], told, detail, less.cell.cell_id)
    with locks.hold(less.cell.cell_id) as ours:
        return _run_one(worker, results, locks, less, watch) if ours else "done elsewhere"


def _record_failure(
    results: Results,
    planned: Planned,
    status: str,
    reason: str,
    detail: str = "",
    fallback: str | None = None,
) -> None:
    row = base_row(planned.cell, planned.prepared, planned.model_file, planned.suite)
    error = {"reason": reason, "detail": detail} | ({"fallback": fallback} if fallback else {})
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
        "weights_dirs": [str(folder.resolve()) for folder in folders.weights_dirs],
    }
