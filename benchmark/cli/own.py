"""Commands for what is one's own: a model, a suite, predictions of another tool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from benchmark.bounds import LARGEST_COUNT
from benchmark.cli.group import main
from benchmark.commands import options


@main.command("new-model")
@click.argument("name")
@click.option(
    "--models-dir",
    type=options.FOLDER,
    help="Folder to put it in; default: the package's own models.",
)
def new_model(name: str, models_dir: Path) -> None:
    """Write the one file that adds model NAME to the matrix, ready to train."""
    from benchmark.commands.new_model import scaffold_model

    scaffold_model(name, models_dir)


@main.command("new-suite")
@click.argument("name")
@click.option("--dataset", "datasets", multiple=True, help="As to: run.")
@options.matrix()
@options.models_dir()
def new_suite(name: str, **given: Any) -> None:
    """Write a suite of your own to NAME.toml: a matrix to edit, and to run by its path.

    NAME may have a folder before it.
    """
    from benchmark.commands.new_suite import write_suite

    write_suite(name, **given)


@main.command()
@click.argument("predictions", nargs=-1, type=options.FILE)
@click.option("--dataset", default="", help="The prepared set, or SET@PROTOCOL, they are of.")
@click.option("--name", default="", help="What to call the model; default: the file's name.")
@click.option(
    "--seed",
    "seeds",
    type=click.IntRange(0, 2**32 - 1),
    multiple=True,
    help="Which training a file is of, once a file; default: 0, 1, 2, ...",
)
@click.option("--deterministic", is_flag=True, help="A model without chance: one run is enough.")
@click.option("--reference", default="", help="Where the model is described.")
@click.option("--parameters", type=click.IntRange(0, LARGEST_COUNT), help="How many it has.")
@click.option("--replace", is_flag=True, help="Replace an earlier entry of the same name and seed.")
@click.option(
    "--check", "only_check", is_flag=True, help="Say whether they would be taken; write nothing."
)
@click.option(
    "--template", default="", metavar="SET", help="Write the file to fill in for this set; no more."
)
@options.results()
@options.data_dir()
@click.pass_context
def score(
    context: click.Context,
    predictions: tuple[Path, ...],
    dataset: str,
    template: str,
    data_dir: Path,
    **given: Any,
) -> None:
    """Enter PREDICTIONS of any other tool, one file a seed, into the leaderboard as external.

    \b
    CSV (may be gzipped), Parquet or NPZ, with columns (arrays): image_id; for each finding
    logit:FINDING, or probability:FINDING in [0, 1]; and split (train, validation or test) where
    there is more than test. All and only the set's images are taken. Without validation F1 is
    at 0.5; without train there is no gap. All files of a call are taken, or none.

    \b
      cxr-bench score --template kermany_pneumonia/official theirs.csv
      cxr-bench score --check theirs.csv --dataset kermany_pneumonia/official
    """
    from benchmark.commands.score import score_predictions, write_template

    if template and len(predictions) > 1:
        raise click.UsageError("--template writes one file")
    if not template and not (predictions and dataset):
        raise click.UsageError("name the files of predictions, and their set by --dataset")
    if template:
        options.refuse_beside(context, "--template", "predictions", "results", "data_dir")
        write_template(template, predictions[0] if predictions else None, data_dir)
    else:
        score_predictions(predictions, dataset, data_dir=data_dir, **given)
