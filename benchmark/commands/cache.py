"""`cxr-bench cache`: what lies in the cache, whether it is sound, and how to be rid of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from benchmark.data.views import StoredView, list_views, prune_views, verify_view
from benchmark.errors import UnknownName

BESIDE_VIEWS = {
    "features": "features of frozen backbones",
    "copies": "copies looked for between data sets",
}
"""Folders of the cache with files that may be of several data sets, and what these are."""


def list_cache(cache_dir: Path) -> None:
    """Print every view with what it was made of, and how much room all take, and all else."""
    views = list_views(cache_dir)
    for view in views:
        click.echo(_line(view))
    click.echo(f"{_count(len(views))} in {cache_dir}, {_size(sum(v.bytes for v in views))}")
    for folder, what in BESIDE_VIEWS.items():
        click.echo(f"{what}, {_size(_bytes(_files(cache_dir, folder)))}")


def verify_cache(cache_dir: Path) -> int:
    """Read every view in full and compare it with its hash.

    Returns:
        The exit status: 1 where a view is damaged. A run builds such a view again.
    """
    views = list_views(cache_dir)
    damaged = 0
    for view in views:
        problem = verify_view(view.path)
        if problem:
            damaged += 1
            click.echo(f"{view.path.name}  damaged: {problem}")
    click.echo(f"{_count(len(views))} read, {damaged} damaged")
    return min(damaged, 1)


def prune_cache(cache_dir: Path, dataset: str | None, *, dry_run: bool) -> None:
    """Remove all that lies in the cache, or the views of one data set.

    Args:
        dataset: ``<builder>/<config>``, or a builder for all its configs; None for everything.
        dry_run: only say what would go.

    Raises:
        UnknownName: the cache holds no views of such a set.
    """
    views = list_views(cache_dir)
    gone = [view for view in views if dataset is None or _is_of(view, dataset)]
    if dataset is not None and not gone:
        there = {view.made_of.dataset for view in views if view.made_of}
        raise UnknownName(f"dataset in the cache {cache_dir}", dataset, there)
    keep = {view.path.name for view in views} - {view.path.name for view in gone}
    if not dry_run:
        gone = prune_views(cache_dir, keep)
    for view in gone:
        click.echo(_line(view))
    verb = "would be removed" if dry_run else "removed"
    for folder, what in BESIDE_VIEWS.items() if dataset is None else ():
        if files := _files(cache_dir, folder):
            click.echo(f"{what}, {_size(_bytes(files))} {verb}")
        for path in () if dry_run else files:
            path.unlink(missing_ok=True)
    click.echo(f"{_count(len(gone))} {verb}, {_size(sum(view.bytes for view in gone))}")


def _files(cache_dir: Path, folder: str) -> list[Path]:
    """Files of a folder; a run that has one open goes on reading it when it is removed."""
    return [path for path in (cache_dir / folder).glob("*") if path.is_file()]


def _bytes(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _is_of(view: StoredView, dataset: str) -> bool:
    name = view.made_of.dataset if view.made_of else ""
    return bool(name) and dataset in (name, name.partition("/")[0])


def _line(view: StoredView) -> str:
    made_of = view.made_of
    if made_of is None:
        return f"{view.path.name}  {_size(view.bytes):>9}  {view.problem}"
    what = f"{made_of.dataset} {made_of.dataset_version} {made_of.split}"
    how = f"{made_of.size} px, {made_of.contents}, {made_of.shape[0]:,} images"
    damage = f"  DAMAGED: {view.problem}" if view.problem else ""
    return f"{view.path.name}  {_size(view.bytes):>9}  {what}, {how}{damage}"


def _count(n: int) -> str:
    return f"{n} view{'s' if n != 1 else ''}"


def _size(n: float) -> str:
    for unit in ("bytes", "KB", "MB"):
        if n < 1000:
            return f"{n:.0f} {unit}" if unit == "bytes" else f"{n:.1f} {unit}"
        n /= 1000
    return f"{n:.1f} GB"
