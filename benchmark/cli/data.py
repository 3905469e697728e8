"""Commands about data sets: prepare them, list them, look into them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from benchmark.cli.group import main
from benchmark.commands import options
from benchmark.commands.own_options import own_set


@main.command()
@click.argument("dataset")
@click.option("--manual-dir", type=options.FOLDER, help="Folder with your copy of the raw files.")
@options.data_dir()
@options.cache_dir()
@own_set()
@click.option("--beam", is_flag=True, help="In an Apache Beam pipeline (extra: cxr-bench[beam]).")
@click.option(
    "--beam-options",
    default="",
    help="Options of the pipeline: 'runner=FlinkRunner,...'; without, on this machine.",
)
@click.option(
    "--sizes",
    type=options.FILE,
    help="A table of the sizes the images had before they were resized: CSV with columns image, "
    "width, height (px) and, where known, spacing (mm).",
)
def prepare(
    dataset: str,
    manual_dir: Path | None,
    data_dir: Path,
    cache_dir: Path,
    beam: bool,
    beam_options: str,
    **own: Any,
) -> None:
    """Prepare a DATASET, given as builder/config, for training.

    \b
    A set of your own, in folders named like the classes:
      cxr-bench prepare image_folder --name my_set --manual-dir DIR --patient-pattern '^(\\d+)_'
      cxr-bench run --suite pneumonia --dataset image_folder/my_set
    All shapes of folders and tables: docs/image_folder.md
    """
    from benchmark.commands.prepare import prepare_dataset

    own["beam"] = beam_options if beam or beam_options else None
    prepare_dataset(dataset, manual_dir, data_dir, cache_dir, **own)


@main.command("list")
@click.argument(
    "what", type=click.Choice(["all", "suites", "models", "datasets", "columns"]), default="all"
)
@click.option("--manual-dir", type=options.FOLDER, help="Look here for raw files of data sets.")
@options.data_dir()
@options.models_dir()
@options.as_json()
def list_(
    what: str,
    manual_dir: Path | None,
    data_dir: Path,
    models_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """List suites, models and data sets, with the state each data set is in.

    By name also the columns that tables and files may have.
    """
    from benchmark.commands.listing import list_everything

    list_everything(what, manual_dir, data_dir, models_dirs, as_json=as_json)


@main.command()
@click.argument("dataset")
@click.option("--images/--no-images", default=True, help="Also look for copies in the pixels.")
@options.out("audit")
@options.data_dir()
@options.cache_dir()
def audit(dataset: str, **given: Any) -> None:
    """Say what is wrong with a prepared DATASET: leaks, duplicates, labels, metadata.

    Leakage status leak: the same patient, or the same image (cropped, padded, scaled,
    compressed, brightened, negative, mirrored or turned), in two splits. Suspected: an ambiguity
    that is known of the set. Exits with 1 on a leak only.
    """
    from benchmark.commands.audit import audit_dataset

    raise SystemExit(audit_dataset(dataset, **given))


@main.command()
@click.argument("dataset")
@click.option(
    "--with-images/--without-images",
    default=None,
    help="Show sample images; default: only of sets that may be passed on.",
)
@options.out("eda")
@options.data_dir()
@options.cache_dir()
def eda(dataset: str, **given: Any) -> None:
    """Write a page about a prepared DATASET: labels, metadata, pixels, samples."""
    from benchmark.commands.eda import explore_dataset

    explore_dataset(dataset, **given)


@main.command()
@click.argument("dataset")
@click.option("--policy", required=True, help="e.g. 'strong'; all are in docs/suites.md.")
@click.option(
    "--size", type=click.IntRange(8, 1024), default=224, show_default=True, help="Pixels per side."
)
@click.option("--n", type=click.IntRange(1, 50), default=8, show_default=True, help="Images shown.")
@click.option(
    "--out",
    type=options.FILE,
    help="PNG file to write; default: named after both, in results/local/augment.",
)
@options.data_dir()
@options.cache_dir()
def augment(dataset: str, policy: str, **given: Any) -> None:
    """Draw what an augmentation policy makes of training images of a prepared DATASET.

    Each image stands beside what training would see of it in six epochs.
    """
    from benchmark.commands.augment import draw_policy

    draw_policy(dataset, policy, **given)
