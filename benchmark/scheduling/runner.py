"""Run what a plan has missing: give specs to slots, and record how each one ended."""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import structs

from benchmark.errors import UserError
from benchmark.kinds.running import base_row
from benchmark.machine.environment import Environment, check
from benchmark.planning.cost import nominal_price
from benchmark.planning.fallback import smaller
from benchmark.planning.memory import expected_mb
from benchmark.planning.plan import Plan, PlannedSpec, shown
from benchmark.records.disk import told
from benchmark.records.files import check_writable, remove_abandoned
from benchmark.records.row import Row, Status
from benchmark.records.run_facts import Failure
from benchmark.records.store import Results
from benchmark.scheduling.claims import Claim, Claims
from benchmark.scheduling.executors.local import LocalExecutor
from benchmark.scheduling.ready_queue import ReadyQueue, Waiting
from benchmark.scheduling.sharing import shares
from benchmark.scheduling.slot_pool import SlotPool
from benchmark.scheduling.slots import ENDINGS, Event, Executor, Folders, Job, Limits
from benchmark.training.starting_weights import remove_superseded

Watcher = Callable[[PlannedSpec, Event], None]
WAIT_SECONDS = 1.0
"""How often to look whether another run has ended a spec."""
MOST_LOST = 3
"""Times that a spec whose slot was taken away is given another."""
GOES_ON = "Run again: it goes on where it was."


@dataclass(frozen=True)
class Options:
    """How a run goes about it.

    Attributes:
        most: stop after so many specs; None for all.
        exit_on_error: begin nothing more once a spec has failed.
        limits: when a worker is ended.
        jobs: specs side by side on this machine; None for one an accelerator.
        jobs_per_gpu: specs that share a GPU.
        wait: for specs that other runs are at work on, once nothing else is left.
    """

    most: int | None = None
    exit_on_error: bool = False
    limits: Limits = field(default_factory=Limits)
    jobs: int | None = 1
    jobs_per_gpu: int = 1
    wait: bool = True


def run_plan(
    plan: Plan,
    folders: Folders,
    environment: Environment,
    watch: Watcher = lambda planned, event: None,
    options: Options | None = None,
    executor: Executor | None = None,
) -> Counter[str]:
    """Run the missing specs of a plan, beside any other run on the same results folder.

    A spec that another run is at work on is left to it; should that run end without having done
    the spec, it is done here.

    Args:
        watch: told about every event of every spec, with the number of its ``slot``.
        executor: where specs are run; worker processes on this machine by default.

    Returns:
        Number of specs by how they ended here: ``done``, ``failed``, ``not_runnable``; ``done
        elsewhere``, by another run; and ``busy elsewhere``, where they are not waited for.

    Raises:
        UserError: the results or the cache folder cannot be written to.
        KeyboardInterrupt: after the workers were ended; the running specs are lost, no others.
    """
    results, options = Results(folders.results), options or Options()
    results.check_writable()
    ended: Counter[str] = Counter()
    if not (plan.to_run() or plan.refused()):
        return ended
    check_writable(folders.cache_dir, "cache", "--cache-dir")
    remove_abandoned(results.folder)
    remove_superseded([planned.spec for planned in plan.specs], results)
    for planned in plan.refused():
        failure = Failure(reason=planned.refusal or "", at_planning=True)
        _record_failure(results, planned, environment, "not_runnable", failure)
        ended["not_runnable"] += 1
    if executor is None:
        parts = shares(environment, check(environment), options.jobs, options.jobs_per_gpu)
        executor = LocalExecutor(folders, options.limits, parts)
    with (
        contextlib.closing(Claims(results.folder)) as claims,
        contextlib.closing(SlotPool(executor.slots())) as pool,
    ):
        _Run(plan, results, environment, claims, pool, watch, options, ended).to_the_end()
    return ended


