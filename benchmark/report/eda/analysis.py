"""Exploratory analysis of a data set: a folder with a page, its figures and one CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.data.facts import SetFacts
from benchmark.report.blocks.content import Link
from benchmark.report.blocks.tables import Beside, Block, Details, Paragraph
from benchmark.report.drawing.grounds import save_both
from benchmark.report.eda import audit, figures, figures_grey, figures_people, grey, statistics
from benchmark.report.eda import page as parts
from benchmark.report.eda.file_shape import ShapeAlone
from benchmark.report.files import write_asked
from benchmark.report.html import static_files
from benchmark.report.render import csv, html

PAGE, NUMBERS = "index.html", "statistics.csv"
MEANS = 6
"""Findings of which mean images are shown: the most frequent."""


@dataclass(frozen=True)
class Explored:
    """What the page of a data set shows.

    Attributes:
        name: what the page is called.
        manifest: one line per image, see :mod:`benchmark.report.eda.statistics`.
        facts: what the builder says of the set.
        images: split -> uint8 (N, S, S), one for each line of the split, in that order.
        pictures: row of the contact sheet -> uint8 (n, S, S); empty for none.
        shape: what the shape of the original files tells on its own.
        audit: what :func:`benchmark.data.audit.findings.examine` found; empty where it was not
            asked.
        alike: whether pairs of images that are alike are shown.
    """

    name: str
    manifest: pd.DataFrame
    facts: SetFacts
    images: dict[str, np.ndarray]
    pictures: dict[str, np.ndarray]
    shape: ShapeAlone
    audit: Mapping[str, Any] = field(default_factory=dict)
    alike: bool = False


def write(folder: Path, of: Explored, trail: Sequence[Link] = ()) -> Path:
    """Write page, figures and numbers; return the page.

    Args:
        folder: where to; made if missing.
        of: what is shown.
        trail: links to the pages above.
    """
    findings, manifest = of.facts.findings, of.manifest
    counts = statistics.counts(manifest, findings)
    seed = sum(map(ord, of.name))  # the same set, the same intervals
    effects = statistics.associations(manifest, findings, seed)
    lines = grey.with_levels(manifest, of.images)
    levels = grey.alone(lines, findings)
    told = statistics.by_shape(of.shape)
    shown = _shown(counts, findings)
    body = [
        *_samples(folder, of.pictures),
        *_audit(folder, of),
        *_pixels(folder, of, lines, levels, shown),
        *parts.shape_section(of.shape, told),
        *_people(folder, manifest),
        *_metadata(folder, manifest, effects, shown),
        *_labels(folder, manifest, counts, findings),
    ]
    rows = [*counts, *effects, *levels, *told]
    numbers = csv.frame_text(statistics.table(rows))
    verdict = [audit.verdict(of.audit)] if of.audit else []
    page = html.page(
        parts.page(of.name, of.facts, manifest, body, verdict=verdict, numbers=NUMBERS, trail=trail)
    )
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
            "The first training images with each finding, those with few others first, in stored "
            "order, which is a shuffled one. Not chosen by eye; none stands here twice.",
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
        always = " ".join(statistics.always_together(manifest, findings))
        yield from parts.section(
            "Findings that come together",
            "Of the images with the finding of a row, the share that has the finding of a column, "
            f"and below it how many these are. {always}".strip(),
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
            Details("Effect sizes as numbers", (parts.effects_table(effects),)),
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


def _audit(folder: Path, of: Explored) -> Iterator[Block]:
    if not of.audit:
        return
    yield from parts.section("Audit", "What stands twice, or where it should not.")
    yield from audit.section(of.audit)
    shown, names = audit.pairs(of.audit, of.manifest, of.images)
    if names is None:
        return
    if not of.alike:
        yield Paragraph("Images of this set are not shown; these are the pairs to look at:")
        yield names
        return
    save_both(lambda: figures_grey.alike(shown), folder / "alike")
    yield parts.picture("alike", "Pairs of images that are, or may be, one; numbers as below.")
    yield Details("Which images these are", (names,))


def _people(folder: Path, manifest: pd.DataFrame) -> Iterator[Block]:
    save_both(lambda: figures_people.images_a_patient(manifest), folder / "patients")
    blocks = [parts.picture("patients", "How many patients have how many images.", broad=False)]
    if ((manifest["age"] >= 0) & manifest["sex"].isin(["F", "M"])).any():
        save_both(lambda: figures_people.age_and_sex(manifest), folder / "age_and_sex")
        blocks.append(parts.picture("age_and_sex", "Images by age and sex.", broad=False))
    yield from parts.section(
        "Patients", "Images of one patient are alike, so that patients are what counts.",
        Beside(tuple(blocks)),
    )  # fmt: skip


def _pixels(
    folder: Path,
    of: Explored,
    lines: pd.DataFrame,
    levels: list[statistics.Statistic],
    shown: list[str],
) -> Iterator[Block]:
    if of.images:
        yield from _means(folder, of, shown)
        yield from _levels(folder, of, lines, [each for each in levels if each.finding in shown])
    yield from _sizes(folder, of.manifest)


def _means(folder: Path, of: Explored, shown: list[str]) -> Iterator[Block]:
    found = [grey.mean_images(of.manifest, of.images, finding) for finding in shown[:MEANS]]
    means = [each for each in found if each is not None]
    if means:
        save_both(lambda: figures_grey.mean_images(means), folder / "mean_images")
        yield from parts.section(
            "Mean images",
            "The mean of all images with a finding and of those without, all splits together, and "
            "where they differ. What differs outside of the lungs a model may use, too.",
            parts.picture("mean_images", "Mean images with each finding, without, and difference."),
        )


def _levels(
    folder: Path, of: Explored, lines: pd.DataFrame, levels: list[statistics.Statistic]
) -> Iterator[Block]:
    save_both(lambda: figures.grey_levels(of.images), folder / "grey_levels")
    blocks: list[Block] = [
        parts.picture("grey_levels", "Grey levels of all pixels and of single images, by split.")
    ]
    means = [each for each in levels if each.of.startswith("mean")]
    if means:
        save_both(lambda: figures_grey.by_class(lines, means), folder / "grey_by_class")
        blocks += [
            parts.picture(
                "grey_by_class",
                "Mean grey level of images with a finding and without.",
                broad=len(means) > 2,
            ),
            Details(
                "AUC of the mean grey level, and of its spread", (parts.effects_table(levels),)
            ),
        ]
    several = [c for c in figures_grey.GROUPS if lines[c].replace("", None).nunique() > 1]
    if several:
        save_both(lambda: figures_grey.by_group(lines, several), folder / "grey_by_group")
        blocks.append(
            parts.picture("grey_by_group", "Mean grey level by view and source.", broad=False)
        )
    yield from parts.section(
        "Grey levels",
        "Of the images at 64 px, as a model would get them. Splits that differ here differ in "
        "how the films were made. AUC: that of this one number alone, over all splits (below 0.5: "
        "lower with the finding); what is clearly not 0.5 can be guessed without looking.",
        *blocks,
    )


def _sizes(folder: Path, manifest: pd.DataFrame) -> list[Block]:
    title = "Image sizes"
    different = manifest[["width", "height"]].drop_duplicates().to_numpy()
    if len(different) == 1:
        return parts.section(title, "All images have {} x {} px.".format(*different[0]))
    save_both(lambda: figures.sizes(manifest), folder / "sizes")
    drawn = parts.picture("sizes", "Width and height of the images; larger dots are more images.")
    return parts.section(title, f"The images have {len(different):,} different sizes.", drawn)
