"""What the commands do, and what they tell the user."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from benchmark.errors import UserError


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


def prepare_dataset(name: str, manual_dir: Path | None, data_dir: Path) -> None:
    """Prepare a data set and say what was found in it."""
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepare import prepare
    from benchmark.data.prepared import SPLITS

    prepared = prepare(find_dataset(name), data_dir, manual_dir)
    click.echo(f"{prepared.name} {prepared.version} is prepared in {prepared.path}")
    for split in SPLITS:
        counts = prepared.counts[split]
        positives = ", ".join(f"{f} {n:,}" for f, n in counts["positives"].items())
        click.echo(
            f"  {split:<10} {counts['images']:>7,} images of {counts['patients']:,} patients; "
            f"{positives}"
        )
    click.echo(f"  rendition: {prepared.rendition}; verdict: {prepared.derived['verdict']}")
    for reason in prepared.derived["reasons"]:
        click.echo(f"    {reason}")
    _show_intake("quarantined (not used)", prepared.facts["quarantined"])
    _show_intake("converted to grey PNG", prepared.facts["converted"])


def _show_intake(what: str, files: list[dict[str, str]], most: int = 10) -> None:
    if not files:
        return
    click.echo(f"  {len(files)} files {what}:")
    for entry in files[:most]:
        click.echo(f"    {entry['file']}: {entry['reason']}")
    if len(files) > most:
        click.echo(f"    ... and {len(files) - most} more, all in metadata.json")


def list_everything(
    what: str, manual_dir: Path | None, data_dir: Path, models_dirs: Sequence[Path]
) -> None:
    """Print the chosen lists."""
    if what in ("all", "suites"):
        _list_suites()
    if what in ("all", "models"):
        _list_models(models_dirs)
    if what in ("all", "datasets"):
        _list_datasets(manual_dir, data_dir)


def _list_suites() -> None:
    from benchmark.suites import load_suite, suites

    click.secho("Suites", bold=True)
    for name in suites():
        suite = load_suite(name)
        by_name = "" if suite.run_all else "  (by name only)"
        click.echo(f"  {name:<16} {suite.title}{by_name}")
        click.echo(f"  {'':<16} {', '.join(suite.matrix['datasets'])}")


def _list_models(models_dirs: Sequence[Path]) -> None:
    from benchmark.models import discover

    click.secho("Models", bold=True)
    for name, model_file in discover(models_dirs).items():
        if model_file.problem:
            click.echo(f"  {name:<16} cannot be used: {model_file.problem}")
            continue
        card = model_file.card
        if card["inputs"] == "metadata":
            facts = "no image"
        else:
            upper = f" to {card['max_size']}" if card["max_size"] else ""
            stated = card["parameters"]
            facts = (
                f"{stated['count']:,} parameters at {stated['size']} px; "
                f"from {card['min_size']}{upper} px"
            )
        source = f" [{card['source_system']}]" if card["source_system"] else ""
        click.echo(f"  {name:<16} {card['title']}{source}; {facts}")


def _list_datasets(manual_dir: Path | None, data_dir: Path) -> None:
    from benchmark.data.discovery import datasets, state

    click.secho("Data sets", bold=True)
    missing: dict[str, str] = {}
    for name, dataset in datasets().items():
        status = state(dataset, data_dir, manual_dir)
        click.echo(f"  {name:<38} {status:<10} {dataset.description}")
        if status == "missing":
            missing[name.split("/")[0]] = dataset.how_to_get
    if missing:
        click.echo("How to get what is missing:")
    for builder, how in missing.items():
        click.echo(f"  {builder}: " + how.strip().replace("\n", "\n    "))
        click.echo(f"    Then: cxr-bench prepare {builder}/CONFIG --manual-dir DIR")


def write_leaderboard(results: Path, *, cost: bool = True) -> None:
    """Write the leaderboard and say where it is."""
    from benchmark.records.store import Results
    from benchmark.report.leaderboard import write

    if not (results / "rows").is_dir():
        raise UserError(
            f"{results} holds no rows yet. Run: cxr-bench run --all --results {results}"
        )
    click.echo(f"Leaderboard: {write(Results(results), cost=cost)}")


def scaffold_model(name: str, models_dir: Path | None) -> None:
    """Write a model file and say what to do next."""
    from benchmark.models import new_model
    from benchmark.models._discovery import BUILT_IN

    path = new_model(name, models_dir or BUILT_IN)
    own = f" --models-dir {models_dir}" if models_dir else ""
    click.echo(f"Wrote {path}. It trains as it is; make it yours, then:")
    click.echo(f"  cxr-bench list models{own}")
    click.echo(f"  cxr-bench run --suite phantom --filter model={name}{own}")
