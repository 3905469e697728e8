"""Commands that take a trained network up again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from benchmark.cli.group import main
from benchmark.commands import options


@main.command()
@click.argument("row")
@click.option("--on", "dataset", required=True, help="The other data set, prepared.")
@click.option(
    "--map",
    "same",
    multiple=True,
    metavar="A=B",
    help="A finding of the row's set, and what the other set calls it; repeatable.",
)
@click.option(
    "--replace", is_flag=True, help="Replace an earlier evaluation of the same row on the same set."
)
@options.results()
@options.data_dir()
@options.cache_dir()
@options.models_dir()
def evaluate(row: str, dataset: str, **given: Any) -> None:
    """Test the network of a ROW on the test images of another data set.

    For the findings that both sets label, with the weights as they are: by
    tfds_builders/alignment.toml, of sets of your own by equal names, and as --map says. Such rows
    have a table of their own. Refused where the network was trained, or chosen on validation, on
    these very images: the same files, or copies saved anew, scaled, cropped a little, padded,
    brightened, negative, mirrored or turned. Marked where images may be such copies, or it may know
    the patients.
    """
    from benchmark.commands.evaluate import evaluate_row

    evaluate_row(row, dataset, **given)


@main.command()
@click.argument("row")
@click.argument("folder", type=options.FOLDER)
@click.option("--out", type=options.FILE, help="CSV or Parquet file; default: the terminal.")
@options.results()
@options.data_dir()
@options.models_dir()
def predict(row: str, folder: Path, out: Path | None, **given: Any) -> None:
    """Predict the images in FOLDER, which nobody need have labelled, with the network of a ROW.

    They are prepared as the row's own images were; what cannot be is refused. A configuration
    predicts with each of its seeds.
    """
    from benchmark.commands.trained import predict_images

    predict_images(row, folder, out, **given)


@main.group()
def weights() -> None:
    """Take trained networks out of a results folder."""


@weights.command("export")
@click.argument("row")
@click.option("--out", type=options.FILE, help="File to write; default: ROW.keras.")
@options.results()
@options.models_dir()
def weights_export(row: str, out: Path | None, **given: Any) -> None:
    """Write the network of a ROW as a .keras file, which Keras loads without this package."""
    from benchmark.commands.trained import export_weights

    export_weights(row, out, **given)


@main.command()
@click.argument("row")
@options.results()
@options.data_dir()
@options.cache_dir()
@options.models_dir()
@options.weights_dir()
def reproduce(row: str, **given: Any) -> None:
    """Run a ROW again from its row file, beside the results, and compare the numbers.

    Says what differs: predictions, scores, versions, hardware. Exits with 1 where the row is not
    what is promised: the same bits in the same environment, close numbers in another one (see
    docs/results.md).
    """
    from benchmark.commands.reproduce import reproduce_row

    raise SystemExit(reproduce_row(row, **given))
