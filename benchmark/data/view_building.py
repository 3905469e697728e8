"""Building views: decode a split in parallel, preprocess, write, rename.

``images.npy`` is written sequentially, so that memory stays bounded and a full disk is an error
(writing through a memory map would kill the process). The folder has a temporary name until it is
complete. Of two processes that build the same view, the later one takes the earlier one's. Views of
several sizes are built in one pass over the files.
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
from typing import IO, TYPE_CHECKING

import numpy as np

from benchmark.data.view_facts import FACTS, IMAGES, Recipe, ViewFacts, header
from benchmark.errors import UserError
from benchmark.records.disk import check_room
from benchmark.records.door import write_record

if TYPE_CHECKING:
    from benchmark.data.prepared import Prepared

Progress = Callable[[int, int], None]

BUILDING = ".building-"
"""Prefix of the folders of views that are not complete."""

_BATCH = 32


def build_views(
    recipes: Sequence[Recipe],
    batches: Iterable[Sequence[np.ndarray]],
    cache: Path,
    is_sound: Callable[[Path, Recipe], bool],
) -> None:
    """Build the views that ``recipes`` describe and put each at ``<cache>/<its key>``.

    Args:
        recipes: what each view is made of, to be recorded; all of the same images.
        batches: all images in order, for each view uint8 (b, S, S).
        cache: folder of views; one that is there is kept where it is sound, else replaced.
        is_sound: tells whether a folder holds the view of a recipe, complete.

    Raises:
        UserError: there is no room for them, or the cache cannot be written to.
    """
    needed = sum(float(np.prod(recipe.shape)) for recipe in recipes)
    check_room(cache, needed, "decoded images", "--cache-dir")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            written = [stack.enter_context(_written(cache, recipe)) for recipe in recipes]
            for batch in batches:
                for view, images in zip(written, batch, strict=True):
                    view.add(images.data)
            for view in written:
                view.publish(is_sound)
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(f"cannot write the view cache {cache}: {error.strerror}") from error
    except OSError as error:
        keys = ", ".join(recipe.key for recipe in recipes)
        raise UserError(
            f"cannot write to the view cache {cache} ({error.strerror}); {keys} takes "
            f"{needed / 1e6:.0f} MB. Free some space or choose another cache."
        ) from error


@contextlib.contextmanager
def _written(cache: Path, recipe: Recipe) -> Iterator[_Written]:
    temporary = Path(tempfile.mkdtemp(dir=cache, prefix=BUILDING))
    try:
        with (temporary / IMAGES).open("wb") as file:
            yield _Written(recipe, cache / recipe.key, temporary, file)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


class _Written:
    """A view that is being written into a temporary folder."""

    def __init__(self, recipe: Recipe, folder: Path, temporary: Path, file: IO[bytes]):
        self._recipe, self._folder, self._temporary = recipe, folder, temporary
        self._file, self._digest = file, hashlib.sha256()
        self.add(header(recipe.shape))

    def add(self, data: bytes | memoryview) -> None:
        """Append to ``images.npy``."""
        self._digest.update(data)
        self._file.write(data)

    def publish(self, is_sound: Callable[[Path, Recipe], bool]) -> None:
        """Record what was written and put the folder where it belongs."""
        self._file.flush()
        os.fsync(self._file.fileno())
        length, digest = self._file.tell(), self._digest.hexdigest()
        facts = ViewFacts(made_of=self._recipe, bytes=length, sha256=digest)
        write_record(self._temporary / FACTS, facts)
        _publish(self._temporary, self._folder, lambda found: is_sound(found, self._recipe))


def decoded(
    prepared: Prepared,
    split: str,
    sizes: Sequence[int],
    ids: np.ndarray,
    contents: str = "image",
    progress: Progress | None = None,
    square: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Iterator[tuple[np.ndarray, ...]]:
    """Batches of decoded images in the stored order, whose they are checked.

    Yields:
        For each size uint8 (b, S, S).

    Args:
        sizes: pixels per side; one, of masks.
        ids: the image ids that the split's manifest lists, in its order.
        contents: ``"image"`` or ``"mask"``.
        progress: called as ``progress(images done, images in all)``.
        square: makes an image square before it is resized; None squashes it.
    """
    done = 0
    for names, batch in _decoded(prepared, split, sizes, contents, square):
        _check_ids(prepared, split, names, ids[done : done + len(names)])
        yield batch
        done += len(names)
        if progress:
            progress(done, len(ids))
    _check_ids(prepared, split, [], ids[done:])


def _decoded(
    prepared: Prepared,
    split: str,
    sizes: Sequence[int],
    contents: str,
    square: Callable[[np.ndarray], np.ndarray] | None,
) -> Iterator[tuple[list[str], tuple[np.ndarray, ...]]]:
    import tensorflow as tf

    from benchmark.data.decode import decode_images, decode_mask, raw_examples, stored_dtype
    from benchmark.data.parallel import parallel_map

    dtype = stored_dtype(prepared.path)

    def pixels(example: dict[str, tf.Tensor]) -> tuple[tf.Tensor, ...]:
        if contents == "mask":
            return tuple(decode_mask(example["mask"], size) for size in sizes)
        return decode_images(example["image"], sizes, dtype, square)

    def decode(example: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
        return example["image_id"], tuple(image[..., 0] for image in pixels(example))

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
