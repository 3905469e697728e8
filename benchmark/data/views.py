"""Views: one split of a data set, decoded once at one size and preprocessing, as uint8 on disk.

A view is a folder ``<cache_dir>/views/<key>`` with ``images.npy``, uint8 (N, S, S) in the order of
the split's manifest, and ``view.json``: what it was made of, its image ids' digest and the SHA-256
of ``images.npy``. The key is a hash of everything the pixels depend on, so a view is built anew
when its inputs change and shared by every cell that needs it. How one is built:
:mod:`benchmark.data.view_building`.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.data import preprocessing as variants
from benchmark.data.view_building import BUILDING, Progress, build_view, decoded
from benchmark.errors import UserError
from benchmark.records.files import canonical_json, sha256, sha256_of_file

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
) -> View:
    """Open the view of a split, building it first where it is missing or damaged.

    Args:
        prepared: the data set.
        split: one of its splits.
        size: pixels per side.
        preprocessing: name of a variant in :mod:`benchmark.data.preprocessing`.
        cache_dir: folder of all caches; the view is at ``<cache_dir>/views/<key>``.
        progress: called as ``progress(images done, images in all)`` while building.

    Raises:
        UnknownName: no such split or preprocessing.
        UserError: the cache folder cannot be written or is full, or the data set's images and its
            manifest do not agree.
    """
    variant = variants.find(preprocessing)

    def make(ids: np.ndarray) -> Iterable[np.ndarray]:
        apply = variant.load()
        for batch in decoded(prepared, split, size, ids, progress=progress):
            yield np.stack([apply(image) for image in batch])

    made_of = {"preprocessing": preprocessing, "preprocessing_sha256": variant.sha256}
    return open_derived(prepared, split, size, made_of, make, cache_dir)


def open_masks(
    prepared: Prepared,
    split: str,
    size: int,
    cache_dir: Path,
    progress: Progress | None = None,
) -> View:
    """Open the view of a split's masks: its images are 0 background, 127 ignore, 255 lung.

    Arguments and errors are those of :func:`open_view`.
    """

    def make(ids: np.ndarray) -> Iterable[np.ndarray]:
        return decoded(prepared, split, size, ids, "mask", progress)

    return open_derived(prepared, split, size, {"contents": "masks"}, make, cache_dir)


def open_derived(
    prepared: Prepared,
    split: str,
    size: int,
    made_of: dict[str, Any],
    make: Callable[[np.ndarray], Iterable[np.ndarray]],
    cache_dir: Path,
) -> View:
    """Open a view of something that is made from a split, making it first where need be.

    Args:
        made_of: what the pixels depend on beside data set, split and size, as plain values.
        make: from the image ids of the split, batches uint8 (b, size, size) of all of them.
    """
    ids = _image_ids(prepared, split)
    recipe = _recipe(prepared, split, size, ids) | made_of
    folder = Path(cache_dir) / "views" / _key(recipe)
    problem = _problem(folder, recipe)
    if problem and folder.exists():
        _LOG.warning("view %s is damaged (%s): building it again", folder, problem)
    if problem:
        build_view(recipe, make(ids), folder, lambda found: not _problem(found, recipe))
    return View(np.load(folder / "images.npy", mmap_mode="r"), folder, ids)


def _image_ids(prepared: Prepared, split: str) -> np.ndarray:
    manifest = prepared.manifest()
    return manifest.loc[manifest["split"] == split, "image_id"].to_numpy(dtype=str)


def _recipe(prepared: Prepared, split: str, size: int, ids: np.ndarray) -> dict[str, Any]:
    """What the pixels of any view depend on, and what a person wants to know about it."""
    from benchmark.data.decode import DECODE_VERSION  # imports TensorFlow

    return {
        "dataset": prepared.name,
        "dataset_version": prepared.version,
        "manifest_sha256": prepared.manifest_sha256,
        "split": split,
        "size": size,
        "decode_version": DECODE_VERSION,
        "image_ids_sha256": sha256("\n".join(ids).encode()),
        "shape": [len(ids), size, size],
    }


def _key(recipe: dict[str, Any]) -> str:
    return sha256(canonical_json(recipe))[:16]


def _problem(folder: Path, recipe: dict[str, Any] | None = None) -> str:
    """What is wrong with a view as far as is seen without reading its pixels; empty if nothing."""
    try:
        description = json.loads((folder / "view.json").read_bytes())
        made_of = description["made_of"]
        if (recipe is not None and made_of != recipe) or _key(made_of) != folder.name:
            return "view.json describes another view"
        images = np.load(folder / "images.npy", mmap_mode="r")
        if images.dtype != np.uint8 or list(images.shape) != made_of["shape"]:
            return f"images.npy holds {images.dtype} {images.shape}"
        if (folder / "images.npy").stat().st_size != description["bytes"]:
            return "images.npy has the wrong length"
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


@dataclass(frozen=True)
class StoredView:
    """A view as it lies in the cache.

    Attributes:
        path: its folder; the name is the key.
        made_of: its recipe: dataset, split, size, preprocessing...; empty where unreadable.
        bytes: size on disk.
        problem: what is wrong with it, empty if nothing was noticed.
    """

    path: Path
    made_of: dict[str, Any]
    bytes: int
    problem: str


def list_views(cache_dir: Path) -> list[StoredView]:
    """Every complete view in the cache, checked without reading the pixels, ordered by key."""
    folders = (Path(cache_dir) / "views").glob("*")
    return [_stored(f) for f in sorted(folders) if f.is_dir() and not f.name.startswith(BUILDING)]


def verify_view(path: Path) -> str:
    """Check a view in full, its hash included; return what is wrong with it, empty if nothing."""
    problem = _problem(path)
    if problem:
        return problem
    expected = json.loads((path / "view.json").read_bytes())["sha256"]
    return "" if sha256_of_file(path / "images.npy") == expected else "images.npy has changed"


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
            removed.append(StoredView(folder, {}, _bytes(folder), "never completed"))
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
        made_of = json.loads((folder / "view.json").read_bytes())["made_of"]
    except (OSError, ValueError, KeyError, TypeError):
        made_of = {}
    return StoredView(folder, made_of, _bytes(folder), _problem(folder))


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _last_write(folder: Path) -> float:
    return max(path.stat().st_mtime for path in [folder, *folder.rglob("*")])
