"""What `prepare` does for a set of the user's own: look first, keep versions apart, warn."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.commands.support import counted, short_findings, shortfalls
from benchmark.data.discovery import Dataset
from benchmark.data.own_sets import changes, next_version, other_options
from benchmark.data.prepared import SPLITS, NotPrepared, Prepared, load_prepared
from benchmark.errors import UserError
from benchmark.report.blocks.people import of_patients
from benchmark.scoring.protocol import MINIMUM_PATIENTS

if TYPE_CHECKING:
    import pandas as pd

    from tfds_builders.image_folder.options import Options

_SHOWN = 10
_GOOD_TRAIN, _LEAST_TRAIN = 50, 20
"""Percent of the patients: with less than the second nothing is trained."""
_KEPT = "  Its own split is kept: rows say that it leaks and have a table of their own."
_LEAKS = """\
  Its own split leaks, so nothing is trained on it. Prepare it again with --force and
    --resplit     to split it anew, patients and copies kept together, or
    --keep-split  to run it all the same; rows say so and have a table of their own"""


def refuse_others(dataset: Dataset, option: str) -> None:
    """Raise a UserError where an option is for the user's own sets, and the set is none."""
    if not dataset.own:
        raise UserError(f"{option}: only for sets of your own (image_folder), not {dataset.name}.")


def read_as(dataset: Dataset, said: Mapping[str, Any], manual_dir: Path | None) -> Options:
    """How a set is to be read: as is said here and, for the rest, as a file in its folder says.

    Raises:
        UserError: the file cannot be read.
    """
    from tfds_builders.image_folder.options import FILE, Options, read_options

    of_file = _asked(dataset, read_options, manual_dir) if manual_dir else Options()
    options = of_file.but(**said)
    unsaid = [each for each in fields(options) if each.name not in said]
    if told := [each.name for each in unsaid if getattr(options, each.name) != each.default]:
        click.echo(f"As {FILE} in the folder says: {', '.join(told)}", err=True)
    return options


def settled(
    dataset: Dataset, data_dir: Path, manual_dir: Path | None, *, force: bool
) -> tuple[Dataset, bool]:
    """The data set with the version that is meant, and whether that is there already.

    Raises:
        UserError: what is there was read in another way or from other files, and no new version
            is asked for.
    """
    if not dataset.own or manual_dir is None:
        return dataset, False
    from tfds_builders.image_folder.reading import refuse_missing

    try:
        prepared = load_prepared(dataset.name, data_dir)
    except NotPrepared:
        return dataset, False
    new = replace(dataset, version=next_version(prepared.version))
    if force:
        click.echo(f"{prepared.name} {prepared.version} stays in {prepared.path}", err=True)
        return new, False
    _asked(dataset, refuse_missing, manual_dir)
    options = _options(dataset, manual_dir)
    ways = "Make a new version of it by --force, or choose another --name."
    if other := other_options(prepared.facts.options or {}, options.published()):
        told = "".join(f"\n  {each}" for each in other)
        raise UserError(
            f"{prepared.name} is prepared already, and was read in another way:{told}\n{ways}"
        )
    if found := _asked(dataset, changes, prepared, manual_dir, options):
        raise UserError(
            f"{manual_dir} has changed since {prepared.name} {prepared.version} was prepared: "
            f"{'; '.join(found)}. {ways}"
        )
    return replace(dataset, version=prepared.version), True


def check_folder(dataset: Dataset, manual_dir: Path | None) -> None:
    """Say what would be read from a folder and how it would be split; write nothing.

    Raises:
        UserError: it cannot be prepared so; the text is that of `prepare`.
    """
    from tfds_builders.image_folder.looking import Look, look
    from tfds_builders.image_folder.options import UNKNOWN

    config = _asked(dataset, dataset.locate, manual_dir)
    seen: Look = _asked(dataset, look, manual_dir, config.options)
    click.echo(f"{dataset.name} would hold {len(seen.lines):,} images: {seen.kind}")
    for split, part in seen.lines.groupby("split", sort=False):
        unknown = config.options.patients == UNKNOWN
        _show_split(str(split), part, config.findings, unknown=unknown)
    click.echo(f"  split: {seen.split_source}")
    _show_torn(seen.lines)
    one = len(seen.refused) == 1
    click.echo(
        f"  {len(seen.refused):,} {'file or row' if one else 'files or rows'} would be left out"
    )
    _show_reasons(seen.refused)
    _show_notes(seen.notes)
    _warn(seen.lines, list(config.findings), seen.dealt)
    click.echo("Nothing was written. Copies, and what only decoding tells, are seen by prepare.")


def show_own(prepared: Prepared) -> None:
    """What a person should know of a set of their own before anything is trained on it."""
    _show_notes(prepared.facts.notes)
    keeps = (prepared.facts.options or {}).get("keep_split")
    if prepared.derived.leakage_status == "leak":
        click.echo(_KEPT if keeps else _LEAKS)
    _warn(prepared.manifest(), prepared.facts.findings, prepared.facts.dealt)


