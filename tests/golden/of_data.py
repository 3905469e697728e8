"""Golden outputs of decoding, preprocessing and augmentation."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np

from tests.encoded import encoded
from tests.golden.inputs import chest, lungs

JPEG = Path(__file__).with_name("chest.jpg")
"""A file as it lies in a data set, committed: encoders differ, what is decoded must not."""
KEYS = ((3, 0, 0), (3, 1, 2), (4, 1, 2))
"""Seed, epoch and number of the batches that are augmented."""


def pixels(image: np.ndarray) -> dict:
    """A uint8 image whole, so that a difference can be counted."""
    return {"shape": list(image.shape), "pixels": base64.b64encode(image.tobytes()).decode()}


def decoding() -> list[str]:
    return [*DECODED]


def decoded(name: str) -> dict:
    return {f"to_{size}": pixels(DECODED[name](size).numpy()[..., 0]) for size in (16, 45)}


def _grey(size):
    from benchmark.data.decode import decode_image

    return decode_image(encoded(chest()[:, :33]), size)


def _colour(size):
    from benchmark.data.decode import decode_image

    image = chest()
    return decode_image(encoded(np.stack([image, image[::-1], image[:, ::-1]], axis=-1)), size)


def _sixteen_bits(size):
    import tensorflow as tf

    from benchmark.data.decode import decode_image

    return decode_image(encoded(chest().astype(np.uint16) * 13 + 700), size, tf.uint16)


def _jpeg(size):
    from benchmark.data.decode import decode_image

    return decode_image(JPEG.read_bytes(), size)


def _mask(size):
    from benchmark.data.decode import decode_mask

    mask = np.where(lungs(), 255, 0).astype(np.uint8)
    mask[30:, 10:17] = 127
    return decode_mask(encoded(mask), size)


DECODED = {
    "grey": _grey,
    "colour": _colour,
    "sixteen_bits": _sixteen_bits,
    "jpeg": _jpeg,
    "mask": _mask,
}


def preprocessing() -> list[str]:
    from benchmark.data.preprocessing import discover

    return [*discover()]


def preprocessed(name: str) -> dict:
    from benchmark.data.preprocessing import find

    variant = find(name)
    apply = variant.load()
    image = chest(32)[:, :21] if variant.before_resize else chest(32)
    return pixels(apply(image, lungs(32)) if variant.needs_lungs else apply(image))


def augmentation() -> list[str]:
    from benchmark.data.augmentation import AXIS

    return AXIS.names()


def augmented(name: str) -> dict:
    """Of randaugment more images, so that each of its operations is drawn."""
    import tensorflow as tf

    from benchmark.data.augment import augmenter, batch_key, mask_augmenter
    from benchmark.data.augmentation import AXIS

    n = 24 if name == "randaugment" else 4
    images = np.repeat(chest(24)[None, :, :, None] / np.float32(255), n, axis=0)
    images *= np.linspace(0.4, 1, n, dtype=np.float32)[:, None, None, None]
    apply = augmenter(name)
    keys = {f"{s}/{e}/{b}": batch_key(s, tf.constant(e), tf.constant(b)) for s, e, b in KEYS}
    values = {key: _shown(apply(tf.constant(images), keys[key]).numpy()) for key in keys}
    if AXIS.find(name).card["masks"]:
        masks = np.repeat(np.where(lungs(24), 1, 0).astype(np.float32)[None, :, :, None], n, axis=0)
        masks[:, :4] = -1
        key = keys["3/1/2"]
        x, y = mask_augmenter(name)(tf.constant(images), tf.constant(masks), key)
        values["with_mask"] = _shown(x.numpy())
        values["mask"] = [
            float((shown == value).mean()) for value in (-1, 0, 1) for shown in y.numpy()
        ]
    return values


def _shown(images: np.ndarray) -> list[float]:
    """Of each image its mean, and where its brightness lies: down, right, and across both."""
    y, x = np.mgrid[: images.shape[1], : images.shape[2]] / images.shape[1]
    weights = np.stack([np.ones_like(x), y, x, (x - 0.5) * (y - 0.5) * 4, (x - y) ** 2])
    moments = np.einsum("nyx,kyx->nk", images[..., 0], weights) / x.size
    spread = images.std(axis=(1, 2))
    return np.concatenate([moments, spread], axis=1).ravel().tolist()
