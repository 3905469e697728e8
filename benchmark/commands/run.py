"""`cxr-bench run`: plan, train what is missing, write the leaderboard."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.commands.leaderboard import write_leaderboard
from benchmark.commands.terminal import quiet_builders, say

if TYPE_CHECKING:
    from benchmark.commands.wish import Wish
    from benchmark.console import Console
    from benchmark.data.prepared import NotPrepared, Prepared
    from benchmark.machine.devices import Device
    from benchmark.planning.inputs import PlanInputs
    from benchmark.planning.plan import Plan, PlannedSpec
    from benchmark.scheduling.runner import Options
    from benchmark.scheduling.slots import Executor, Folders
    from benchmark.suites import Suite


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On which terms a wish is run: options of the command, by their names.

    Attributes:
        hang_after: minutes without an event after which a spec is taken to hang.
        memory_limit: GB that all workers of a machine may take; None for most of what is free.
    """

    limit_specs: int | None
    limit_images: int | None
    no_test: bool
    rerun: str | None
    dry_run: bool
    as_json: bool
    precision: str | None
    exit_on_error: bool
    profile: bool
    jobs: int | None
    jobs_per_gpu: int
    devices_per_spec: int
    executor: str
    address: str
    device: str
    wait: bool
    hang_after: float
    memory_limit: float | None


def run_suites(wish: Wish, terms: Terms, folders: Folders) -> int:
    """Plan and run what is wished for.

    Returns:
        The exit code: 1 where a spec failed, or where nothing that was named has its data here;
        130 where a person stopped it.
    """
    from benchmark.planning.resolve import make_plan
    from benchmark.scheduling.runner import Options

    with ExitStack() as opened:
        executor = None if terms.dry_run else opened.enter_context(_executor(terms, folders))
        sets = {n: _facts(n, folders.data_dir, make=not terms.dry_run) for n in wish.datasets}
        inputs = _inputs(wish, terms, folders, sets, _devices(executor))
        plan = make_plan(wish.suites, inputs, wish.wanted, terms.rerun)
        if terms.as_json:
            click.echo(_as_json(plan))
            return 0
        _describe(plan, {suite.name: suite for suite in wish.suites}, sets)
        if wish.named and not plan.specs and _lacks_data(plan):
            return 1
        if executor is None:
            _list(plan.to_run()[: terms.limit_specs])
            return 0
        options = Options(terms.limit_specs, terms.exit_on_error, wait=terms.wait)
        return _run_and_report(plan, folders, options, executor, terms.profile)


def _executor(terms: Terms, folders: Folders) -> closing[Executor]:
    from benchmark.scheduling.executors import Asked, open_executor

    limit_mb = None if terms.memory_limit is None else round(1000 * terms.memory_limit)
    share = (terms.device, terms.jobs, terms.jobs_per_gpu, terms.devices_per_spec)
    asked = Asked(folders, *share, 60 * terms.hang_after, limit_mb, terms.address)
    return closing(open_executor(terms.executor, asked))


def _inputs(
    wish: Wish,
    terms: Terms,
    folders: Folders,
    sets: Mapping[str, Prepared | NotPrepared],
    devices: tuple[Device, ...],
) -> PlanInputs:
    from benchmark.planning.inputs import PlanInputs
    from benchmark.records.store import Results

    return PlanInputs(
        wish.models,
        sets,
        Results(folders.results),
        terms.limit_images,
        folders.weights_dirs,
        terms.precision,
        terms.no_test,
        devices,
        wish.shard,
    )


def _devices(executor: Executor | None) -> tuple[Device, ...]:
    """The accelerators of an executor's slots; what they cannot do is not planned."""
    slots = executor.slots() if executor else ()
    return tuple(device for slot in slots for device in slot.facts().devices)


def _as_json(plan: Plan) -> str:
    """The plan as a list, one entry a spec, in running order."""
    entries = [
        {
            "id": planned.spec.spec_id,
            "status": planned.status,
            "label": planned.spec.label,
            "suite": planned.suite,
            "requires": sorted(planned.spec.required_ids.values()),
        }
        for planned in plan.specs
    ]
    return json.dumps(entries, indent=1)


def _list(specs: Sequence[PlannedSpec]) -> None:
    for planned in specs:
        click.echo(f"  {planned.spec.spec_id}  {planned.spec.label}")


