"""`cxr-bench evaluate`: a trained row on the test images of another data set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.errors import UserError
from benchmark.report.text import number, one_line

if TYPE_CHECKING:
    from benchmark.machine.environment import Environment
    from benchmark.models import ModelFile
    from benchmark.records.row import Row


def evaluate_row(
    text: str, dataset: str, *, results: Path, data_dir: Path, cache_dir: Path,
    models_dirs: Sequence[Path], replace: bool, same: Sequence[str] = (),
) -> None:  # fmt: skip
    """Test every finished seed of a row or configuration, and say how it did.

    Args:
        same: ``A=B`` for a finding of the row's set and what the other set calls it.
    """
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepared import load_prepared
    from benchmark.data.shared_findings import parse_map
    from benchmark.records.store import Results
    from benchmark.report.lookup import find

    told = parse_map(same)
    store = Results(results)
    found = find(store, text)
    target = load_prepared(find_dataset(dataset, data_dir).name, data_dir)
    model_file = model_file_of(found.row, models_dirs)
    click.echo(f"{one_line(found.title)} on {target.name} {target.version}", err=True)
    environment = start_framework()
    from benchmark.kinds.external_validation_run import evaluate
    from benchmark.scoring.stored import stored_scores

    for row in found.rows:
        made = evaluate(
            row, target, model_file, store, cache_dir, environment, replace=replace, told=told
        )
        test = stored_scores(store.cross, made).splits["test"].metrics
        click.echo(
            f"seed {row.spec.seed}: AUC {number(test['auc'])}, F1 {number(test['f1'])} "
            f"of {', '.join(map(one_line, made.protocol.findings))}"
        )
        for mark in made.watermarks:
            click.echo(f"  {one_line(mark)}")
    click.echo("Its table is written by: cxr-bench leaderboard")


def model_file_of(row: Row, models_dirs: Sequence[Path]) -> ModelFile:
    """The model file of a row.

    Raises:
        UserError: the row has no network, or the file is not here or cannot be used.
    """
    from benchmark.kinds.trained import check_has_network
    from benchmark.models import discover

    check_has_network(row)
    found = discover(models_dirs).get(row.spec.model)
    if found is None or found.problem:
        raise UserError(
            f"there is no model file {row.spec.model}; a folder with model files of your own is "
            "named by --models-dir"
        )
    return found


def start_framework() -> Environment:
    """Set up what a row is computed with in this process."""
    import os

    from benchmark.machine.environment import check, current

    environment = current()
    check(environment)
    os.environ["KERAS_BACKEND"] = environment.backend
    from benchmark.training.network import configure_framework

    configure_framework(environment)
    return environment
