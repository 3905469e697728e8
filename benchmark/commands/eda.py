"""`cxr-bench eda`: what is in a prepared set, as a page of figures and a CSV."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.commands.audit import prepared_or_made, show_progress
from benchmark.commands.terminal import say
from benchmark.machine.accelerators import hidden_gpus

if TYPE_CHECKING:
    from benchmark.data.prepared import Prepared
    from benchmark.report.blocks.content import Link

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
    from benchmark.data.audit.copies import find_copies
    from benchmark.data.audit.findings import examine
    from benchmark.data.audit.texture import SIZE
    from benchmark.data.views import open_view
    from benchmark.report.eda.analysis import Explored, write
    from benchmark.report.eda.file_shape import shape_alone

    prepared = prepared_or_made(name, data_dir, cache_dir)
    manifest = prepared.manifest()
    views = {}
    for split in dict.fromkeys(manifest["split"]):
        tell = lambda *n, split=split: show_progress(f"decoding {split}", *n)  # noqa: E731
        views[split] = open_view(prepared, split, SIZE, "raw", cache_dir, tell).images
    wanted = prepared.facts.redistributable if with_images is None else with_images
    found = examine(prepared, find_copies(prepared, cache_dir, show_progress))
    pictures = _samples(prepared) if wanted else {}
    folder = out / prepared.name.replace("/", "-")
    of = Explored(
        prepared.name, manifest, prepared.facts, views, pictures, shape_alone(prepared), found,
        alike=wanted,
    )  # fmt: skip
    say(f"Page: {write(folder, of, way_back(folder))}")
    if not prepared.facts.redistributable:
        say("This set may not be passed on: the page and its folder must stay local.")


def way_back(folder: Path) -> list[Link]:
    """A link to the site that ``cxr-bench report`` wrote, if the page lies in or beside it."""
    from benchmark.report.blocks.content import Link

    for site in (parent / name for parent in folder.parents[:3] for name in (".", "report")):
        index = site / "index.html"
        if index.is_file() and (site / "rows").is_dir():
            return [Link(Path(os.path.relpath(index, folder)).as_posix(), "cxr-bench")]
    return []


def _samples(prepared: Prepared) -> dict[str, np.ndarray]:
    """The images of the contact sheet."""
    from benchmark.report.eda.statistics import samples

    manifest = prepared.manifest()
    train = manifest[manifest["split"] == "train"]
    chosen = samples(train, prepared.facts.findings, SAMPLES)
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