def _run_and_report(
    plan: Plan, folders: Folders, options: Options, executor: Executor, profile: bool
) -> int:
    from benchmark.console import Console
    from benchmark.scheduling.profile import Profiler
    from benchmark.scheduling.runner import run_plan

    slots = executor.slots()
    environment = slots[0].facts().environment
    console, profiler = Console(plan, options.most, len(slots)), Profiler()

    def watch(planned: PlannedSpec, event: dict[str, Any]) -> None:
        console(planned, event)
        profiler(planned, event)

    try:
        ended = run_plan(plan, folders, environment, watch, options, executor)
    except KeyboardInterrupt:
        say(f"\nStopped. {_kept(console)}", err=True)
        _write_what_is_there(folders.results, plan)
        return 130
    for line in profiler.lines() if profile else ():
        say(line)
    if ended:
        say(f"Ended: {_counts(ended)}.")
    _write_what_is_there(folders.results, plan)
    return 1 if ended["failed"] else 0


def _kept(console: Console) -> str:
    """What a run that was stopped leaves behind."""
    done, lost = console.done, sorted(console.running)
    kept = f"{done} spec{'s' * (done != 1)} of this run {'is' if done == 1 else 'are'} kept"
    if lost:
        kept += f"; begun and not done: {', '.join(lost)}"
    return f"{kept}. Run again to go on: a training goes on from its last checkpoint."


def _write_what_is_there(folder: Path, plan: Plan) -> None:
    from benchmark.records.store import Results

    if any(Results(folder).rows()):
        write_leaderboard(folder, shown={p.spec.config_id for p in plan.specs})
        say(f"As a site: cxr-bench report --results {shlex.quote(str(folder))}")


def _facts(name: str, data_dir: Path, *, make: bool) -> Prepared | NotPrepared:
    """Facts of a data set, or why there are none; an embedded one is made if ``make``."""
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepare import prepare
    from benchmark.data.prepared import NotPrepared, load_prepared

    try:
        return load_prepared(name, data_dir)
    except NotPrepared as error:
        dataset = find_dataset(name)
        if not (make and dataset.embedded):
            return error
        say(f"Making the embedded set {name} in {data_dir} ...", err=True)
        quiet_builders()
        return prepare(dataset, data_dir, None)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {status.replace('_', ' ')}" for status, n in sorted(counts.items()))


def _describe(
    plan: Plan, suites: Mapping[str, Suite], sets: Mapping[str, Prepared | NotPrepared]
) -> None:
    counts = plan.summary()
    say(f"Specs: {_counts(counts) or 'none'}.")
    kept = {"done"} - plan.rerun
    reasons = Counter(p.refusal for p in plan.specs if p.refusal and p.status not in kept)
    for reason, n in reasons.items():
        say(f"Not runnable, {n} spec{'s' if n > 1 else ''}: {reason}")
    if counts["stale"] and "stale" not in plan.rerun:
        say(
            "Stale specs were run with other versions of the code, or from rows that were made "
            "anew since: --rerun stale."
        )
    if counts["failed"] and "failed" not in plan.rerun:
        say("Failed specs are not tried again unless you say --rerun failed.")
    for suite, models in plan.over_budget.items():
        say(
            f"Suite {suite} leaves out {', '.join(models)}: over its budget of "
            f"{suites[suite].budget_minutes:g} nominal minutes."
        )
    for reason in plan.unanswered.values():
        say(f"Left out: {reason}")
    for name, waiting in plan.unprepared.items():
        say(f"Suite {', '.join(waiting)} waits for {name}. {_how_to_prepare(name)}")
        if others := getattr(sets[name], "others", ()):
            say(f"Prepared are {', '.join(others)}.")


def _lacks_data(plan: Plan) -> bool:
    """Whether a set is not here that a run does not make by itself."""
    from benchmark.data.discovery import find_dataset

    return any(not find_dataset(name).embedded for name in plan.unprepared)


def _how_to_prepare(name: str) -> str:
    from benchmark.data.discovery import find_dataset

    dataset = find_dataset(name)
    if dataset.embedded:
        return "A run makes it."
    if dataset.own:
        builder, _, own = name.partition("/")
        return (
            f"Of your images: cxr-bench prepare {builder} --name {own} --manual-dir DIR ... (see: "
            "cxr-bench prepare --help)"
        )
    return f"Once you have the raw files: cxr-bench prepare {name} --manual-dir DIR"
