"""`cxr-bench prepare`: run a builder and say what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from benchmark.commands.audit import show_progress
from benchmark.commands.own_sets import check_folder, read_as, refuse_others, settled, show_own
from benchmark.data.discovery import Dataset, find_dataset
from benchmark.data.facts import FileNote, SetFacts
from benchmark.data.prepared import SPLITS, Prepared
from benchmark.errors import UserError
from benchmark.report.blocks.people import of_patients

SHOWN = 10
"""Of the files that were left out or changed, so many are named."""


def prepare_dataset(
    name: str,
    manual_dir: Path | None,
    data_dir: Path,
    cache_dir: Path | None = None,
    own_name: str = "",
    beam: str | None = None,
    sizes: Path | None = None,
    *,
    only_check: bool = False,
    force: bool = False,
    **own: object,
) -> None:
    """Prepare a data set and say what was found in it.

    Args:
        cache_dir: folder of the views, one of which the audit looks at.
        own_name: what to call a set of the user's own.
        beam: options of an Apache Beam pipeline to run the builder in; None for no pipeline.
        sizes: a table of the original sizes of its images; None for none.
        only_check: whether to say what would be read, and write nothing.
        force: whether to make a new version of a set of the user's own that is there.
        own: how to read it, fields of ``tfds_builders.image_folder.options.Options``.
    """
    from benchmark.data.prepare import mend, prepare

    said = {key: value for key, value in own.items() if value}
    dataset = _dataset(name, own_name, said, manual_dir)
    if only_check or force:
        refuse_others(dataset, "--check" if only_check else "--force")
    if only_check:
        check_folder(dataset, manual_dir)
        return
    if damaged := mend(dataset, data_dir, cache_dir, show_progress):
        click.echo(f"Was damaged, and is made anew: {damaged}", err=True)
    dataset, is_there = settled(dataset, data_dir, manual_dir, force=force)
    prepared = prepare(dataset, data_dir, manual_dir, cache_dir, show_progress, beam, sizes)
    done = "was prepared already, from the same files," if is_there else "is prepared in"
    click.echo(f"{prepared.name} {prepared.version} {done} {prepared.path}")
    _show_splits(prepared)
    if dataset.own:
        show_own(prepared)
    _show_shapes(prepared)
    _show_fraction(prepared.facts)
    _show_ingest("quarantined (not used)", prepared.facts.quarantined)
    _show_ingest("converted to grey PNG", prepared.facts.converted)


def _dataset(name: str, own_name: str, own: Mapping[str, Any], manual_dir: Path | None) -> Dataset:
    """The data set meant; ``image_folder`` with a name is one of the user's own."""
    from tfds_builders.errors import DatasetError
    from tfds_builders.image_folder.options import check_name

    if name == "image_folder" and not own_name:
        raise UserError("What is the set to be called? Give it a name: --name my_set")
    try:
        check_name(own_name or "any")
    except DatasetError as error:
        raise UserError(str(error)) from None
    dataset = find_dataset(f"{name}/{own_name}" if own_name else name)
    if not own:
        return dataset
    if not dataset.own:
        given = ", ".join("--" + key.replace("_", "-") for key in own)
        raise UserError(f"{given}: only for sets of your own (image_folder), not for {name}.")
    return replace(dataset, options=read_as(dataset, own, manual_dir))


def _show_splits(prepared: Prepared) -> None:
    """What each split holds, and what the leakage gate found between them."""
    for split in SPLITS:
        counts = prepared.counts[split]
        positives = [f"{f} {n:,}" for f, n in counts.positives.items()]
        contents = "with lung masks" if prepared.holds_masks else ", ".join(positives)
        who = of_patients(counts.patients, unknown=prepared.facts.patients_unknown)
        click.echo(f"  {split:<10} {counts.images:>7,} images{who}; {contents}")
    derived = prepared.derived
    click.echo(f"  image source: {prepared.image_source}; leakage status: {derived.leakage_status}")
    for reason in derived.reasons:
        click.echo(f"    {reason}")


def _show_shapes(prepared: Prepared) -> None:
    """Of how many images it is known which size they had before anybody resized them."""
    if shapes := prepared.shapes:
        known = int(shapes.known.sum())
        different = f", {len(shapes.sizes):,} different" if known else ""
        click.echo(f"  original sizes: known of {known:,} images{different}")


def _show_fraction(facts: SetFacts) -> None:
    """How much of the set is in this copy, where the source has tables that list it."""
    if facts.listed is not None:
        # What is known to be missing from the publication is quarantined, and not absent.
        present = round(facts.listed * facts.fraction)
        click.echo(
            f"  the tables list {facts.listed:,} images for this config: {present:,} present "
            f"({facts.fraction:.1%}), {facts.absent:,} absent"
        )


def _show_ingest(what: str, files: list[FileNote]) -> None:
    click.echo(f"  {len(files):,} files {what}{':' if files else ''}")
    for entry in files[:SHOWN]:
        click.echo(f"    {entry.file}: {entry.reason}")
    if len(files) > SHOWN:
        click.echo(f"    ... and {len(files) - SHOWN} more, all in metadata.json")
