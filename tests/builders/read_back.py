"""What a prepared builder holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import tensorflow_datasets as tfds

from tfds_builders.splits import SPLITS


def decoded(builder, split: str) -> Iterable[dict]:
    """Every example, its image decoded."""
    return tfds.as_numpy(builder.as_dataset(split=split))


def read_back(builder, read: Callable[..., Iterable[dict]] = decoded) -> dict[str, dict]:
    """image_id -> example with its split, read by ``read(builder, split)``."""
    return {
        one["image_id"].decode(): {**one, "split": split}
        for split in SPLITS
        for one in read(builder, split)
    }