def _asked(dataset: Dataset, ask: Any, *given: Any) -> Any:
    """The answer of a builder, whose errors are told as the user's."""
    from tfds_builders.errors import DatasetError

    try:
        return ask(*given)
    except DatasetError as error:
        said = str(error).removeprefix("image_folder: ")
        raise UserError(f"{dataset.name}: {said}") from None


def _options(dataset: Dataset, manual_dir: Path) -> Any:
    from tfds_builders.image_folder.options import read_options

    return dataset.options or _asked(dataset, read_options, manual_dir)


def _show_split(split: str, part: pd.DataFrame, findings: list[str], *, unknown: bool) -> None:
    who = of_patients(part["patient_id"].nunique(), unknown=unknown)
    positives = [f"{f} {int(part[f'target:{f}'].sum()):,}" for f in findings]
    click.echo(f"  {split:<10} {len(part):>7,} images{who}; {', '.join(positives)}")


def _show_torn(lines: pd.DataFrame) -> None:
    """Say how many patients a set's own split tears apart."""
    if torn := int((lines.groupby("patient_id")["split"].nunique() > 1).sum()):
        click.echo(
            f"  {torn:,} patients stand in several splits: it leaks. --resplit splits it anew, "
            "--keep-split runs it all the same."
        )


def _show_reasons(refused: list[dict[str, str]]) -> None:
    """The commonest kinds, each by its first: names and numbers in it are of one file."""
    alike: dict[str, list[dict[str, str]]] = defaultdict(list)
    for entry in refused:
        alike[re.sub(r"'[^']*'|\S*[./]\S*|\d+", "#", entry["reason"])].append(entry)
    for several in sorted(alike.values(), key=len, reverse=True)[:_SHOWN]:
        such = ", and the like" if len({entry["reason"] for entry in several}) > 1 else ""
        first = several[0]
        click.echo(f"    {len(several):,}: {first['reason']}{such} ({first['file']})")


def _show_notes(notes: list[str]) -> None:
    for note in notes:
        click.echo(f"  note: {note}")


def _enough(lines: pd.DataFrame, findings: list[str], dealt: Collection[str]) -> str:
    """Fractions with which the splits that fall short would have enough; "" where none would do.

    No split gets less than it has, but train. Test goes before validation where not both can be.
    """
    short = {s: set(of) for s, of in short_findings(lines, findings).items() if s in dealt}
    shares = {f: n for f in set().union(*short.values()) if (n := _needed(lines, f)) is not None}
    patients = lines.groupby("split")["patient_id"].nunique()
    has = {s: 5 * round(20 * patients.get(s, 0) / patients.sum()) for s in SPLITS[1:]}
    for splits, least in ((set(short), _GOOD_TRAIN), ({"test"} & set(short), _LEAST_TRAIN)):
        for most in sorted(set(shares.values()), reverse=True):
            can = {f for f, share in shares.items() if share <= most}
            more = [s for s in splits if can & short[s] and most > has[s]]
            wants = has | dict.fromkeys(more, most)
            train = 100 - sum(wants.values())
            if more and train >= least:
                asked = ",".join(str(share) for share in (train, *wants.values()))
                named = counted([f for f in findings if f in can], findings)
                return (
                    f": {asked} would do for {named} on {' and '.join(s for s in has if s in more)}"
                )
    return ""


def _needed(lines: pd.DataFrame, finding: str) -> int | None:
    """Percent of the patients, in steps of five, that are enough of both sides of a finding."""
    known = lines[lines[f"labelled:{finding}"] == 1]
    patients = known.groupby(f"target:{finding}")["patient_id"].nunique()
    fewest = min(patients.get(0, 0), patients.get(1, 0))
    return 5 * math.ceil(20 * MINIMUM_PATIENTS / fewest) if fewest else None


def _warn(lines: pd.DataFrame, findings: list[str], dealt: Collection[str]) -> None:
    """List what a split leaves undefined, before anything is trained for it.

    Args:
        dealt: the splits between which images are dealt out; others are as the set says.
    """
    if found := shortfalls(lines, findings):
        needed = f"{MINIMUM_PATIENTS} patients with a finding and {MINIMUM_PATIENTS} without"
        said = f"  This split leaves numbers undefined; {needed} are needed:"
        click.echo(click.style(said, fg="yellow"))
        for text in found:
            click.echo(f"    {text}")
        short = short_findings(lines, findings).keys() & set(dealt)
        if more := [split for split in SPLITS[1:] if split in short]:
            enough = _enough(lines, findings, more)
            click.echo(f"    --split-fractions gives {' and '.join(more)} more patients{enough}")
        if own := [split for split in SPLITS[1:] if split not in dealt]:
            click.echo(f"    The set's own {' and '.join(own)}: --resplit deals everything anew")
