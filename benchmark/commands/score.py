"""`cxr-bench score`: predictions made by any other tool, as rows of the leaderboard."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.commands.leaderboard import write_leaderboard
from benchmark.errors import UserError
from benchmark.naming import MODELS
from benchmark.records.row import Row
from benchmark.records.scores import Scores
from benchmark.report.blocks.text import interval, number, one_line
from benchmark.report.gathering.configuration import TWO_VALUED
from benchmark.report.gathering.run import few_scores

if TYPE_CHECKING:
    from benchmark.kinds.external_run import Entry
    from benchmark.protocols import SplitProtocol

LONGEST_REFERENCE = 500


def score_predictions(
    paths: Sequence[Path],
    dataset: str,
    name: str,
    seeds: Sequence[int],
    *,
    results: Path,
    data_dir: Path,
    replace: bool,
    only_check: bool,
    **told: Any,
) -> None:
    """Enter files of predictions, one a seed, and write the leaderboard; all of them or none.

    Args:
        paths: see :mod:`benchmark.records.external`.
        dataset: prepared, whose test images the predictions are of; also ``DATASET@PROTOCOL``.
        name: of the model; empty for the file's.
        seeds: of the files, in their order; none for 0, 1, 2, ...
        only_check: say whether they would be taken, and write nothing.
        told: the rest of :class:`benchmark.kinds.external_run.Origin`.
    """
    from benchmark.kinds.external_checks import check_entries
    from benchmark.kinds.external_run import Origin, read_entry, seen_under
    from benchmark.records.store import Results
    from benchmark.scoring.publishing import publish

    origin, seeds = Origin(_name(name, paths), **told), _seeds(seeds, paths)
    _check_reference(origin.reference)
    protocol, prepared = seen_under(dataset, data_dir)
    store = Results(results)
    entries = [
        read_entry(path, seed, prepared, origin, protocol.name)
        for path, seed in zip(paths, seeds, strict=True)
    ]
    check_entries(entries, store, _our_names(), replace=replace)
    if not only_check:
        store.check_writable()
    for entry in entries:
        if not only_check:
            publish(store, entry.row, entry.checked, replace=replace)
        _say(entry, protocol, only_check)
    if not only_check:
        write_leaderboard(results)


def write_template(dataset: str, path: Path | None, data_dir: Path) -> None:
    """Write the file that `score` takes, without the predictions: a line for each image.

    Args:
        dataset: as of :func:`score_predictions`.
        path: where to; None for a name made of the set's, in the working folder.
    """
    import pandas as pd

    from benchmark.kinds.external_run import external_spec, images_of, seen_under
    from benchmark.records.files import write_atomic
    from benchmark.records.spreadsheets import csv_text

    protocol, prepared = seen_under(dataset, data_dir)
    path = path or Path(re.sub(r"[^A-Za-z0-9_.-]+", "_", dataset) + ".csv")
    if path.exists():
        raise UserError(f"{path} is there already: name another file, or remove it")
    parts = images_of(external_spec(prepared, "", 0, protocol.name), prepared)
    lines = [(image_id, split) for split, part in parts.items() for image_id in part.image_id]
    frame = pd.DataFrame(lines, columns=["image_id", "split"])
    frame = frame.assign(**{f"logit:{finding}": "" for finding in prepared.task.findings})
    write_atomic(path, csv_text(frame).encode())
    click.echo(
        f"{path}: {len(lines)} images. Fill in the logits, or name the columns "
        "probability:FINDING; train and validation may be left out, each as a whole"
    )


def _name(name: str, paths: Sequence[Path]) -> str:
    if not name and len(paths) > 1:
        raise UserError("several files are seeds of one model: say what to call it by --name")
    name = name or paths[0].name.partition(".")[0]
    if fault := MODELS.fault(name):
        raise UserError(f"{fault} (give one by --name)")
    return name


def _seeds(seeds: Sequence[int], paths: Sequence[Path]) -> Sequence[int]:
    if len(seeds) not in (0, len(paths)):
        raise UserError(f"{len(paths)} files have {len(seeds)} seeds: give a --seed for each")
    if len(set(seeds)) < len(seeds):
        raise UserError("two files have the same seed: each is of a training of its own")
    return seeds or range(len(paths))


def _check_reference(text: str) -> None:
    if len(text) > LONGEST_REFERENCE or not text.isprintable():
        raise UserError(f"--reference is one line of at most {LONGEST_REFERENCE} characters")


def _our_names() -> set[str]:
    """Of the models and ensembles of this package."""
    from benchmark.models import discover
    from benchmark.suites import load_suite, suites

    ensembles = (e.name for suite in suites() for e in load_suite(suite).ensembles)
    return {*discover(), *ensembles}


def _say(entry: Entry, protocol: SplitProtocol, only_check: bool) -> None:
    row, scores = entry.row, entry.checked.scores
    assert isinstance(scores, Scores)  # of findings; sets of masks have no task
    on = protocol.title(row.spec.dataset)
    title = f"{row.spec.model}, seed {row.spec.seed}, on {on}"
    if only_check:
        images = ", ".join(f"{part.n_images} {split}" for split, part in scores.splits.items())
        click.echo(f"{entry.path} would be taken: {title} ({images} images)")
    else:
        click.echo(f"{title}: row {row.spec_id}")
        for line in _headlines(scores):
            click.echo(f"  {line}")
    for note in _notes(row, scores, entry.warnings):
        click.echo(f"  {one_line(note)}")


def _headlines(scores: Scores) -> Iterator[str]:
    for metric, shown in (("auc", "AUC"), ("f1", "F1")):
        limits = interval(*(scores.intervals[f"test_{metric}"] or (None, None)))
        yield f"{shown:<4}{number(scores.splits['test'].metrics[metric])} {limits}".rstrip()


def _notes(row: Row, scores: Scores, warnings: Sequence[str]) -> Iterator[str]:
    for warning in warnings:
        yield f"Warning: {warning}"
    if scores.threshold_source == "fixed":
        yield "F1 at 0.5: there are no validation predictions to choose a threshold on"
    if scores.two_valued:
        yield f"not ranked: {TWO_VALUED}"
    if few := few_scores(row):
        yield few
    if "train" not in scores.splits:
        yield "no overfitting gap: there are no train predictions"
    if scores.macro_undefined:
        yield f"no AUC and no F1: {scores.macro_undefined}"
