"""Views: one split of a data set, decoded once at one size and preprocessing, as uint8 on disk.

A view is a folder ``<cache_dir>/views/<key>`` with ``images.npy``, uint8 (N, S, S) in the order of
the split's manifest, and ``view.json``: what it was made of, its image ids' digest and the SHA-256
of ``images.npy``. The key is a hash of everything the pixels depend on, versions of the code among
it, so a view is built anew when its inputs change and shared by every spec that needs it. A process
reads a view in full and compares it with its hash before it uses it, once. How one is built:
:mod:`benchmark.data.view_building`.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.data import DECODE_VERSION
from benchmark.data import preprocessing as variants
from benchmark.data.view_building import BUILDING, Progress, build_views, decoded
from benchmark.data.view_facts import (
    IMAGES,
    Recipe,
    Value,
    problem,
    read_view_facts,
    visible_problem,
)
from benchmark.errors import UserError
from benchmark.hashing import sha256
from benchmark.records.door import RecordError

if TYPE_CHECKING:
    from benchmark.data.prepared import Prepared

ABANDONED_AFTER = 3600.0
"""Seconds without a write after which an incomplete view is taken for a dead process's."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class View:
    """An open view.

    Attributes:
        images: uint8 (N, S, S) in [0, 255], mapped from disk, read-only.
        path: the view's folder.
        image_ids: (N,) the image each row shows.
    """

    images: np.ndarray
    path: Path
    image_ids: np.ndarray


def open_view(
    prepared: Prepared,
    split: str,
    size: int,
    preprocessing: str,
    cache_dir: Path,
    progress: Progress | None = None,
    further_sizes: Iterable[int] = (),
) -> View:
    """Open the view of a split, building it first where it is missing or damaged.

    Args:
        prepared: the data set.
        split: one of its splits.
        size: pixels per side.
        preprocessing: name of a variant in :mod:`benchmark.data.preprocessing`.
        cache_dir: folder of all caches; the view is at ``<cache_dir>/views/<key>``.
        progress: called as ``progress(images done, images in all)`` while building.
        further_sizes: that will be asked for: where there is no such view, it is built in the same
            pass over the files.

    Raises:
        UnknownName: no such split or preprocessing.
        UserError: the cache folder cannot be written or is full, or the data set's images and its
            manifest do not agree.
    """
    variant = variants.find(preprocessing)

    def make(sizes: Sequence[int], ids: np.ndarray) -> Iterable[Sequence[np.ndarray]]:
        apply = variant.load()
        if variant.before_resize:
            yield from decoded(prepared, split, sizes, ids, progress=progress, square=apply)
            return
        for batch in decoded(prepared, split, sizes, ids, progress=progress):
            yield [np.stack([apply(image) for image in images]) for images in batch]

    made_of: dict[str, Value] = {
        "preprocessing": preprocessing,
        "preprocessing_version": variant.version,
    }
    return _open(prepared, split, (size, *further_sizes), made_of, make, cache_dir)


def open_masks(
    prepared: Prepared,
    split: str,
    size: int,
    cache_dir: Path,
) -> View:
    """Open the view of a split's masks: its images are 0 background, 127 ignore, 255 lung.

    Arguments and errors are those of :func:`open_view`.
    """

    def make(sizes: Sequence[int], ids: np.ndarray) -> Iterable[Sequence[np.ndarray]]:
        return decoded(prepared, split, sizes, ids, "mask")

    return _open(prepared, split, (size,), {"contents": "masks"}, make, cache_dir)


def open_derived(
    prepared: Prepared,
    split: str,
    size: int,
    made_of: Mapping[str, Value],
    make: Callable[[np.ndarray], Iterable[np.ndarray]],
    cache_dir: Path,
) -> View:
    """Open a view of something that is made from a split, making it first where need be.

    Args:
        made_of: what the pixels depend on beside data set, split and size, as plain values.
        make: from the image ids of the split, batches uint8 (b, size, size) of all of them.

    Raises:
        UserError: as :func:`open_view`; or the cache does not keep what is written to it.
    """

    def make_one(sizes: Sequence[int], ids: np.ndarray) -> Iterable[Sequence[np.ndarray]]:
        return ([batch] for batch in make(ids))

    return _open(prepared, split, (size,), made_of, make_one, cache_dir)