class _Run:
    """Keeps slots busy with specs that are ready, and takes in what happens there."""

    def __init__(
        self,
        plan: Plan,
        results: Results,
        environment: Environment,
        claims: Claims,
        pool: SlotPool,
        watch: Watcher,
        options: Options,
        ended: Counter[str],
    ):
        self._results, self._claims, self._pool = results, claims, pool
        self._watch, self._options, self._ended = watch, options, ended
        self._planned_from, self._sizes = plan.written, plan.sizes()
        self._share_mb, self._rows = _memory_of(pool, results, environment)
        waiting = [self._waiting(planned) for planned in plan.to_run()]
        self._queue = ReadyQueue(waiting, largest_first=len(pool.slots) > 1)
        self._place = _identity(results.folder)
        self._running: dict[int, tuple[Waiting, Claim]] = {}
        self._gone: set[int] = set()

    def to_the_end(self) -> None:
        """Return once everything has ended, or nothing more is to be begun.

        Raises:
            UserError: a folder takes nothing more, or was moved.
        """
        while True:
            self._check_place()
            self._fill_slots()
            if self._running:
                if told := self._pool.next_event(WAIT_SECONDS):
                    self._check_place()
                    self._take(*told)
            elif self._enough() or not self._queue:
                return
            elif len(self._gone) == len(self._pool.slots):
                raise UserError(f"no slot is left for {len(self._queue)} specs. {GOES_ON}")
            elif not self._options.wait:
                self._ended["busy elsewhere"] = len(self._queue)
                return
            else:
                time.sleep(WAIT_SECONDS)

    def _check_place(self) -> None:
        """A folder that was moved must not be begun anew under its old name."""
        if _identity(self._results.folder) != self._place:
            raise UserError(
                f"{self._results.folder} was moved, replaced or removed while this run was at "
                "work. What was done lies where it was moved to: run again with --results DIR."
            )

    def _waiting(self, planned: PlannedSpec, *, alone: bool = False) -> Waiting:
        written = self._planned_from.get(planned.spec.spec_id)
        needs_mb = expected_mb(planned.spec, self._rows) or 0
        alone = alone or needs_mb > self._share_mb
        return Waiting(planned, nominal_price(planned), written, alone)

    def _written(self, spec_id: str) -> int | None:
        try:
            return self._results.row_path(spec_id).stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def _enough(self) -> bool:
        """Whether no further spec is to be begun."""
        begun = self._ended["done"] + self._ended["failed"] + len(self._running)
        stopped = self._options.exit_on_error and self._ended["failed"]
        return bool(stopped) or begun >= (self._options.most or math.inf)

    def _fill_slots(self) -> None:
        for i in range(len(self._pool.slots)):
            if i in self._running or i in self._gone:
                continue
            if self._enough() or not (found := self._next()):
                return
            self._start(i, *found)

    def _next(self) -> tuple[Waiting, Claim] | None:
        """The next spec that may run now, held by us; None where there is none."""
        if any(waiting.alone for waiting, _ in self._running.values()):
            return None
        for waiting in self._queue.ready():
            if waiting.alone and self._running:
                return None
            claim = self._claims.take(waiting.spec_id)
            if claim is None:
                continue
            if self._written(waiting.spec_id) == waiting.written:
                return waiting, claim
            claim.release()
            self._queue.end(waiting)
            self._ended["done elsewhere"] += 1
            return self._next()  # something may have waited for it
        return None

    def _start(self, i: int, waiting: Waiting, claim: Claim) -> None:
        self._queue.start(waiting)
        self._running[i] = waiting, claim
        planned = waiting.planned
        self._watch(planned, {"event": "start", "slot": i})
        replace = waiting.written is not None
        held = claim.path, claim.data
        sizes = self._sizes.get(shown(planned.spec), ())
        own = "" if planned.model_file.built_in else planned.spec.model
        job = Job(planned.spec, planned.suite, replace, held, waiting.alone, sizes, own)
        self._pool.give(i, job)

    def _take(self, i: int, event: Event) -> None:
        waiting, claim = self._running[i]
        event = self._judged(waiting, claim, event) | {"slot": i}
        self._watch(waiting.planned, event)
        if event["event"] not in ENDINGS:
            return
        del self._running[i]
        self._gone |= {i} if event.get("gone") else set()
        try:
            self._end(waiting, event, self._pool.slots[i].facts().environment)
        finally:
            claim.release()

    def _judged(self, waiting: Waiting, claim: Claim, event: Event) -> Event:
        """What an ending means here.

        The failure of a spec that another run has taken over says nothing; with several slots,
        memory was perhaps short for what ran beside it; a spec that was lost too often has failed.
        """
        if event["event"] == "failed" and not claim.still_ours():
            event = {"event": "lost", "reason": "another run has taken it over"}
        if event.get("out_of_memory") and len(self._pool.slots) > 1 and not waiting.alone:
            waiting.alone = True
            reason = f"{event['reason']}; it is run again with nothing beside it"
            return {"event": "lost", "reason": reason}
        if event["event"] == "lost":
            waiting.lost += 1
            if waiting.lost > MOST_LOST:
                reason = f"{event['reason']}, {waiting.lost} times"
                return {"event": "failed", "status": "failed", "reason": reason, "detail": ""}
        return event

    def _end(self, waiting: Waiting, event: Event, environment: Environment) -> None:
        """Record how a spec ended.

        Raises:
            UserError: a folder takes nothing more, its disk is full for instance; the spec has no
                row and will be run again.
        """
        if event["event"] == "lost":
            self._queue.put_first(waiting)
            return
        self._queue.end(waiting)
        if event["event"] == "done":
            self._ended["done"] += 1
            return
        planned, reason, less = waiting.planned, event["reason"], None
        if event.get("folder_unusable"):  # the next spec would be trained in vain
            raise UserError(f"{reason.rstrip('.')}. {GOES_ON}")
        if event.get("out_of_memory") and (less := smaller(planned)):
            reason += f"; tried again with {less.spec.micro_batch} images at a time"
            self._queue.put_first(self._waiting(less, alone=waiting.alone))
        else:
            self._ended[event["status"]] += 1
        fallback = less.spec.spec_id if less else None
        failure = Failure(reason=reason, detail=event["detail"], fallback=fallback)
        _record_failure(self._results, planned, environment, event["status"], failure)


def _identity(folder: Path) -> tuple[int, int] | None:
    """What a folder is known by, whatever it is called; None where there is none."""
    with contextlib.suppress(OSError):
        found = folder.stat()
        return found.st_dev, found.st_ino
    return None


def _memory_of(
    pool: SlotPool, results: Results, environment: Environment
) -> tuple[float, list[Row]]:
    """MiB that a spec may take beside others, and the rows that say what specs take.

    Nothing is short, and no row is read, where there is one slot or no limit.
    """
    shares = [share for slot in pool.slots if (share := slot.facts().memory_mb)]
    if len(pool.slots) == 1 or not shares:
        return math.inf, []
    here = environment.backend, environment.device
    rows = (row for row in results.rows() if row.done)
    return min(shares), [r for r in rows if (r.environment.backend, r.environment.device) == here]


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
        raise UserError(f"{told(fault, results.folder)} {GOES_ON}") from None
