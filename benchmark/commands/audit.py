"""`cxr-bench audit`: what is wrong with a prepared set."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.commands.terminal import quiet_builders, say
from benchmark.machine.accelerators import hidden_gpus
from benchmark.report.blocks.text import printable
from benchmark.report.eda.audit_answers import answers

if TYPE_CHECKING:
    from benchmark.data.prepared import Prepared
    from benchmark.report.eda.file_shape import ShapeAlone

_COLOURS = {"leak": "red", "suspected": "yellow", "clean": "green"}
_SHOWN = 10
CHANCE = 0.5
"""The AUC of what tells nothing."""


@hidden_gpus()
def audit_dataset(name: str, data_dir: Path, cache_dir: Path, out: Path, *, images: bool) -> int:
    """Audit a set, show what was found and write it as JSON; returns the exit code.

    Args:
        name: ``builder/config``.
        data_dir: TFDS data folder; an embedded set that is not there is made.
        cache_dir: folder of the views.
        out: folder the JSON file goes to.
        images: whether the pixels are looked at, too.
    """
    from benchmark.data.audit.copies import find_copies
    from benchmark.data.audit.findings import examine, gate
    from benchmark.data.deriving import keep_leakage
    from benchmark.records.files import readable_json, write_atomic
    from benchmark.report.eda.file_shape import shape_alone

    prepared = prepared_or_made(name, data_dir, cache_dir)
    copies = find_copies(prepared, cache_dir, show_progress) if images else None
    told = shape_alone(prepared)
    found = {**examine(prepared, copies), "shape_alone": asdict(told)}
    if images:
        keep_leakage(prepared, gate(prepared.manifest(), prepared.facts, copies))
    path = out / f"{prepared.name.replace('/', '-')}.json"
    write_atomic(path, readable_json(found))
    _show(found, told, "a simulated set" if images else "--no-images")
    say(f"All of it: {path}")
    return 1 if found["verdict"] == "leak" else 0


def prepared_or_made(name: str, data_dir: Path, cache_dir: Path) -> Prepared:
    """Facts of a prepared set; an embedded one is made where it is not there."""
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepare import prepare
    from benchmark.data.prepared import NotPrepared, load_prepared

    dataset = find_dataset(name, data_dir)
    try:
        return load_prepared(dataset.name, data_dir)
    except NotPrepared:
        if not dataset.embedded:
            raise
        quiet_builders()
        return prepare(dataset, data_dir, None, cache_dir, show_progress)


def show_progress(what: str, done: int, total: int) -> None:
    """One moving line on a terminal; elsewhere only that it begins, as it may take minutes."""
    if sys.stderr.isatty():
        end = "\r\033[K" if done == total else ""
        click.echo(f"\r\033[KAudit: {what} {done:,} of {total:,} images{end}", nl=False, err=True)
    elif not done:
        click.echo(f"Auditing {total:,} images ...", err=True)


def _show(found: dict[str, Any], told: ShapeAlone, why_no_pixels: str) -> None:
    say(f"{found['dataset']} {found['dataset_version']}: {found['images']:,} images")
    for question, answer, details in (*answers(found), _shape(told)):
        say(f"  {question:<34} {answer}", hang=35)
        for detail in details[:_SHOWN]:
            say(f"    {printable(detail)}")
        if len(details) > _SHOWN:
            say(f"    ... and {len(details) - _SHOWN} more")
    if found["near"] is None:
        say(f"  The pixels were not looked at ({why_no_pixels}): no copies can be found.")
    click.echo(
        "Leakage status: " + click.style(found["verdict"], fg=_COLOURS[found["verdict"]], bold=True)
    )
    for reason in found["reasons"]:
        say(f"  {printable(reason)}")


def _shape(told: ShapeAlone) -> tuple[str, str, list[str]]:
    """Of no weight in the status either: what a network could take for a finding."""
    lines = [
        f"{each.finding}: {each.auc:.3f} [{each.low:.3f}, {each.high:.3f}], {each.images:,} images"
        for each in sorted(told.findings, key=lambda each: -each.auc)
    ]
    lines += [f"too few patients: {', '.join(told.too_few)}"] if told.too_few else []
    above = sum(each.low > CHANCE for each in told.findings)
    answer = f"better than chance for {above} of {len(told.findings)} findings"
    answer += f", on {told.basis}" if told.basis else ""
    return "AUC of the file's shape alone", printable(told.nothing) or answer, lines
