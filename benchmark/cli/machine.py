"""Commands about machines: what a run takes, whether they are ready, what lies on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from benchmark.cli.group import main
from benchmark.commands import options


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


@main.group()
def cache() -> None:
    """Look after the cache of decoded images and of what was computed from them."""


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
@click.option("--dataset", help="Only images of this data set, or of all configs of this builder.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed and stop.")
@options.cache_dir()
def cache_prune(cache_dir: Path, **given: Any) -> None:
    """Remove what lies in the cache; what needs it makes it again."""
    from benchmark.commands.cache import prune_cache

    prune_cache(cache_dir, **given)
