"""Figures of what can be seen without a model: mean images, grey levels, images that are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.report.blocks.text import count
from benchmark.report.drawing.grounds import finding_panels, series
from benchmark.report.drawing.style import figure, label
from benchmark.report.eda.grey import MeanImages
from benchmark.report.eda.statistics import Statistic, known

GROUPS = {"view": "view", "label_source": "source of the labels"}
"""Columns of a manifest by which grey levels are shown, and what they are called."""
_BINS = np.arange(0, 257, 8)


@dataclass(frozen=True)
class Alike:
    """Two images that are, or may be, one.

    Attributes:
        first, second: uint8 (S, S).
        title: what they are, in a line or two.
    """

    first: np.ndarray
    second: np.ndarray
    title: str


def mean_images(found: Sequence[MeanImages]) -> Figure:
    """A row a finding: the mean image with it, without it, and their difference."""
    drawn = figure(6.9, 0.3 + 2.05 * len(found))
    axes = drawn.subplots(len(found), 3, squeeze=False)
    most = max(np.abs(each.positive - each.negative).max() for each in found) or 1.0
    for row, each in zip(axes, found, strict=True):
        for axis in row:
            axis.set_axis_off()
        row[0].imshow(each.positive, cmap="gray", vmin=0, vmax=255)
        row[1].imshow(each.negative, cmap="gray", vmin=0, vmax=255)
        shown = row[2].imshow(each.positive - each.negative, cmap="RdBu_r", vmin=-most, vmax=most)
        row[0].set_title(f"{label(each.finding)}\nn = {count(each.n_positive)}")
        row[1].set_title(f"without\nn = {count(each.n_negative)}")
        row[2].set_title("with − without\n(grey levels)")
    drawn.colorbar(shown, ax=axes[:, 2].tolist(), shrink=0.8)
    return drawn


def by_class(lines: pd.DataFrame, told: Sequence[Statistic]) -> Figure:
    """Mean grey level of the images with a finding and without; ``told``: its AUC alone."""
    drawn, axes = finding_panels([each.finding for each in told], 2.9)
    for axis, each in zip(axes, told, strict=True):
        here = known(lines, each.finding)
        positive = here["positive"].to_numpy(bool)
        for k, chosen in enumerate((positive, ~positive)):
            name = "without" if k else "with"
            _levels(axis, here["mean"].to_numpy()[chosen], series(k), name)
        axis.set_title(
            f"{label(each.finding)}\nAUC alone {each.value:.2f} [{each.low:.2f}, {each.high:.2f}]"
        )
        axis.legend(fontsize=7)
        axis.set(xlabel="mean grey level", ylabel="share of the images")
    return drawn


def by_group(lines: pd.DataFrame, columns: Sequence[str]) -> Figure:
    """Mean grey level by view and by source."""
    drawn, axes = finding_panels([GROUPS[column] for column in columns], 3.4)
    for axis, column in zip(axes, columns, strict=True):
        words = [word for word in lines[column].value_counts().index if word][:6]
        for k, word in enumerate(words):
            _levels(axis, lines.loc[lines[column] == word, "mean"], series(k), label(word))
        axis.legend(fontsize=7)
        axis.set(xlabel="mean grey level", ylabel="share of the images")
    return drawn


def _levels(axis: Axes, values: np.ndarray | pd.Series, colour: str, name: str) -> None:
    share = np.histogram(values, _BINS)[0] / max(len(values), 1)
    said = f"{name}, n = {count(len(values))}"
    axis.stairs(share, _BINS, color=colour, linewidth=1.6, label=said)
    axis.grid(axis="y")


def alike(pairs: Sequence[Alike]) -> Figure:
    """Pairs side by side, three in a row."""
    across = min(len(pairs), 3)
    down = -(-len(pairs) // across)
    drawn = figure(3.2 * across, 1.95 * down)
    axes = drawn.subplots(down, 2 * across, squeeze=False)
    for axis in axes.ravel():
        axis.set_axis_off()
    for k, pair in enumerate(pairs):
        row, place = divmod(k, across)
        left, right = axes[row, 2 * place : 2 * place + 2]
        left.imshow(pair.first, cmap="gray", vmin=0, vmax=255)
        right.imshow(pair.second, cmap="gray", vmin=0, vmax=255)
        left.set_title(pair.title, size=8)
    return drawn
