"""`cxr-bench augment`: what an augmentation policy makes of images of a set, as a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from benchmark.commands.audit import prepared_or_made
from benchmark.errors import UserError
from benchmark.machine.accelerators import hidden_gpus

if TYPE_CHECKING:
    from benchmark.data.prepared import Prepared

EPOCHS = 6
"""Draws shown of each image: what training sees of it in its first epochs."""
SEED = 0


@hidden_gpus()
def draw_policy(
    name: str, policy: str, size: int, n: int, data_dir: Path, cache_dir: Path, out: Path | None
) -> None:
    """Write a sheet of training images, each beside what the policy makes of it.

    Args:
        name: ``builder/config``.
        policy: name of an augmentation policy.
        size: pixels per side.
        n: images shown; all, where the set has fewer to train on.
        data_dir: TFDS data folder; an embedded set that is not there is made.
        cache_dir: folder of the views, for making that.
        out: the PNG file; None: named after set and policy, in ``results/local/augment``.

    Raises:
        UnknownName: there is no such policy or set.
        UserError: ``out`` is no PNG file or cannot be written, or the set is not prepared.
    """
    from benchmark.data.augmentation import AXIS
    from benchmark.report.drawing.augmented import draw_sheet
    from benchmark.report.drawing.style import save, styled

    card = AXIS.find(policy).card
    if out and out.suffix != ".png":
        raise UserError(f"--out {out}: the sheet is a PNG file, its name must end in .png.")
    prepared = prepared_or_made(name, data_dir, cache_dir)
    images, titles = _first_images(prepared, size, n)
    path = out or Path("results/local/augment") / f"{prepared.name.replace('/', '-')}-{policy}.png"
    heading = f"{prepared.name} at {size} px, augmentation {policy}: {card['description']}"
    with styled():
        sheet = draw_sheet(titles, images, _draws(policy, images), heading)
        save(sheet, path, forms=["png"])
    click.echo(f"Figure: {path}")
    if not prepared.facts.redistributable:
        click.echo("This set may not be passed on: the figure must stay local.")


def _first_images(prepared: Prepared, size: int, n: int) -> tuple[np.ndarray, list[str]]:
    """The first training images, uint8 (n, S, S), and their names; no further ones are read."""
    from benchmark.data.decode import decode_image, raw_examples, stored_dtype

    dtype = stored_dtype(prepared.path)
    examples = list(raw_examples(prepared.path, "train").take(n))
    images = [decode_image(example["image"], size, dtype).numpy()[..., 0] for example in examples]
    return np.stack(images), [Path(e["image_id"].numpy().decode()).stem for e in examples]


def _draws(policy: str, images: np.ndarray) -> np.ndarray:
    """What the policy makes of the images in each epoch, float32 (n, EPOCHS, S, S) in [0, 1]."""
    import tensorflow as tf

    from benchmark.data.augment import augmenter, batch_key

    batch, apply = tf.constant(images[..., None] / np.float32(255)), augmenter(policy)
    draws = [apply(batch, batch_key(SEED, epoch, 0)).numpy()[..., 0] for epoch in range(EPOCHS)]
    return np.stack(draws, axis=1)
