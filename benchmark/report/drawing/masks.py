"""The best and the worst predicted masks of a network, drawn on their images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmark.report.drawing.style import figure, label

TRUE, PREDICTED = "#009E73", "#E69F00"
SIDE = 2.4
"""Inches a panel takes."""


@dataclass(frozen=True)
class Case:
    """One image, uint8 (S, S), its masks, bool (S, S), and what is written above it."""

    image: np.ndarray
    true: np.ndarray
    predicted: np.ndarray
    title: str


def draw_masks(rows: Mapping[str, Sequence[Case]], heading: str) -> Figure:
    """A panel for each case, a row of panels for each name in ``rows``."""
    columns = max(len(cases) for cases in rows.values())
    drawn = figure(SIDE * columns, (SIDE + 0.35) * len(rows) + 0.6)
    axes = drawn.subplots(len(rows), columns, squeeze=False)
    for line, (name, cases) in zip(axes, rows.items(), strict=True):
        for axis in line:
            axis.axis("off")
        for axis, case in zip(line, cases, strict=False):
            _panel(axis, case)
        line[0].set_title(f"{label(name)}\n{cases[0].title}", fontsize=8)
    drawn.suptitle(heading, fontsize=10)
    lines = [Line2D([], [], color=colour) for colour in (TRUE, PREDICTED)]
    drawn.legend(lines, ["mask of the set", "predicted"], loc="outside lower center", ncols=2)
    return drawn


def _panel(axis: Axes, case: Case) -> None:
    axis.imshow(case.image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    for mask, colour in ((case.true, TRUE), (case.predicted, PREDICTED)):
        if mask.any() and not mask.all():  # else there is no edge to draw
            axis.contour(mask.astype(float), levels=[0.5], colors=[colour], linewidths=1.2)
    axis.set_title(f"\n{case.title}", fontsize=8)
