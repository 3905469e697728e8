"""Run what a plan has missing, spec by spec, and record how each one ended."""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import structs

from benchmark.errors import UserError
from benchmark.kinds.running import base_row
from benchmark.machine.environment import Environment
from benchmark.planning.fallback import smaller
from benchmark.planning.plan import Plan, PlannedSpec
from benchmark.records.files import remove_abandoned
from benchmark.records.row import Failure, Status
from benchmark.records.store import Results
from benchmark.scheduling.locks import SpecLocks
from benchmark.scheduling.subprocess_worker import Limits, Worker
from benchmark.spec import Spec
from benchmark.training.starting_weights import remove_superseded

Watcher = Callable[[PlannedSpec, dict[str, Any]], None]
WAIT_SECONDS = 1.0
"""How often to look whether another run has ended a spec, once nothing else is left to do."""


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
        most: stop after so many specs; None for all.
        exit_on_error: stop at the first spec that fails.
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
    """Run the missing specs of a plan, beside any other run on the same results folder.

    A spec that another run is at work on is left to it; should that run end without having done
    the spec, it is done here.

    Args:
        watch: told about every event of every spec.

    Returns:
        Number of specs by how they ended here: ``done``, ``failed``, ``not_runnable``; and
        ``done elsewhere``, by another run.

    Raises:
        UserError: the results folder cannot be written to.
        KeyboardInterrupt: after the worker was ended; the running spec is lost, no other.
    """
    results, options = Results(folders.results), options or Options()
    results.check_writable()
    ended: Counter[str] = Counter()
    if not (plan.to_run() or plan.refused()):
        return ended
    remove_abandoned(results.folder)
    remove_superseded([planned.spec for planned in plan.specs], results)
    for planned in plan.refused():
        failure = Failure(reason=planned.refusal, at_planning=True)
        _record_failure(results, planned, environment, "not_runnable", failure)
        ended["not_runnable"] += 1
    worker = Worker(_setup(folders), environment, results.log_path("worker"), options.limits)
    with contextlib.closing(worker), contextlib.closing(SpecLocks(results.folder)) as locks:
        for planned in _shared(plan.to_run(), results, locks, ended):
            how = _run_one(worker, results, locks, planned, watch)
            ended[how] += 1
            if options.exit_on_error and how == "failed":
                break
            if ended["done"] + ended["failed"] >= (options.most or math.inf):
                break
    return ended


def _shared(
    specs: Sequence[PlannedSpec], results: Results, locks: SpecLocks, ended: Counter[str]
) -> Iterator[PlannedSpec]:
    """The specs one after another, each locked while it is out; those of others when they are free.

    Counts in ``ended`` what other runs have done.
    """
    known = {p.spec.spec_id: _written(results, p.spec.spec_id) for p in specs}
    waiting = list(specs)
    while waiting:
        busy: dict[str, PlannedSpec] = {}
        for planned in waiting:
            spec_id = planned.spec.spec_id
            with locks.hold(spec_id) as ours:
                if not ours or _waits_for(planned.spec, busy):
                    busy[spec_id] = planned
                elif _written(results, spec_id) != known[spec_id]:
                    ended["done elsewhere"] += 1
                else:
                    yield planned
        if len(busy) == len(waiting):
            time.sleep(WAIT_SECONDS)
        waiting = list(busy.values())


def _waits_for(spec: Spec, busy: Container[str]) -> bool:
    """Whether another run is at work on something that this is made from."""
    return any(required in busy for required in spec.required_ids.values())


def _written(results: Results, spec_id: str) -> int | None:
    """When the row of a spec was written last, in nanoseconds; None where there is none."""
    try:
        return results.row_path(spec_id).stat().st_mtime_ns
    except FileNotFoundError:
        return None


def _run_one(
    worker: Worker, results: Results, locks: SpecLocks, planned: PlannedSpec, watch: Watcher
) -> str:
    """Run a spec, and smaller ones where it runs out of memory; how the last of them ended.

    Raises:
        UserError: the disk is full; the spec has no row and will be run again.
    """
    watch(planned, {"event": "start"})
    job = {
        "spec": planned.spec.as_dict(),
        "suite": planned.suite,
        "replace": results.row_path(planned.spec.spec_id).is_file(),
    }
    for event in worker.run(job):
        watch(planned, event)
    if event["event"] == "done":
        return "done"
    reason, detail = event["reason"], event["detail"]
    if event.get("disk_full"):  # the next spec would be trained in vain
        raise UserError(f"{reason}. Free some space and run again: it goes on where it was.")
    less = smaller(planned) if event.get("out_of_memory") else None
    if less is None:
        failure = Failure(reason=reason, detail=detail)
        _record_failure(results, planned, worker.environment, event["status"], failure)
        return event["status"]
    told = f"{reason}; tried again with {less.spec.micro_batch} images at a time"
    failure = Failure(reason=told, detail=detail, fallback=less.spec.spec_id)
    _record_failure(results, planned, worker.environment, event["status"], failure)
    with locks.hold(less.spec.spec_id) as ours:
        return _run_one(worker, results, locks, less, watch) if ours else "done elsewhere"


def _record_failure(
    results: Results,
    planned: PlannedSpec,
    environment: Environment,
    status: Status,
    failure: Failure,
) -> None:
    row = base_row(planned.spec, planned.prepared, planned.model_file, planned.suite, environment)
    try:
        results.write_row(structs.replace(row, status=status, error=failure))
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
