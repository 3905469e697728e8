"""`cxr-bench evaluate`: a trained row on the test images of another data set."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.errors import UserError
from benchmark.report.blocks.text import number, one_line

if TYPE_CHECKING:
    from benchmark.data.prepared import Prepared
    from benchmark.machine.environment import Environment
    from benchmark.models import ModelFile
    from benchmark.records.row import Row
    from benchmark.records.store import Results
    from benchmark.report.comparing.lookup import Found


def evaluate_row(
    text: str, dataset: str, *, results: Path, data_dir: Path, cache_dir: Path,
    models_dirs: Sequence[Path], replace: bool, same: Sequence[str],
) -> None:  # fmt: skip
    """Test every finished seed of a row or configuration, and say how it did.

    Seeds that were tested there before are left as they are, unless they are to be replaced.

    Args:
        same: ``A=B`` for a finding of the row's set and what the other set calls it.

    Raises:
        UserError: none is finished, or one cannot be tested on that set.
    """
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepared import load_prepared
    from benchmark.data.shared_findings import parse_map
    from benchmark.kinds.external_validation_run import evaluate
    from benchmark.records.store import Results
    from benchmark.report.comparing.lookup import find

    told = parse_map(same)
    store = Results(results)
    found = find(store, text)
    target = load_prepared(find_dataset(dataset, data_dir).name, data_dir)
    rows = finished(found)
    model_file = model_file_of(rows[0], models_dirs)
    click.echo(f"{one_line(found.title)} on {target.name} {target.version}", err=True)
    if missing := [row for row in rows if replace or not _is_there(row, target, store, told)]:
        store.check_writable()
        given = missing, target, model_file, store, cache_dir, start_framework()
        for row, made in zip(missing, evaluate(*given, replace=replace, told=told), strict=True):
            _say_scores(store, row, made)
    board = f"cxr-bench leaderboard --results {shlex.quote(str(results))}"
    click.echo(f"Its table is written by: {board}")


def _is_there(row: Row, target: Prepared, store: Results, told: Mapping[str, str]) -> bool:
    """Whether a row was tested on a set before, which is said.

    Raises:
        UserError: it was, and ``told`` names what is no finding of the two sets.
    """
    from benchmark.kinds.external_validation_run import common_findings, evaluation_spec

    there = store.cross.read_row(evaluation_spec(row, target).spec_id)
    if not (there and there.done):
        return False
    assert there.trained_on is not None  # as in every row of that folder
    asked = [*common_findings(row, target, told)]
    tested = [{name: tuple(own) for name, own in of.items()} for of in there.trained_on.findings]
    other = "" if tested == asked else f" for other findings ({_listed(there)})"
    click.echo(f"seed {row.spec.seed}: tested there before{other}; --replace tests it anew")
    return True


def _say_scores(store: Results, row: Row, made: Row) -> None:
    from benchmark.scoring.stored import stored_scores

    test = stored_scores(store.cross, made).splits["test"].metrics
    click.echo(
        f"seed {row.spec.seed}: AUC {number(test['auc'])}, F1 {number(test['f1'])} "
        f"of {_listed(made)}"
    )
    for mark in made.watermarks:
        click.echo(f"  {one_line(mark)}")


def _listed(row: Row) -> str:
    return ", ".join(map(one_line, row.protocol.findings))


def finished(found: Found) -> list[Row]:
    """The finished rows of what a person named; says which are left out, and why.

    Raises:
        UserError: none is.
    """
    from benchmark.kinds.trained import check_has_network
    from benchmark.report.gathering.stopped import why_stopped

    if not found.done:
        check_has_network(found.row)  # says so
    for row in found.rows:
        if not row.done:
            status = row.status.replace("_", " ")
            click.echo(
                f"Left out: seed {row.spec.seed}, which is {status}: {why_stopped(row)}", err=True
            )
    return found.done


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
