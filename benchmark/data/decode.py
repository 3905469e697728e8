"""Stored bytes -> one grey image at the wanted size.

Tensor contract: encoded bytes (JPEG or PNG, one or more channels, 8 or 16 bits) in; uint8
(S, S, 1) in [0, 255] out. Eight-bit values are used as they are. Sixteen-bit values are scaled
linearly from the image's own range (its minimum to 0, its maximum to 255; a constant image
becomes 0), because the stored bits of a radiograph rarely fill 16 bits. The size changes by area
averaging, without keeping the aspect ratio: the whole image is squashed into the square, as in the
published Keras work on these data sets, unless a preprocessing variant pads or crops it to a square
before. The range is taken and the size changed in float32; rounding to uint8 (half to even) comes
last. A change of the pixels raises ``DECODE_VERSION`` of :mod:`benchmark.data`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from benchmark.data.parallel import untuned
from benchmark.errors import UnknownName, UserError

Square = Callable[[np.ndarray], np.ndarray]
"""From an image (H, W) to a square one, (N, N), of the same type."""


def raw_examples(path: Path, split: str) -> tf.data.Dataset:
    """Examples of one split as stored, always in the same order, images still encoded.

    Args:
        path: TFDS version directory (the one with ``dataset_info.json``).
        split: name of a split.

    Returns:
        A dataset of feature dicts in which ``image`` (and ``mask``, where the set holds masks)
        is a scalar string of encoded bytes. Its order is the order of the manifest and of every
        view.

    Raises:
        UserError: the directory does not hold a prepared data set.
        UnknownName: there is no such split.
    """
    builder = _builder(path)
    if split not in builder.info.splits:
        raise UnknownName("split", split, builder.info.splits)
    in_order = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False, options=untuned())
    encoded = [name for name in ("image", "mask") if name in builder.info.features]
    with _readable(path):
        return builder.as_dataset(
            split,
            decoders=dict.fromkeys(encoded, tfds.decode.SkipDecoding()),
            read_config=in_order,
            shuffle_files=False,
        )


def stored_dtype(path: Path) -> tf.DType:
    """Pixel type (uint8 or uint16) that the data set under ``path`` declares for its images."""
    builder = _builder(path)
    with _readable(path):
        return tf.as_dtype(builder.info.features["image"].np_dtype)


def decode_image(encoded: tf.Tensor, size: int, dtype: tf.DType = tf.uint8) -> tf.Tensor:
    """Decode one image to uint8 (size, size, 1); see the top of the module for how.

    Args:
        encoded: scalar string, the bytes of a JPEG or PNG file; colour is reduced to luma.
        size: pixels per side.
        dtype: pixel type of the file, ``tf.uint8`` or ``tf.uint16``.
    """
    return decode_images(encoded, (size,), dtype)[0]


def decode_images(
    encoded: tf.Tensor,
    sizes: Sequence[int],
    dtype: tf.DType = tf.uint8,
    square: Square | None = None,
) -> tuple[tf.Tensor, ...]:
    """:func:`decode_image` at each of several sizes, uint8 (size, size, 1), decoded once.

    Args:
        square: makes an image square in place of the squash; see
            :mod:`benchmark.data.preprocessing`.
    """
    image = tf.io.decode_image(encoded, channels=1, dtype=dtype, expand_animations=False)
    image.set_shape((None, None, 1))
    pixels = _to_own_range(image) if dtype == tf.uint16 else image
    if square:  # after the range is taken: black is the darkest value of the image
        grey = tf.numpy_function(square, [pixels[..., 0]], pixels.dtype)
        grey.set_shape((None, None))
        pixels = grey[..., None]
    return tuple(_resized(pixels, size) for size in sizes)


def _resized(pixels: tf.Tensor, size: int) -> tf.Tensor:
    resized = tf.image.resize(pixels, (size, size), method="area")  # sums in float32
    return tf.cast(tf.clip_by_value(tf.round(resized), 0.0, 255.0), tf.uint8)


def decode_mask(encoded: tf.Tensor, size: int) -> tf.Tensor:
    """Decode one mask to uint8 (size, size, 1): 0 background, 127 ignore, 255 lung.

    A pixel is what at least half of its area in the stored mask is, lung before background.

    Args:
        encoded: scalar string, the bytes of a PNG file that holds these three values.
        size: pixels per side.
    """
    mask = tf.io.decode_image(encoded, channels=1, expand_animations=False)
    mask.set_shape((None, None, 1))
    shares = tf.cast(tf.concat([mask == 127, mask == 255], axis=-1), tf.float32)
    ignored, lung = tf.split(tf.image.resize(shares, (size, size), method="area") >= 0.5, 2, -1)
    values = tf.where(ignored, 127, tf.where(lung, 255, 0))
    return tf.cast(values, tf.uint8)


def _to_own_range(image: tf.Tensor) -> tf.Tensor:
    pixels = tf.cast(image, tf.float32)
    low, high = tf.reduce_min(pixels), tf.reduce_max(pixels)
    return tf.math.divide_no_nan(pixels - low, high - low) * 255.0


def _builder(path: Path) -> tfds.core.DatasetBuilder:
    with _readable(path):
        return tfds.builder_from_directory(str(path))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Tell people of a fault in TFDS's own files."""
    try:
        yield
    except Exception as error:  # TFDS, TensorFlow and protobuf have types of their own
        raise UserError(
            f"{path} does not hold a prepared data set: {error}. "
            "Prepare it again with `cxr-bench prepare`."
        ) from error
