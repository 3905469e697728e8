"""Confusion matrices and subgroups: what is decided, and about whom."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.report.blocks.text import UNDEFINED
from benchmark.report.drawing.grounds import (
    PALE,
    finding_panels,
    ink,
    label,
    label_outer,
    luminance,
    series,
)
from benchmark.report.drawing.style import figure
from benchmark.scoring.subgroups import Estimate, Subgroup

_SCALE = "cividis"  # readable with any colour vision
_MIDDLE = 0.18
"""Luminance of a field on which black and white text can be read equally well."""


def confusion_by_finding(matrices: dict[str, np.ndarray]) -> Figure:
    """A matrix a finding.

    Args:
        matrices: finding -> (S, 2, 2) images of each run: a row for each truth, a column for each
            decision, negative first.
    """
    drawn, axes = finding_panels(list(matrices), 2.5)
    for axis, counts in zip(axes, matrices.values(), strict=True):
        _matrix(axis, counts, ["absent", "present"])
    label_outer(axes)
    return drawn


def confusion_of_classes(counts: np.ndarray, names: list[str]) -> Figure:
    """One matrix for exclusive findings, from (S, F, F) images of each run."""
    side = 2.2 + 0.9 * len(names)
    drawn = figure(side + 1, side)
    _matrix(drawn.subplots(), counts, [label(name) for name in names])
    return drawn


def _matrix(axis: Axes, counts: np.ndarray, names: list[str]) -> None:
    mean = counts.mean(axis=0)
    with np.errstate(invalid="ignore"):
        share = np.nan_to_num(mean / mean.sum(axis=1, keepdims=True))
    axis.imshow(share, cmap=_SCALE, vmin=0, vmax=1)
    for (row, column), value in np.ndenumerate(share):
        low, high = counts[:, row, column].min(), counts[:, row, column].max()
        spread = f"\n({low:,}–{high:,})" if low < high else ""
        percent = f"{100 * value:.1f} %" if mean[row].any() else UNDEFINED
        said = f"{percent}\n{mean[row, column]:,.0f}{spread}"
        axis.text(column, row, said, ha="center", va="center", size=8, color=_on(value))
    axis.set_xticks(range(len(names)), names)
    axis.set_yticks(range(len(names)), names, rotation=90, va="center")
    axis.set(xlabel="called", ylabel="true")
    axis.spines[:].set_visible(False)


def _on(share: float) -> str:
    """The colour of text that stands out more from the field of a share."""
    return "black" if luminance(mpl.colormaps[_SCALE](float(share))) > _MIDDLE else PALE


def subgroup_chart(groups: list[Subgroup]) -> Figure:
    """AUC and underdiagnosis rate of every level with their intervals, axis under axis."""
    places, names, place = [], [], 0.0
    for k, group in enumerate(groups):
        place += 1.6 if k and group.axis != groups[k - 1].axis else 1
        places.append(place)
        names.append(f"{group.axis}: {label(group.level)}")
    drawn = figure(9, 1.1 + 0.3 * place)
    left, right = drawn.subplots(1, 2, sharey=True)
    for place, group in zip(places, groups, strict=True):
        _estimate(left, place, group.auc, series(0))
        _estimate(right, place, group.underdiagnosis, series(1))
    left.set_yticks(places, names)
    left.set_ylim(places[-1] + 0.6, places[0] - 0.6)
    left.set(title="AUC")
    right.set(title="Underdiagnosis rate")
    for axis in (left, right):
        axis.grid(axis="x")
    return drawn


def _estimate(axis: Axes, place: float, of: Estimate, colour: str) -> None:
    if of.value is None:
        axis.annotate("too few patients", (0.5, place), xycoords=("axes fraction", "data"), size=7,
                      color=ink(), alpha=0.7, ha="center", va="center")  # fmt: skip
        return
    face = "none"
    if of.low is not None and of.high is not None:
        axis.plot([of.low, of.high], [place] * 2, color=colour, linewidth=2)
        face = colour
    axis.plot(of.value, place, "o", color=colour, markersize=5, markerfacecolor=face)
