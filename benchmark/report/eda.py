"""Exploratory analysis of a data set: a folder with a page, its figures and one CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.data.facts import SetFacts
from benchmark.report import eda_figures as figures
from benchmark.report import eda_page as html
from benchmark.report import eda_statistics as statistics
from benchmark.report.eda_style import save, styled
from benchmark.report.files import write_asked

PAGE, NUMBERS = "index.html", "statistics.csv"


def write(
    folder: Path,
    name: str,
    manifest: pd.DataFrame,
    facts: SetFacts,
    images: dict[str, np.ndarray],
    pictures: dict[str, np.ndarray],
) -> Path:
    """Write page, figures (PNG and SVG) and numbers; return the page.

    Args:
        folder: where to; made if missing.
        name: what the page is called.
        manifest: one line per image, see :mod:`benchmark.report.eda_statistics`.
        facts: what the builder says of the set.
        images: split -> uint8 (N, S, S), of which the grey levels are shown.
        pictures: row of the contact sheet -> uint8 (n, S, S); empty for none.
    """
    findings = facts.findings
    counts = statistics.counts(manifest, findings)
    seed = sum(map(ord, name))  # the same set, the same intervals
    effects = statistics.associations(manifest, findings, seed)
    with styled():
        body = [
            *_samples(folder, pictures),
            *_labels(folder, manifest, counts, findings),
            *_metadata(folder, manifest, effects, _shown(counts, findings)),
            *_pixels(folder, manifest, images),
        ]
    numbers = statistics.table([*counts, *effects]).to_csv(index=False, lineterminator="\n")
    write_asked(folder / NUMBERS, numbers.encode())
    write_asked(folder / PAGE, html.page(name, facts, manifest, body).encode())
    return folder / PAGE


def _shown(counts: list[statistics.Statistic], findings: list[str]) -> list[str]:
    """The findings that figures have room for, in their order."""
    positive = dict.fromkeys(findings, 0.0)
    for row in counts:
        if row.measure == "positive images":
            positive[row.finding] += row.value
    most = sorted(findings, key=lambda f: -positive[f])[: figures.MOST]
    return [f for f in findings if f in most]


def _samples(folder: Path, pictures: dict[str, np.ndarray]) -> Iterator[str]:
    if pictures:
        save(figures.samples(pictures), folder / "samples")
        yield html.section(
            "Samples",
            "The first training images with each finding, in stored order, which is a shuffled "
            "one. Not chosen by eye.",
            html.picture("samples", "Contact sheet, one row a finding."),
        )


def _labels(
    folder: Path, manifest: pd.DataFrame, counts: pd.DataFrame, findings: list[str]
) -> Iterator[str]:
    if not findings:
        return
    shown = _shown(counts, findings)
    said = "How often each finding is there, among the images on which it is labelled."
    save(figures.label_counts(counts, shown), folder / "labels")
    yield html.section(
        "Labels",
        said + _rest(shown, findings),
        html.picture("labels", "Positive images and prevalence of each finding, by split."),
        html.counts_table(counts, findings),
    )
    if len(findings) > 1:
        save(figures.together(manifest, shown), folder / "cooccurrence")
        yield html.section(
            "Findings that come together",
            "Of the images with the finding of a row, the share that has the finding of a column.",
            html.picture("cooccurrence", "Heat map of co-occurrence, all splits."),
        )


def _rest(shown: list[str], findings: list[str]) -> str:
    left = len(findings) - len(shown)
    return f" Figures show the {len(shown)} most frequent of {len(findings)}." if left else ""


def _metadata(
    folder: Path, manifest: pd.DataFrame, effects: pd.DataFrame, shown: list[str]
) -> Iterator[str]:
    title = "Age, sex and view"
    if not ((manifest["age"] >= 0) | (manifest["sex"] != "") | (manifest["view"] != "")).any():
        yield html.section(title, "This set does not tell age, sex or view of its images.")
        return
    save(figures.metadata(manifest), folder / "metadata")
    parts = [html.picture("metadata", "Age, sex and view of the images, by split.")]
    if effects:
        save(figures.effects(effects, shown), folder / "effects")
        parts += [
            html.picture("effects", "Effect sizes with 95 % intervals; dashed: no association."),
            html.effects_table(effects),
        ]
    yield html.section(
        title,
        "Metadata that go with a finding let a model guess without looking. Age: difference of "
        "means, positive minus negative, in standard deviations. Sex: odds of the finding in "
        "women over odds in men. View: Cramér's V, 0 to 1, which cannot be negative: an interval "
        "that begins close to 0 shows no association. Intervals: 95 %, from resampling patients; "
        "across many findings a few miss zero by chance.",
        *parts,
    )


def _pixels(folder: Path, manifest: pd.DataFrame, images: dict[str, np.ndarray]) -> Iterator[str]:
    if images:
        save(figures.grey_levels(images), folder / "grey_levels")
        yield html.section(
            "Grey levels",
            "Of the images at 64 px, as a model would get them. Splits that differ here differ in "
            "how the films were made.",
            html.picture("grey_levels", "Grey levels of all pixels and of single images."),
        )
    yield _sizes(folder, manifest)


def _sizes(folder: Path, manifest: pd.DataFrame) -> str:
    title = "Image sizes"
    different = manifest[["width", "height"]].drop_duplicates().to_numpy()
    if len(different) == 1:
        return html.section(title, "All images have {} x {} px.".format(*different[0]))
    save(figures.sizes(manifest), folder / "sizes")
    drawn = html.picture("sizes", "Width and height of the images; larger dots are more images.")
    return html.section(title, f"The images have {len(different):,} different sizes.", drawn)
