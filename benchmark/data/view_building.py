"""Building a view: decode a split in parallel, preprocess, write, rename.

``images.npy`` is written sequentially, so that memory stays bounded and a full disk is an error
(writing through a memory map would kill the process). The folder has a temporary name until it is
complete. Of two processes that build the same view, the later one takes the earlier one's.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.data.view_facts import FACTS, IMAGES, Recipe, ViewFacts, header
from benchmark.errors import UserError
from benchmark.records.door import write_record

if TYPE_CHECKING:
    from benchmark.data.prepared import Prepared

Progress = Callable[[int, int], None]

BUILDING = ".building-"
"""Prefix of the folders of views that are not complete."""

_BATCH = 32


def build_view(
    recipe: Recipe,
    batches: Iterable[np.ndarray],
    folder: Path,
    is_sound: Callable[[Path], bool],
) -> None:
    """Build the view that ``recipe`` describes and put it at ``folder``.

    Args:
        recipe: what the view is made of, to be recorded.
        batches: all its images in order, uint8 (b, S, S).
        folder: where the complete view goes; a view there is kept where it is sound, else replaced.
        is_sound: tells whether a folder holds this view, complete.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=BUILDING))
    except OSError as error:
        raise UserError(f"cannot write the view cache {folder.parent}: {error.strerror}") from error
    try:
        _write(temporary, recipe, batches)
        _publish(temporary, folder, is_sound)
    except OSError as error:
        raise UserError(
            f"cannot write the view {folder} ({error.strerror}); it takes "
            f"{np.prod(recipe.shape) / 1e6:.0f} MB. Free some space or choose another cache."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def decoded(
    prepared: Prepared,
    split: str,
    size: int,
    ids: np.ndarray,
    contents: str = "image",
    progress: Progress | None = None,
) -> Iterator[np.ndarray]:
    """Batches of decoded images, uint8 (b, S, S), in the stored order, whose they are checked.

    Args:
        ids: the image ids that the split's manifest lists, in its order.
        contents: ``"image"`` or ``"mask"``.
        progress: called as ``progress(images done, images in all)``.
    """
    done = 0
    for names, batch in _decoded(prepared, split, size, contents):
        _check_ids(prepared, split, names, ids[done : done + len(names)])
        yield batch
        done += len(names)
        if progress:
            progress(done, len(ids))
    _check_ids(prepared, split, [], ids[done:])


def _decoded(
    prepared: Prepared, split: str, size: int, contents: str
) -> Iterator[tuple[list[str], np.ndarray]]:
    import tensorflow as tf

    from benchmark.data.decode import decode_image, decode_mask, raw_examples, stored_dtype
    from benchmark.data.parallel import parallel_map

    dtype = stored_dtype(prepared.path)

    def decode(example: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        if contents == "mask":
            return example["image_id"], decode_mask(example["mask"], size)[..., 0]
        return example["image_id"], decode_image(example["image"], size, dtype)[..., 0]

    examples = raw_examples(prepared.path, split)
    images = parallel_map(examples, decode).batch(_BATCH).prefetch(1)
    try:
        for names, batch in images.as_numpy_iterator():
            yield [name.decode() for name in names], batch
    except tf.errors.OpError as error:
        raise UserError(
            f"cannot read the {split} images of {prepared.name} in {prepared.path}: "
            f"{error.message}. Prepare the data set again with `cxr-bench prepare`."
        ) from error


def _check_ids(prepared: Prepared, split: str, found: Sequence[str], listed: np.ndarray) -> None:
    for image, wanted in zip_longest(found, listed, fillvalue="nothing"):
        if image != wanted:
            raise UserError(
                f"the {split} images of {prepared.name} in {prepared.path} do not agree with the "
                f"manifest: found {image!s} where the manifest lists {wanted!s}. Prepare the data "
                "set again with `cxr-bench prepare`."
            )


def _write(folder: Path, recipe: Recipe, batches: Iterable[np.ndarray]) -> None:
    begins = header(recipe.shape)
    digest = hashlib.sha256(begins)
    with (folder / IMAGES).open("wb") as file:
        file.write(begins)
        for batch in batches:
            digest.update(batch.data)
            file.write(batch.data)
        file.flush()
        os.fsync(file.fileno())
        length = file.tell()
    facts = ViewFacts(made_of=recipe, bytes=length, sha256=digest.hexdigest())
    write_record(folder / FACTS, facts)


def _publish(temporary: Path, folder: Path, is_sound: Callable[[Path], bool]) -> None:
    temporary.chmod(0o755)  # mkdtemp makes private folders; a cache may be shared
    while not _renamed(temporary, folder):
        if is_sound(folder):
            return
        _remove(folder)


def _renamed(temporary: Path, folder: Path) -> bool:
    try:
        temporary.rename(folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            return False
        raise
    return True


def _remove(folder: Path) -> None:
    """Take a damaged view away in one step, then delete it: nobody sees half of it."""
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=BUILDING))
    with contextlib.suppress(FileNotFoundError):  # another process was first
        folder.rename(aside / folder.name)
    shutil.rmtree(aside, ignore_errors=True)
