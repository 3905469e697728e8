"""Exploratory analysis of a data set: a folder with a page, its figures and one CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.data.facts import SetFacts
from benchmark.report import eda_figures as figures
from benchmark.report import eda_page as parts
from benchmark.report import eda_statistics as statistics
from benchmark.report.figure_style import save_both
from benchmark.report.file_shape import ShapeAlone
from benchmark.report.files import write_asked
from benchmark.report.html import static_files
from benchmark.report.render import html
from benchmark.report.tables import Block

PAGE, NUMBERS = "index.html", "statistics.csv"


def write(
    folder: Path,
    name: str,
    manifest: pd.DataFrame,
    facts: SetFacts,
    images: dict[str, np.ndarray],
    pictures: dict[str, np.ndarray],
    shape: ShapeAlone,
) -> Path:
    """Write page, figures and numbers; return the page.

    Args:
        folder: where to; made if missing.
        name: what the page is called.
        manifest: one line per image, see :mod:`benchmark.report.eda_statistics`.
        facts: what the builder says of the set.
        images: split -> uint8 (N, S, S), of which the grey levels are shown.
        pictures: row of the contact sheet -> uint8 (n, S, S); empty for none.
        shape: what the shape of the original files tells on its own.
    """
    findings = facts.findings
    counts = statistics.counts(manifest, findings)
    seed = sum(map(ord, name))  # the same set, the same intervals
    effects = statistics.associations(manifest, findings, seed)
    told = statistics.by_shape(shape)
    body = [
        *_samples(folder, pictures),
        *_labels(folder, manifest, counts, findings),
        *_metadata(folder, manifest, effects, _shown(counts, findings)),
        *_pixels(folder, manifest, images),
        *parts.shape_section(shape, told),
    ]
    numbers = statistics.table([*counts, *effects, *told]).to_csv(index=False, lineterminator="\n")
    page = html.page(parts.page(name, facts, manifest, body))
    files = static_files() | {NUMBERS: numbers.encode(), PAGE: page.encode()}
    for file, content in files.items():
        write_asked(folder / file, content)
    return folder / PAGE


def _shown(counts: list[statistics.Statistic], findings: list[str]) -> list[str]:
    """The findings that figures have room for, in their order."""
    positive = dict.fromkeys(findings, 0.0)
    for row in counts:
        if row.measure == "positive images":
            positive[row.finding] += row.value
    most = sorted(findings, key=lambda f: -positive[f])[: figures.MOST]
    return [f for f in findings if f in most]


def _samples(folder: Path, pictures: dict[str, np.ndarray]) -> Iterator[Block]:
    if pictures:
        save_both(lambda: figures.samples(pictures), folder / "samples")
        yield from parts.section(
            "Samples",
            "The first training images with each finding, in stored order, which is a shuffled "
            "one. Not chosen by eye.",
            parts.picture("samples", "Contact sheet, one row a finding."),
        )


def _labels(
    folder: Path, manifest: pd.DataFrame, counts: pd.DataFrame, findings: list[str]
) -> Iterator[Block]:
    if not findings:
        return
    shown = _shown(counts, findings)
    said = "How often each finding is there, among the images on which it is labelled."
    save_both(lambda: figures.label_counts(counts, shown), folder / "labels")
    yield from parts.section(
        "Labels",
        said + _rest(shown, findings),
        parts.picture("labels", "Positive images and prevalence of each finding, by split."),
        parts.counts_table(counts, findings),
    )
    if len(findings) > 1:
        save_both(lambda: figures.together(manifest, shown), folder / "cooccurrence")
        yield from parts.section(
            "Findings that come together",
            "Of the images with the finding of a row, the share that has the finding of a column.",
            parts.picture("cooccurrence", "Heat map of co-occurrence, all splits."),
        )


def _rest(shown: list[str], findings: list[str]) -> str:
    left = len(findings) - len(shown)
    return f" Figures show the {len(shown)} most frequent of {len(findings)}." if left else ""


def _metadata(
    folder: Path, manifest: pd.DataFrame, effects: pd.DataFrame, shown: list[str]
) -> Iterator[Block]:
    title = "Age, sex and view"
    if not ((manifest["age"] >= 0) | (manifest["sex"] != "") | (manifest["view"] != "")).any():
        yield from parts.section(title, "This set does not tell age, sex or view of its images.")
        return
    save_both(lambda: figures.metadata(manifest), folder / "metadata")
    blocks: list[Block] = [parts.picture("metadata", "Age, sex and view of the images, by split.")]
    if effects:
        save_both(lambda: figures.effects(effects, shown), folder / "effects")
        blocks += [
            parts.picture("effects", "Effect sizes with 95 % intervals; dashed: no association."),
            parts.effects_table(effects),
        ]
    yield from parts.section(
        title,
        "Metadata that go with a finding let a model guess without looking. Age: difference of "
        "means, positive minus negative, in standard deviations. Sex: odds of the finding in "
        "women over odds in men. View: Cramér's V, 0 to 1, which cannot be negative: an interval "
        "that begins close to 0 shows no association. Intervals: 95 %, from resampling patients; "
        "across many findings a few miss zero by chance.",
        *blocks,
    )


def _pixels(folder: Path, manifest: pd.DataFrame, images: dict[str, np.ndarray]) -> Iterator[Block]:
    if images:
        save_both(lambda: figures.grey_levels(images), folder / "grey_levels")
        yield from parts.section(
            "Grey levels",
            "Of the images at 64 px, as a model would get them. Splits that differ here differ in "
            "how the films were made.",
            parts.picture("grey_levels", "Grey levels of all pixels and of single images."),
        )
    yield from _sizes(folder, manifest)


def _sizes(folder: Path, manifest: pd.DataFrame) -> list[Block]:
    title = "Image sizes"
    different = manifest[["width", "height"]].drop_duplicates().to_numpy()
    if len(different) == 1:
        return parts.section(title, "All images have {} x {} px.".format(*different[0]))
    save_both(lambda: figures.sizes(manifest), folder / "sizes")
    drawn = parts.picture("sizes", "Width and height of the images; larger dots are more images.")
    return parts.section(title, f"The images have {len(different):,} different sizes.", drawn)
