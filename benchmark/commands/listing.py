"""`cxr-bench list`: suites, models and data sets with their state."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click


def list_everything(
    what: str, manual_dir: Path | None, data_dir: Path, models_dirs: Sequence[Path]
) -> None:
    """Print the chosen lists."""
    if what in ("all", "suites"):
        _list_suites()
    if what in ("all", "models"):
        _list_models(models_dirs)
    if what in ("all", "datasets"):
        _list_datasets(manual_dir, data_dir, how_to_get=what == "datasets")


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
    found = discover(models_dirs)
    width = max(map(len, found))
    for name, model_file in found.items():
        if model_file.problem:
            click.echo(f"  {name:<{width}} cannot be used: {model_file.problem}")
            continue
        card = model_file.card
        if card["inputs"] != "image":
            facts = "no image"
        else:
            upper = f" to {card['max_size']}" if card["max_size"] else ""
            stated = card["parameters"]
            counted = (
                f"{stated['count']:,} parameters at {stated['size']} px"
                if stated
                else "parameters counted when it is built"
            )
            facts = f"{counted}; from {card['min_size']}{upper} px"
        facts += "; predicts lung masks" if card["predicts"] == "masks" else ""
        source = f" [{card['source_system']}]" if card["source_system"] else ""
        click.echo(f"  {name:<{width}} {card['title']}{source}; {facts}")


def _list_datasets(manual_dir: Path | None, data_dir: Path, *, how_to_get: bool) -> None:
    from benchmark.data.discovery import datasets, state

    click.secho("Data sets", bold=True)
    known = datasets(data_dir)
    width = max(len(name) for name in known)
    missing: dict[str, str] = {}
    for name, dataset in known.items():
        status = state(dataset, data_dir, manual_dir)
        click.echo(f"  {name:<{width}}  {status:<9}  {dataset.description}")
        if status == "missing":
            missing[name.split("/")[0]] = dataset.how_to_get
    if missing and not how_to_get:
        click.echo("How to get what is missing: cxr-bench list datasets")
        return
    for builder, how in missing.items():
        click.secho(f"How to get {builder}", bold=True)
        click.echo("  " + how.strip().replace("\n", "\n  "))
        click.echo(f"  Then: cxr-bench prepare {builder}/CONFIG --manual-dir DIR")
