"""Where images differ from normal ones: anomaly maps drawn over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from benchmark.report.drawing.style import figure, label

SIDE = 2.2
"""Inches a panel takes."""
HEAT = "inferno"


@dataclass(frozen=True)
class Case:
    """One image, uint8 (S, S), its distances from normal (H, W), and what is written above it."""

    image: np.ndarray
    distances: np.ndarray
    title: str


def draw_anomalies(rows: Mapping[str, Sequence[Case]], heading: str) -> Figure:
    """Each case as it is and, below, under its map.

    All share one scale of colours; it ends below the highest hundredth of the distances.
    """
    columns = max(len(cases) for cases in rows.values())
    drawn = figure(SIDE * columns + 0.6, (2 * SIDE + 0.4) * len(rows) + 0.6)
    axes = drawn.subplots(2 * len(rows), columns, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    everything = np.stack([case.distances for cases in rows.values() for case in cases])
    limits = {"vmin": everything.min(), "vmax": np.quantile(everything, 0.99)}
    for line, (name, cases) in enumerate(rows.items()):
        plain, overlaid = axes[2 * line : 2 * line + 2]
        for above, below, case in zip(plain, overlaid, cases, strict=False):
            for axis in (above, below):
                axis.imshow(case.image, cmap="gray", vmin=0, vmax=255)
            size = case.image.shape[0]
            extent = (-0.5, size - 0.5, size - 0.5, -0.5)
            heat = below.imshow(
                case.distances,
                cmap=HEAT,
                alpha=0.5,
                extent=extent,
                interpolation="bilinear",
                **limits,
            )
            above.set_title(f"\n{case.title}", fontsize=8)
        if cases:
            plain[0].set_title(f"{label(name)}\n{cases[0].title}", fontsize=8)
    drawn.colorbar(heat, ax=axes, shrink=0.5, extend="max", label="distance from normal images")
    drawn.suptitle(heading, fontsize=10)
    return drawn
