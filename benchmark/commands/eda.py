"""`cxr-bench eda`: what is in a prepared set, as a page of figures and a CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from benchmark.commands.audit import prepared_or_made, show_progress
from benchmark.machine.accelerators import hidden_gpus

if TYPE_CHECKING:
    from benchmark.data.prepared import Prepared

SAMPLES, SAMPLE_SIZE = 6, 192


@hidden_gpus()
def explore_dataset(
    name: str, data_dir: Path, cache_dir: Path, out: Path, *, with_images: bool | None
) -> None:
    """Write the page and say where it is.

    Args:
        name: ``builder/config``.
        data_dir: TFDS data folder; an embedded set that is not there is made.
        cache_dir: folder of the views.
        out: the page goes to a folder in there, named after the set.
        with_images: whether samples are shown; None: where the set may be passed on.
    """
    from benchmark.data.audit.texture import SIZE
    from benchmark.data.views import open_view
    from benchmark.report.eda import write
    from benchmark.report.file_shape import shape_alone

    prepared = prepared_or_made(name, data_dir, cache_dir)
    manifest = prepared.manifest()
    views = {}
    for split in dict.fromkeys(manifest["split"]):
        tell = lambda *n, split=split: show_progress(f"decoding {split}", *n)  # noqa: E731
        views[split] = open_view(prepared, split, SIZE, "raw", cache_dir, tell).images
    wanted = prepared.facts.redistributable if with_images is None else with_images
    pictures = _samples(prepared) if wanted else {}
    folder = out / prepared.name.replace("/", "-")
    told = shape_alone(prepared)
    page = write(folder, prepared.name, manifest, prepared.facts, views, pictures, told)
    click.echo(f"Page: {page}")
    if not prepared.facts.redistributable:
        click.echo("This set may not be passed on: the page and its folder must stay local.")


def _samples(prepared: Prepared) -> dict[str, np.ndarray]:
    """The first training images with each finding, and without any."""
    manifest = prepared.manifest()
    train = manifest[manifest["split"] == "train"].reset_index(drop=True)
    findings = prepared.facts.findings
    positive = {f: (train[f"target:{f}"] * train[f"labelled:{f}"]).to_numpy(bool) for f in findings}
    clear = ~np.any(list(positive.values()), axis=0) if findings else np.ones(len(train), bool)
    without = f"no {findings[0]}" if len(findings) == 1 else "none of these"
    rows = {**positive, without if findings else "images": clear}
    chosen = {row: np.flatnonzero(here)[:SAMPLES].tolist() for row, here in rows.items()}
    images = _decode(prepared, {line for lines in chosen.values() for line in lines})
    return {row: np.stack([images[k] for k in lines]) for row, lines in chosen.items() if lines}


def _decode(prepared: Prepared, lines: set[int]) -> dict[int, np.ndarray]:
    """Some training images, uint8; reads no further than the last of them."""
    from benchmark.data.decode import decode_image, raw_examples, stored_dtype

    dtype = stored_dtype(prepared.path)
    examples = raw_examples(prepared.path, "train").take(max(lines, default=-1) + 1)
    return {
        line: decode_image(example["image"], SAMPLE_SIZE, dtype).numpy()[..., 0]
        for line, example in enumerate(examples)
        if line in lines
    }
