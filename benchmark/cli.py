"""The command line. No logic here; whatever is slow to import is imported inside the commands."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

import benchmark
from benchmark.commands import options
from benchmark.commands.own_options import own_set
from benchmark.commands.surroundings import system_errors_told, write_plainly
from benchmark.commands.terminal import kept_to_commands, plain_asked
from benchmark.commands.warned import warn, warnings_printed
from benchmark.errors import UserError
from benchmark.machine.paths import settle_home

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # or TensorFlow talks over the commands
settle_home()


class _Commands(click.Group):
    """Shows a UserError, or one of the system, as one message without a trace; exits with 2."""

    def invoke(self, ctx: click.Context) -> Any:
        ctx.color = False if plain_asked() else None
        write_plainly()
        with kept_to_commands(), warnings_printed():
            try:
                with system_errors_told():
                    return super().invoke(ctx)
            except UserError as error:
                warn(f"Error: {error}")
                ctx.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(benchmark.__version__, prog_name="cxr-bench")
def main() -> None:
    """An honest benchmark suite for chest X-ray classification.

    \b
    A first leaderboard, on the embedded simulated set:
      cxr-bench run --all
    On your own copy of a real set:
      cxr-bench list
      cxr-bench prepare kermany_pneumonia/official --manual-dir DIR
      cxr-bench run --suite pneumonia
    A model of your own:
      cxr-bench new-model my_model --models-dir my_models
      cxr-bench run --suite phantom --models-dir my_models --filter model=my_model
    """


@main.command()
@click.option("--all", "run_all", is_flag=True, help="Every suite whose data are there.")
@click.option(
    "--suite",
    "names",
    type=options.SUITE,
    multiple=True,
    help="One suite, or a file of your own (see: new-suite); may be given several times.",
)
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    help="This data set instead of the suites' own, or DATASET@PROTOCOL; may be given several "
    "times.",
)
@options.matrix()
@click.option(
    "--filter",
    "filters",
    multiple=True,
    help="e.g. 'model=cnn|mlp,size=64,seed=0'; of several, all must hold.",
)
@click.option(
    "--limit-specs",
    "--limit-cells",
    type=click.IntRange(min=1),
    help="Stop after so many specs.",
)
@click.option(
    "--limit-images",
    type=click.IntRange(min=8),
    help="Use at most so many images of each split. Such rows are watermarked, never ranked.",
)
@click.option(
    "--no-test",
    is_flag=True,
    help="Leave the test images alone, to choose on validation. Such rows are never ranked.",
)
@click.option(
    "--rerun",
    type=click.Choice(["failed", "stale", "all"]),
    help="Run these again too; stale: done by other versions of the code, or from rows made anew.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be run and stop.")
@click.option("--json", "as_json", is_flag=True, help="With --dry-run: the whole plan as JSON.")
@click.option(
    "--precision",
    type=click.Choice(["float32", "mixed_bfloat16", "mixed_float16"]),
    help="Keras dtype policy in place of the recipes' own; such specs have ids of their own.",
)
@click.option("--exit-on-error", is_flag=True, help="Stop at the first spec that fails.")
@click.option("--profile", is_flag=True, help="Say in the end where the time of the specs went.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Specs side by side on this machine; they share its cores and memory. Default: 1, or one "
    "a GPU.",
)
@click.option(
    "--jobs-per-gpu",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Specs side by side on each GPU; their times are marked.",
)
@click.option(
    "--devices-per-spec",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Devices that one network is trained on; only on JAX.",
)
@options.device()
@click.option(
    "--executor",
    default="local",
    show_default=True,
    help="Where specs are run: local, or ray (extra: cxr-bench[ray]).",
)
@click.option("--address", default="", help="Of a Ray cluster that runs; default: start one here.")
@click.option(
    "--wait/--no-wait",
    default=True,
    help="Whether to wait for specs that another run on the same results is at work on.",
)
@click.option(
    "--shard",
    default="",
    metavar="I/N",
    help="Only part I of N, for machines that share no folder; join what they made by: merge.",
)
@click.option(
    "--slurm-script",
    "slurm_tasks",
    type=click.IntRange(min=1),
    is_flag=False,
    flag_value=8,
    metavar="[TASKS]",
    help="Print a Slurm array file (default: 8 tasks) that does this run on shared folders, and "
    "stop.",
)
@click.option(
    "--hang-after",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Minutes without any progress after which a spec is taken to hang, and fails.",
)
@click.option(
    "--memory-limit",
    type=click.FloatRange(min=0, min_open=True),
    help="GB that a spec may take before it is ended and fails; default: 90 % of what is free.",
)
@options.results()
@options.data_dir()
@options.cache_dir()
@options.models_dir()
@options.weights_dir()
@click.pass_context
def run(
    context: click.Context,
    run_all: bool,
    names: tuple[str | Path, ...],
    slurm_tasks: int | None,
    **given: Any,
) -> None:
    """Train and score what is missing, then write the leaderboard.

    A spec is one model on one data set at one size, prepared in one way, with one seed. Specs that
    are done are not run again, so an interrupted run goes on where it was. Exits with 1 where a
    spec failed.

    \b
    A matrix of your own, without a file:
      cxr-bench run --models cnn,densenet121 --sizes 64,224 --dataset kermany_pneumonia/internal
    """
    from benchmark.commands.run import run_suites
    from benchmark.commands.wish import Matrix, read_wish

    if given["as_json"] and not given["dry_run"]:
        raise click.UsageError("--json goes with --dry-run")
    matrix = Matrix(**{axis.name: given.pop(axis.name) for axis in fields(Matrix)})
    if [bool(names), run_all, matrix.asked].count(True) != 1:
        raise click.UsageError(
            "say what to run: either --all or --suite NAME (see: list suites), or a matrix of your "
            "own by --models, --sizes and --dataset"
        )
    wish = read_wish(
        names,
        matrix,
        datasets=given.pop("datasets"),
        filters=given.pop("filters"),
        shard=given.pop("shard"),
        executor=given["executor"],
        data_dir=given["data_dir"],
        models_dirs=given["models_dirs"],
    )
    if slurm_tasks:
        if given["dry_run"]:
            raise click.UsageError("--slurm-script prints a run, and --dry-run is none")
        from benchmark.commands.slurm import slurm_script

        click.echo(slurm_script(context, slurm_tasks), nl=False)
        return
    raise SystemExit(run_suites(wish, **given))


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
@click.option("--no-cost", is_flag=True, help="Leave out training time and hardware.")
@click.option(
    "--recompute",
    is_flag=True,
    help="Believe rows and predictions only, compute all else anew, and say what was not so.",
)
@options.results()
def leaderboard(no_cost: bool, recompute: bool, results: Path) -> None:
    """Write the leaderboard anew from the saved rows and predictions.

    With --recompute it exits with 1 where a number that was stored is not what is computed.
    """
    from benchmark.commands.leaderboard import write_leaderboard
    from benchmark.commands.recompute import recompute_all

    others = recompute_all(results) if recompute else 0
    write_leaderboard(results, cost=not no_cost)
    raise SystemExit(min(others, 1))


@main.command()
@click.argument("names", nargs=-1, required=True, type=options.SUITE, metavar="SUITE...")
@click.option("--dataset", "datasets", multiple=True, help="This set instead of the suites' own.")
@click.option(
    "--images", type=click.IntRange(min=10), help="Suppose that a set not prepared has so many."
)
@click.option(
    "--hardware",
    default="this",
    show_default=True,
    help="this: this machine and 1, 8, 64 GPUs; or a TOML file (see docs/cluster.md).",
)
@options.results()
@options.data_dir()
@options.models_dir()
def plan(names: tuple[str | Path, ...], **given: Any) -> None:
    """Say what SUITEs would take: hours, memory, disk, and what bounds them.

    By what past rows in the results folder took on the same device. Where there are none it says
    so and counts operations only.
    """
    from benchmark.commands.plan import plan_suites

    plan_suites(names, **given)


@main.command()
@click.argument("folders", nargs=-1, required=True, type=options.FOLDER, metavar="DIR...")
@options.results()
def merge(folders: tuple[Path, ...], results: Path) -> None:
    """Bring the rows of other results folders into one, and write its leaderboard.

    For runs on machines that share no folder (run --shard). Everything is verified first: what
    cannot be used is left out, rows of one spec that differ in code, data or targets are refused,
    of two that differ only in their numbers the earlier stands.
    """
    from benchmark.commands.merge import merge_folders

    merge_folders(folders, results)


@main.command("fetch-weights")
@click.argument("models", nargs=-1, required=True)
@click.option(
    "--weights-dir", type=options.FOLDER, help="Folder to put the files in; default: Keras' cache."
)
@options.models_dir()
def fetch_weights(
    models: tuple[str, ...], weights_dir: Path | None, models_dirs: tuple[Path, ...]
) -> None:
    """Download the published ImageNet weights of MODELS and check their hashes.

    Nothing else downloads weights. Files that are there already stay.
    """
    from benchmark.commands.fetch_weights import fetch_weights

    fetch_weights(models, weights_dir, models_dirs)


@main.command()
@click.option(
    "--out", type=options.FOLDER, help="The site's folder; default: report in the results folder."
)
@click.option(
    "--publish",
    type=options.FOLDER,
    metavar="DIR",
    help="Write a site there that static hosting serves as it is; nothing private is linked.",
)
@click.option(
    "--row", "rows", multiple=True, help="Only this row's page, given as to: show; repeatable."
)
@click.option("--suite", "suites", multiple=True, help="Only the pages of its rows; repeatable.")
@click.option("--no-cost", is_flag=True, help="Leave out training time and hardware.")
@click.option("--gradcam", is_flag=True, help="Also heat maps; needs weights and prepared images.")
@click.option(
    "--private-images", is_flag=True, help="In them also images that may not be passed on."
)
@options.results()
@options.data_dir()
@options.cache_dir()
@options.models_dir()
def report(results: Path, out: Path | None, no_cost: bool, **given: Any) -> None:
    """Write the results as a site: leaderboard, a page a row and a suite, checklists.

    It opens from disk, without a network. Figures are drawn once and kept until what they show
    changes.
    """
    from benchmark.commands.report import write_report

    write_report(results, out, cost=not no_cost, **given)


@main.command()
@click.argument("names", nargs=-1, metavar="[FIGURE]...")
@click.option(
    "--out", type=options.FOLDER, help="Folder to draw into; default: report/figures in results."
)
@click.option("--dataset", default="", help="Only what is about it, e.g. 'kermany_pneumonia'.")
@click.option(
    "--format", "forms", multiple=True, type=click.Choice(["svg", "png"]), help="Default: both."
)
@click.option("--no-cost", is_flag=True, help="Leave out what shows training time.")
@options.results()
def figures(names: tuple[str, ...], no_cost: bool, **given: Any) -> None:
    """Draw the results: one figure a question and data set, on light and on dark ground.

    FIGURE: e.g. forest, size or cost; a name that there is not lists all. Default: whatever the
    results give ground for. The same results give the same SVG.
    """
    from benchmark.commands.figures import draw_figures

    draw_figures(names, cost=not no_cost, **given)


@main.command()
@click.argument("row")
@options.out("masks")
@options.results()
@options.data_dir()
@options.cache_dir()
def masks(row: str, **given: Path) -> None:
    """Draw the five best and the five worst masks of a segmentation ROW, given as to: show."""
    from benchmark.commands.masks import draw_row

    draw_row(row, **given)


@main.command("anomaly-map")
@click.argument("row")
@options.out("anomaly_maps")
@options.results()
@options.data_dir()
@options.cache_dir()
def anomaly_map(row: str, **given: Path) -> None:
    """Draw where an anomaly screen ROW, given as to: show, finds images unlike normal ones."""
    from benchmark.commands.anomaly_map import draw_row

    draw_row(row, **given)


@main.command()
@click.argument("table", default="")
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "latex", "csv"]),
    default="markdown",
    show_default=True,
)
@options.listed("--columns", "names", "By name (see: list columns); default: the ranked table's.")
@click.option("--suite", default="", help="Only rows that this suite made.")
@click.option("--out", type=options.FILE, help="File to write; default: the terminal.")
@options.results()
def export(table: str, **given: Any) -> None:
    """Write tables for a paper or a spreadsheet, with the columns asked for.

    TABLE is a data set, or the start of the id of a protocol; default: every table.

    \b
      cxr-bench export kermany_pneumonia/official --format latex --columns model,test_auc,seeds
    """
    from benchmark.commands.export import export_tables

    export_tables(table, **given)


@main.command()
@click.argument("row")
@options.listed("--split", "splits", "Only these: train, validation, test.")
@click.option(
    "--out", type=options.FILE, required=True, help="File to write, by its name CSV or Parquet."
)
@options.results()
def predictions(row: str, **given: Any) -> None:
    """Write what a ROW, given as to: show, said of every image, with ids and targets."""
    from benchmark.commands.predictions import write_predictions

    write_predictions(row, **given)


@main.command()
@click.argument("row")
@options.as_json()
@options.results()
def show(row: str, as_json: bool, results: Path) -> None:
    """Show everything known about a ROW: scores, intervals, thresholds, provenance.

    ROW is the id of a spec or of a configuration (all its seeds), or the start of one, as in the
    leaderboard's CSV and the names of the files in results/rows; or MODEL@DATASET, as in
    googlenet@kermany_pneumonia/internal, with further words where that means several:
    "cnn 64px strong@...".
    """
    from benchmark.commands.show import show_row

    show_row(row, results, as_json=as_json)


@main.command()
@click.argument("first")
@click.argument("second")
@click.option("--finding", default="", help="Test this finding, too, of several.")
@options.as_json()
@options.results()
def compare(first: str, second: str, finding: str, results: Path, as_json: bool) -> None:
    """Compare two rows or configurations: how far apart they are, and whether that is chance.

    They must be measured under one protocol. Ids are given as to: show.
    """
    from benchmark.commands.compare import compare_rows

    compare_rows(first, second, finding, results, as_json=as_json)


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
@click.option("--parameters", type=click.IntRange(0, 10**15), help="How many it has.")
@click.option("--replace", is_flag=True, help="Replace an earlier entry of the same name and seed.")
@click.option(
    "--check", "only_check", is_flag=True, help="Say whether they would be taken; write nothing."
)
@click.option(
    "--template", default="", metavar="SET", help="Write the file to fill in for this set; no more."
)
@options.results()
@options.data_dir()
def score(
    predictions: tuple[Path, ...], dataset: str, template: str, data_dir: Path, **given: Any
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
        write_template(template, predictions[0] if predictions else None, data_dir)
    else:
        score_predictions(predictions, dataset, data_dir=data_dir, **given)


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
    have a table of their own. Refused where the network was trained on these very images, marked
    where it may know the patients.
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
@click.argument("dataset")
@click.option("--images/--no-images", default=True, help="Also look for copies in the pixels.")
@options.out("audit")
@options.data_dir()
@options.cache_dir()
def audit(dataset: str, **given: Any) -> None:
    """Say what is wrong with a prepared DATASET: leaks, duplicates, labels, metadata.

    Leakage status leak: the same patient, or the same image (cropped, scaled, compressed,
    brightened, mirrored or turned), in two splits. Suspected: an ambiguity that is known of the
    set. Exits with 1 on a leak only.
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


