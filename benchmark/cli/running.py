"""The command that trains and scores."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from benchmark.bounds import LARGEST_COUNT
from benchmark.cli.group import main
from benchmark.commands import options


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
    type=click.IntRange(8, LARGEST_COUNT),
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
    spec failed, and where nothing that was named has its data here.

    \b
    A matrix of your own, without a file:
      cxr-bench run --models cnn,densenet121 --sizes 64,224 --dataset kermany_pneumonia/internal
    """
    from benchmark.commands.run import Terms, run_suites
    from benchmark.commands.wish import Matrix, read_wish
    from benchmark.scheduling.slots import Folders

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
    folders = Folders(**{folder.name: given.pop(folder.name) for folder in fields(Folders)})
    raise SystemExit(run_suites(wish, Terms(**given), folders))
