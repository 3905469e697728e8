"""`cxr-bench prepare`: run a builder and say what was found."""

from __future__ import annotations

from pathlib import Path

import click


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
