"""`cxr-bench list`: suites, models, data sets with their state, and columns of tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmark.commands.terminal import say, say_table

Entries = list[dict[str, Any]]
"""What JSON holds of a list; the terminal shows a line or two of each."""


def list_everything(
    what: str,
    manual_dir: Path | None,
    data_dir: Path,
    models_dirs: Sequence[Path],
    *,
    as_json: bool = False,
) -> None:
    """Print the chosen lists; ``"all"`` are all but the columns."""
    found: dict[str, Entries] = {}
    if what in ("all", "suites"):
        found["suites"] = _suites()
    if what in ("all", "models"):
        found["models"] = _models(models_dirs)
    if what in ("all", "datasets"):
        found["datasets"] = _datasets(manual_dir, data_dir)
    if what == "columns":
        found["columns"] = _columns()
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    shown = {"suites": _show_suites, "models": _show_models, "columns": _show_columns}
    for name, entries in found.items():
        if name == "datasets":
            _show_datasets(entries, how_to_get=what == name)
        else:
            shown[name](entries)


def _suites() -> Entries:
    from benchmark.suites import load_suite, suites

    return [
        {
            "name": name,
            "title": suite.title,
            "description": suite.description,
            "datasets": suite.matrix["datasets"],
            "models": suite.matrix["models"],
            "run_all": suite.run_all,
        }
        for name, suite in ((name, load_suite(name)) for name in suites())
    ]


def _show_suites(entries: Entries) -> None:
    click.secho("Suites", bold=True)
    rows = []
    for each in entries:
        by_name = "" if each["run_all"] else " (by name only)"
        rows += [(each["name"], f"{each['title']}{by_name}"), ("", ", ".join(each["datasets"]))]
    say_table(rows)


def _models(models_dirs: Sequence[Path]) -> Entries:
    from benchmark.models import discover

    return [
        {"name": name, "path": str(file.path), "problem": file.problem, "card": file.card}
        for name, file in discover(models_dirs).items()
    ]


def _show_models(entries: Entries) -> None:
    click.secho("Models", bold=True)
    say_table([(each["name"], _said(each)) for each in entries])


def _said(model: dict[str, Any]) -> str:
    card = model["card"]
    if model["problem"]:
        return f"cannot be used: {model['problem']}"
    source = f" [{card['source_system']}]" if card["source_system"] else ""
    return f"{card['title']}{source}; {_facts(card)}"


def _facts(card: dict[str, Any]) -> str:
    masks = "; predicts lung masks" if card["predicts"] == "masks" else ""
    if card["inputs"] != "image":
        return f"no image{masks}"
    upper = f" to {card['max_size']}" if card["max_size"] else ""
    return f"{_counted(card['parameters'])}; from {card['min_size']}{upper} px{masks}"


def _counted(stated: dict[str, int]) -> str:
    """Parameters as a card states them, with the outputs of where the model comes from."""
    if not stated:
        return "parameters counted when it is built"
    outputs = f"{stated['outputs']:,} output{'s' * (stated['outputs'] != 1)}"
    return f"{stated['count']:,} parameters at {stated['size']} px with {outputs}"


def _datasets(manual_dir: Path | None, data_dir: Path) -> Entries:
    from benchmark.data.discovery import datasets, state

    return [
        {
            "name": name,
            "state": state(dataset, data_dir, manual_dir),
            "description": dataset.description,
            "how_to_get": dataset.how_to_get,
        }
        for name, dataset in datasets(data_dir).items()
    ]


def _show_datasets(entries: Entries, *, how_to_get: bool) -> None:
    click.secho("Data sets", bold=True)
    say_table([(each["name"], each["state"], each["description"]) for each in entries])
    missing = {
        each["name"].split("/")[0]: each["how_to_get"]
        for each in entries
        if each["state"] == "missing"
    }
    if missing and not how_to_get:
        click.echo("How to get what is missing: cxr-bench list datasets")
        return
    for builder, how in missing.items():
        click.secho(f"How to get {builder}", bold=True)
        say("  " + how.strip().replace("\n", "\n  "), hang=0)
        click.echo(f"  Then: cxr-bench prepare {builder}/CONFIG --manual-dir DIR")


def _columns() -> Entries:
    from benchmark.report.export.dictionary import dictionary

    return [each._asdict() for each in dictionary()]


def _show_columns(entries: Entries) -> None:
    say_table([(each["name"], each["meaning"]) for each in entries])
