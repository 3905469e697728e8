"""`cxr-bench run`: plan, train what is missing, write the leaderboard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from benchmark.commands.leaderboard import write_leaderboard


def run_suites(
    names: Sequence[str],
    *,
    filter_text: str,
    limit_cells: int | None,
    limit_images: int | None,
    dry_run: bool,
    results: Path,
    data_dir: Path,
    cache_dir: Path,
    models_dirs: Sequence[Path],
) -> int:
    """Plan and run suites, by name or (without names) all; returns the exit code."""
    from benchmark.console import Console
    from benchmark.data.prepare import ensure_prepared
    from benchmark.data.prepared import load_prepared
    from benchmark.execution.environment import current
    from benchmark.execution.plan import dataset_names, load_all, make_plan
    from benchmark.execution.runner import Folders, run_plan
    from benchmark.models import discover
    from benchmark.records.store import Results
    from benchmark.suites import load_suite, parse_filter, suites

    wanted = parse_filter(filter_text)
    loaded = [load_suite(name) for name in names or suites()]
    chosen = loaded if names else [suite for suite in loaded if suite.run_all]
    environment = current()
    model_files = discover(models_dirs)
    load = load_prepared if dry_run else _announced(ensure_prepared)
    prepared = load_all(dataset_names(chosen), data_dir, load)
    plan = make_plan(
        chosen, model_files, prepared, Results(results), environment, wanted, limit_images
    )
    _describe(plan, {suite.name: suite for suite in chosen}, filter_text)
    if dry_run:
        for planned in plan.to_run()[:limit_cells]:
            click.echo(f"  {planned.cell.cell_id}  {planned.cell.label}")
        return 0
    folders = Folders(data_dir, cache_dir, results, tuple(models_dirs))
    try:
        ended = run_plan(plan, folders, environment, Console(plan, limit_cells), limit_cells)
    except KeyboardInterrupt:
        click.echo(
            "\nStopped. The running cell is lost, all others are kept; run again to go on.",
            err=True,
        )
        return 130
    if ended:
        click.echo(", ".join(f"{n} {status}" for status, n in sorted(ended.items())))
    if any(Results(results).rows()):
        write_leaderboard(results)
    return 1 if ended["failed"] else 0


def _announced(ensure_prepared):
    """``ensure_prepared`` that says so when an embedded set has to be made first."""
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepared import NotPrepared, Prepared, load_prepared

    def load(name: str, data_dir: Path) -> Prepared:
        try:
            return load_prepared(name, data_dir)
        except NotPrepared:
            dataset = find_dataset(name)
            if dataset.embedded:
                click.echo(f"Making the embedded set {name} in {data_dir} ...", err=True)
            return ensure_prepared(dataset, data_dir)

    return load


def _describe(plan, suites: dict, filter_text: str) -> None:
    counts = plan.summary()
    listed = ", ".join(f"{n} {status.replace('_', ' ')}" for status, n in sorted(counts.items()))
    click.echo(f"Cells: {listed or 'none'}.")
    if filter_text and not counts:
        click.echo(f"No cell of the chosen suites matches the filter {filter_text!r}.", err=True)
    for suite, models in plan.over_budget.items():
        click.echo(
            f"Suite {suite} leaves out {', '.join(models)}: over its budget of "
            f"{suites[suite].budget_minutes:g} nominal minutes."
        )
    for name, waiting in plan.unprepared.items():
        click.echo(
            f"Suite {', '.join(waiting)} waits for {name}. Once you have the raw files: "
            f"cxr-bench prepare {name} --manual-dir DIR"
        )
