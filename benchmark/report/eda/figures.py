"""The figures of the exploratory analysis; each function draws one."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from benchmark.records.predictions import SPLITS
from benchmark.report.drawing.grounds import PALE, ink
from benchmark.report.drawing.style import SCALE, SPLIT_COLOURS, figure, label
from benchmark.report.eda.statistics import (
    Statistic,
    cooccurrence,
    counted_together,
    grey_statistics,
    values_of,
)

MOST = 30
"""Findings shown in a figure: the most frequent; the CSV has all."""


def label_counts(rows: list[Statistic], findings: list[str]) -> Figure:
    """Positive images and prevalence of each finding, by split."""
    drawn = figure(9, 1.3 + 0.42 * len(findings))
    axes = drawn.subplots(1, 2, sharey=True)
    values = values_of(rows)
    for axis, measure in zip(axes, ("positive images", "prevalence"), strict=True):
        for k, split in enumerate(SPLITS):
            wide = [values[f, split, measure] for f in findings]
            places = np.arange(len(findings)) + (k - 1) * 0.27
            axis.barh(places, wide, 0.25, color=SPLIT_COLOURS[split], label=split)
        axis.set_xlabel(measure)
        axis.grid(axis="x")
    axes[0].set_yticks(range(len(findings)), [label(f) for f in findings])
    axes[0].invert_yaxis()
    axes[0].xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes[1].xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.3g}"))
    drawn.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return drawn


def together(manifest: pd.DataFrame, findings: list[str]) -> Figure:
    """Heat map: of the images with the row's finding, share and number with the column's."""
    share, both = cooccurrence(manifest, findings), counted_together(manifest, findings)
    np.fill_diagonal(share, np.nan)
    side = 2.6 + 0.46 * len(findings)
    drawn = figure(side + 1.6, side)
    axis = drawn.subplots()
    top = np.nanmax(share) if np.isfinite(share).any() else 0
    shown = axis.imshow(share, cmap=SCALE, vmin=0, vmax=max(top, 0.01))
    for (row, column), value in np.ndenumerate(share):
        if np.isfinite(value):
            colour = PALE if value < 0.6 * top else "black"
            text = "<1" if 0 < value < 0.005 else f"{100 * value:.0f}"
            said = f"{text}\n{both[row, column]:,}"
            axis.text(column, row, said, ha="center", va="center", color=colour, size=6)
    names = [label(f) for f in findings]
    counts = [f"{name} (n = {both[k, k]:,})" for k, name in enumerate(names)]
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(names)), counts)
    axis.set(xlabel="also have (%)", ylabel="images with")
    percent = FuncFormatter(lambda share, _: f"{100 * share:.0f}")
    drawn.colorbar(shown, ax=axis, shrink=0.7, label="% of the row's images", format=percent)
    return drawn


def effects(rows: list[Statistic], findings: list[str]) -> Figure:
    """Effect sizes of age, sex and view with their intervals, one panel a measure."""
    measures = list(dict.fromkeys((r.of, r.measure) for r in rows))
    drawn = figure(2.2 + 2.9 * len(measures), 1.3 + 0.3 * len(findings))
    axes = drawn.subplots(1, len(measures), sharey=True, squeeze=False)[0]
    for axis, (of, measure) in zip(axes, measures, strict=True):
        found = {r.finding: r for r in rows if r.measure == measure and np.isfinite(r.value)}
        _effects(axis, found, findings, ratio=measure == "odds ratio")
        axis.set(xlabel=measure, title=of)
    axes[0].set_yticks(range(len(findings)), [label(f) for f in findings])
    axes[0].set_ylim(len(findings) - 0.5, -0.5)
    return drawn


def _effects(axis: Axes, found: dict[str, Statistic], findings: list[str], *, ratio: bool) -> None:
    axis.axvline(1 if ratio else 0, color=ink(), linewidth=0.8, linestyle="--")
    for place, finding in enumerate(findings):
        row = found.get(finding)
        if row is None:
            axis.annotate("too few", (0.5, place), xycoords=("axes fraction", "data"), size=7,
                          color="#666666", ha="center", va="center")  # fmt: skip
            continue
        if np.isfinite(row.low):
            axis.plot([row.low, row.high], [place] * 2, color=SPLIT_COLOURS["train"], linewidth=2)
        axis.plot(row.value, place, "o", color=ink(), markersize=4)
    if ratio:
        _ratio_axis(axis)
    axis.grid(axis="x")


def _ratio_axis(axis: Axes) -> None:
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    low, high = min(low, 0.45), max(high, 2.2)
    axis.set_xlim(low, high)
    ticks = [t for t in (0.01, 0.03, 0.1, 0.25, 0.5, 1, 2, 4, 10, 30, 100) if low <= t <= high]
    axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())


def metadata(manifest: pd.DataFrame) -> Figure:
    """Age, sex and view in each split."""
    drawn = figure(9, 3)
    axes = drawn.subplots(1, 3, width_ratios=[2, 1, 1.3])
    _ages(axes[0], manifest)
    for axis, column in zip(axes[1:], ("sex", "view"), strict=True):
        _shares(axis, manifest, column)
    drawn.legend(*axes[1].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return drawn


def _ages(axis: Axes, manifest: pd.DataFrame) -> None:
    axis.set(title="age", xlabel="years", ylabel="share of the split")
    aged = manifest[manifest["age"] >= 0]
    if aged.empty:
        axis.text(0.5, 0.5, "not known", ha="center", va="center", transform=axis.transAxes)
        axis.set(xticks=[], yticks=[])
        return
    oldest = min(int(aged["age"].max()), 120)
    edges = np.arange(0, oldest + 6, 5 if oldest > 30 else 1)
    for split in SPLITS:
        ages = aged.loc[aged["split"] == split, "age"].clip(upper=oldest)
        share = np.histogram(ages, edges)[0] / max(len(ages), 1)
        axis.stairs(share, edges, color=SPLIT_COLOURS[split], linewidth=1.6)
    axis.grid(axis="y")


def _shares(axis: Axes, manifest: pd.DataFrame, column: str) -> None:
    words = [word for word in manifest[column].value_counts().index if word][:6]
    words += [""] if (manifest[column] == "").any() else []
    for k, split in enumerate(SPLITS):
        here = manifest.loc[manifest["split"] == split, column]
        share = [(here == word).mean() if len(here) else 0 for word in words]
        places = np.arange(len(words)) + (k - 1) * 0.27
        name = f"{split}, n = {len(here):,}"
        axis.bar(places, share, 0.25, color=SPLIT_COLOURS[split], label=name)
    names = [label(word) or "not known" for word in words]
    axis.set_xticks(range(len(words)), names)
    if len(words) > 3:
        axis.tick_params(axis="x", labelrotation=30)
    axis.set(title=column, ylim=(0, 1))
    axis.grid(axis="y")


def grey_levels(images: dict[str, np.ndarray]) -> Figure:
    """How often each grey level occurs, and how bright and rich in contrast single images are."""
    drawn = figure(9, 3)
    axes = drawn.subplots(1, 3)
    titles = ("all pixels", "mean of an image", "standard deviation of an image")
    for split, pixels in images.items():
        colour = SPLIT_COLOURS[split]
        level, *of_images = grey_statistics(pixels)
        # Area means of whole numbers round to even levels more often: four at once hide the comb.
        level = level.reshape(-1, 4).mean(1)
        name = f"{split}, n = {len(pixels):,}"
        axes[0].stairs(level, np.arange(0, 257, 4), color=colour, label=name)
        for axis, values in zip(axes[1:], of_images, strict=True):
            share, edges = np.histogram(values, 32, (0, 256 if axis is axes[1] else 128))
            axis.stairs(share / max(len(values), 1), edges, color=colour)
    for axis, title in zip(axes, titles, strict=True):
        axis.set(title=title, xlabel="grey level")
        axis.grid(axis="y")
    axes[0].set_ylabel("share")
    # Black borders and white markers would press all that matters to the ground.
    middle = max(patch.get_data().values[1:-1].max() for patch in axes[0].patches)
    axes[0].set_ylim(0, 1.3 * max(middle, 1e-6))
    drawn.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return drawn


def sizes(manifest: pd.DataFrame) -> Figure:
    """Width against height of the stored images, area of a dot by its share of the split."""
    drawn = figure(5, 4)
    axis = drawn.subplots()
    axis.axline((0, 0), slope=1, color=mpl.rcParams["grid.color"], zorder=0)
    for split in SPLITS:
        number = manifest[manifest["split"] == split].groupby(["width", "height"]).size()
        if number.empty:
            continue
        width, height = number.index.to_frame().to_numpy().T
        area = 10 + 300 * number.to_numpy() / number.sum()
        colour = SPLIT_COLOURS[split]
        axis.scatter(width, height, s=area, color=colour, alpha=0.4, linewidths=0, label=split)
    axis.set(xlabel="width (px)", ylabel="height (px)")
    axis.set_xlim(0, 1.08 * manifest["width"].max())
    axis.set_ylim(0, 1.08 * manifest["height"].max())
    drawn.legend(loc="outside upper center", ncols=3)
    return drawn


def samples(pictures: dict[str, np.ndarray]) -> Figure:
    """Contact sheet: name -> images uint8 (n, S, S), one row a name."""
    most = max(len(images) for images in pictures.values())
    drawn = figure(2.2 + 1.25 * most, 0.2 + 1.28 * len(pictures))
    axes = drawn.subplots(len(pictures), most, squeeze=False)
    for row, (name, images) in zip(axes, pictures.items(), strict=True):
        for axis in row:
            axis.set_axis_off()
        for axis, image in zip(row, images, strict=False):
            axis.imshow(image, cmap="gray", vmin=0, vmax=255)
        row[0].text(-0.08, 0.5, label(name), transform=row[0].transAxes, ha="right", va="center")
    return drawn