@main.command()
@click.option(
    "--suite",
    "names",
    type=options.SUITE,
    multiple=True,
    help="Be ready for this one; default: run --all.",
)
@click.option("--quick", is_flag=True, help="Without the accelerators and the self-test.")
@options.device()
@options.results()
@options.data_dir()
@options.cache_dir()
@options.models_dir()
def doctor(names: tuple[str | Path, ...], **given: Any) -> None:
    """Say whether this machine is ready: versions, folders, room, data, and a short training.

    Exits with 1 where there is a problem.
    """
    from benchmark.commands.doctor import check_machine

    raise SystemExit(check_machine(names, **given))


@main.group()
def cache() -> None:
    """Look after the cache of decoded images."""


@cache.command("ls")
@options.cache_dir()
def cache_ls(cache_dir: Path) -> None:
    """List what lies in the cache."""
    from benchmark.commands.cache import list_cache

    list_cache(cache_dir)


@cache.command("verify")
@options.cache_dir()
def cache_verify(cache_dir: Path) -> None:
    """Read everything and compare it with its hash. Exits with 1 where something is damaged."""
    from benchmark.commands.cache import verify_cache

    raise SystemExit(verify_cache(cache_dir))


@cache.command("prune")
@click.option("--dataset", help="Only of this data set, or of all configs of this builder.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed and stop.")
@options.cache_dir()
def cache_prune(cache_dir: Path, **given: Any) -> None:
    """Remove views from the cache; a run that needs one builds it again."""
    from benchmark.commands.cache import prune_cache

    prune_cache(cache_dir, **given)