def _open(
    prepared: Prepared,
    split: str,
    sizes: Iterable[int],
    made_of: Mapping[str, Value],
    make: Callable[[Sequence[int], np.ndarray], Iterable[Sequence[np.ndarray]]],
    cache_dir: Path,
) -> View:
    """Open the view of the first size; where it has to be made, also make what others lack."""
    ids, views = _image_ids(prepared, split), Path(cache_dir) / "views"
    recipe, *others = (
        _recipe(prepared, split, size, ids, made_of) for size in dict.fromkeys(sizes)
    )
    folder = views / recipe.key
    wrong = problem(folder, recipe)
    if wrong and folder.exists():
        _LOG.warning("view %s is damaged (%s): building it again", folder, wrong)
    if wrong:
        due = [recipe, *(each for each in others if visible_problem(views / each.key, each))]
        batches = make([each.size for each in due], ids)
        build_views(due, batches, views, lambda found, each: not problem(found, each))
        if wrong := problem(folder, recipe):
            raise UserError(
                f"the view {folder} was damaged while it was written ({wrong}). Check the disk, or "
                "choose another cache with --cache-dir DIR."
            )
    return View(np.load(folder / IMAGES, mmap_mode="r"), folder, ids)


def _image_ids(prepared: Prepared, split: str) -> np.ndarray:
    manifest = prepared.manifest()
    return manifest.loc[manifest["split"] == split, "image_id"].to_numpy(dtype=str)


def _recipe(
    prepared: Prepared, split: str, size: int, ids: np.ndarray, further: Mapping[str, Value]
) -> Recipe:
    return Recipe(
        dataset=prepared.name,
        dataset_version=prepared.version,
        manifest_sha256=prepared.manifest_sha256,
        split=split,
        size=size,
        decode_version=DECODE_VERSION,
        image_ids_sha256=sha256("\n".join(ids).encode()),
        shape=(len(ids), size, size),
        further=dict(further),
    )


@dataclass(frozen=True)
class StoredView:
    """A view as it lies in the cache.

    Attributes:
        path: its folder; the name is the key.
        made_of: its recipe; None where unreadable.
        bytes: size on disk.
        problem: what is wrong with it, empty if nothing was noticed.
    """

    path: Path
    made_of: Recipe | None
    bytes: int
    problem: str


def list_views(cache_dir: Path) -> list[StoredView]:
    """Every complete view in the cache, checked without reading the pixels, ordered by key."""
    folders = (Path(cache_dir) / "views").glob("*")
    return [_stored(f) for f in sorted(folders) if f.is_dir() and not f.name.startswith(BUILDING)]


def verify_view(path: Path) -> str:
    """Check a view in full, its hash included; return what is wrong with it, empty if nothing."""
    return problem(path, read_again=True)


def prune_views(cache_dir: Path, keep: Iterable[str] = ()) -> list[StoredView]:
    """Remove every view whose key is not in ``keep``, and what dead processes left; return them.

    Processes that have a removed view open go on reading it.

    Raises:
        UserError: a view cannot be removed.
    """
    keep = set(keep)
    removed = [view for view in list_views(cache_dir) if view.path.name not in keep]
    now = time.time()
    for folder in (Path(cache_dir) / "views").glob(BUILDING + "*"):
        if now - _last_write(folder) > ABANDONED_AFTER:
            removed.append(StoredView(folder, None, _bytes(folder), "never completed"))
    for view in removed:
        _remove(view.path)
    return removed


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass  # another process was first
    except OSError as error:
        raise UserError(f"cannot remove the view {folder}: {error.strerror}") from error


def _stored(folder: Path) -> StoredView:
    try:
        made_of = read_view_facts(folder).made_of
    except RecordError:
        made_of = None
    return StoredView(folder, made_of, _bytes(folder), visible_problem(folder))


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _last_write(folder: Path) -> float:
    return max(path.stat().st_mtime for path in [folder, *folder.rglob("*")])
