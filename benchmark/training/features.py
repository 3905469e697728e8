"""Features of a frozen backbone, computed once for a view and kept on disk.

``<cache_dir>/features/<key>.npy``, float32 (N, D), one line an image, and beside it a ``.json``
that says what they were made of and holds the SHA-256 of the file. The key is a hash of the pixels
and the backbone's weights themselves and of whatever else the features depend on, so that specs
share them where they may and only there.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmark.data.heartbeat import Heartbeat
from benchmark.data.indexed_images import Images
from benchmark.data.pipeline import evaluation_batches
from benchmark.errors import UserError
from benchmark.hashing import canonical_json, sha256, sha256_of_file
from benchmark.records.files import readable_json, replacing, write_atomic

BATCH = 64
_LOG = logging.getLogger(__name__)


def open_features(
    backbone: keras.Model,
    images: Images,
    made_of: dict[str, Any],
    cache_dir: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    heartbeat: Heartbeat | None = None,
) -> np.ndarray:
    """Features float32 (N, D) of images, mapped from disk; computed where they are not there yet.

    Args:
        backbone: float32 (B, S, S, 1) in [0, 1] to (B, D); run in inference mode.
        images: uint8 (N, S, S).
        made_of: what the features depend on beside pixels and weights, as plain values.
        progress: called as ``progress(images done, images in all)`` while computing.
        heartbeat: beats with every batch that is read; None where nobody listens.

    Raises:
        UserError: the cache folder cannot be written or is full.
    """
    made_of = made_of | {
        "images_sha256": _digest(_in_parts(images)),
        "weights_sha256": _digest(map(keras.ops.convert_to_numpy, backbone.weights)),
        "keras": keras.__version__,
        "batch": BATCH,
        "shape": [len(images), backbone.output_shape[-1]],
    }
    path = Path(cache_dir) / "features" / f"{sha256(canonical_json(made_of))[:16]}.npy"
    problem = _problem(path, made_of)
    if problem and path.exists():
        _LOG.warning("features %s are damaged (%s): computing them again", path, problem)
    if problem:
        _write(path, made_of, _computed(backbone, images, progress, heartbeat))
    return np.load(path, mmap_mode="r")


def _in_parts(images: Images) -> Iterator[np.ndarray]:
    return (images[start : start + BATCH] for start in range(0, len(images), BATCH))


def _digest(arrays: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    return digest.hexdigest()


def _problem(path: Path, made_of: dict[str, Any]) -> str:
    """What is wrong with features on disk, empty if nothing."""
    try:
        described = json.loads(path.with_suffix(".json").read_bytes())
        if described["made_of"] != made_of:
            return "they are described as others"
        return "" if sha256_of_file(path) == described["sha256"] else "the file has changed"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{type(error).__name__}: {error}"


def _computed(
    backbone: keras.Model,
    images: Images,
    progress: Callable[[int, int], None],
    heartbeat: Heartbeat | None,
) -> Iterator[np.ndarray]:
    done, steps = 0, math.ceil(len(images) / BATCH)
    batches = evaluation_batches(images, BATCH, heartbeat).take(steps)
    for batch in batches.as_numpy_iterator():
        missing = BATCH - len(batch)
        # A smaller last batch would be compiled anew, which takes longer than computing it.
        filled = np.pad(batch, ((0, missing), (0, 0), (0, 0), (0, 0)))
        features = np.asarray(backbone.predict_on_batch(filled), np.float32)
        done += len(batch)
        progress(done, len(images))
        yield features[: len(batch)]


def _write(path: Path, made_of: dict[str, Any], batches: Iterable[np.ndarray]) -> None:
    """Write features one after another, under a temporary name until they are complete."""
    header = {"descr": "<f4", "fortran_order": False, "shape": tuple(made_of["shape"])}
    try:
        with replacing(path) as file:
            np.lib.format.write_array_header_1_0(file, header)
            for batch in batches:
                file.write(np.ascontiguousarray(batch).data)
            file.flush()
            described = {"made_of": made_of, "sha256": sha256_of_file(Path(file.name))}
        write_atomic(path.with_suffix(".json"), readable_json(described))
    except OSError as error:
        size = np.prod(made_of["shape"]) * 4 / 1e6
        raise UserError(
            f"cannot write the features {path} ({error.strerror}); they take {size:.0f} MB. Free "
            "some space or choose another cache with --cache-dir DIR."
        ) from error
