"""`cxr-bench score`: predictions made by any other tool, as a row of the leaderboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from benchmark.commands.leaderboard import write_leaderboard
from benchmark.errors import UserError
from benchmark.records.scores import Scores
from benchmark.report.text import interval, number, one_line

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def score_predictions(
    path: Path,
    dataset: str,
    name: str,
    *,
    results: Path,
    data_dir: Path,
    replace: bool,
    **told: Any,
) -> None:
    """Enter a file of predictions and write the leaderboard.

    Args:
        path: see :mod:`benchmark.records.external`.
        dataset: prepared, whose test images the predictions are of; also ``DATASET@PROTOCOL``.
        name: of the model; empty for the file's.
        told: the rest of :class:`benchmark.kinds.external_run.Origin`.
    """
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepared import load_prepared
    from benchmark.kinds.external_run import Origin, enter
    from benchmark.protocols import find
    from benchmark.records.store import Results
    from benchmark.scoring.stored import stored_scores
    from benchmark.spec import PUBLISHED

    name = name or path.name.partition(".")[0]
    if not NAME.fullmatch(name):
        raise UserError(
            f"{name!r} is no name for a model: letters, digits and _ . + - (give one by --name)"
        )
    store = Results(results)
    store.check_writable()
    dataset, _, protocol_name = dataset.partition("@")
    protocol = find(protocol_name or PUBLISHED)
    if protocol.allows_leak:
        raise UserError(
            f"predictions made elsewhere are not scored under {protocol.name}, which leaks"
        )
    prepared = protocol.apply(load_prepared(find_dataset(dataset).name, data_dir))
    row = enter(path, prepared, Origin(name, **told), store, protocol.name, replace=replace)
    scores = stored_scores(store, row)
    on = protocol.title(prepared.name)
    click.echo(f"{name}, seed {row.spec.seed}, on {on}: row {row.spec_id}")
    for metric, shown in (("auc", "AUC"), ("f1", "F1")):
        limits = interval(*(scores.intervals[f"test_{metric}"] or (None, None)))
        click.echo(f"  {shown:<4}{number(scores.splits['test'].metrics[metric])} {limits}".rstrip())
    for note in _notes(scores):
        click.echo(f"  {one_line(note)}")
    write_leaderboard(results)


def _notes(scores: Scores) -> list[str]:
    notes = []
    if scores.threshold_source == "fixed":
        notes.append("F1 at 0.5: there are no validation predictions to choose a threshold on")
    if "train" not in scores.splits:
        notes.append("no overfitting gap: there are no train predictions")
    if scores.macro_undefined:
        notes.append(f"no AUC and no F1: {scores.macro_undefined}")
    return notes
