"""What an augmentation policy makes of images: a sheet of originals with draws beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from benchmark.report.drawing.style import DPI, figure, label

SIDE = 1.5
"""Inches a panel takes at least; where images are larger, as many as show every pixel."""


def draw_sheet(
    names: Sequence[str], originals: np.ndarray, draws: np.ndarray, heading: str
) -> Figure:
    """A row of panels an image: as it is, then as it was drawn.

    Args:
        names: of the images.
        originals: uint8 (N, S, S).
        draws: float32 (N, D, S, S) in [0, 1].
        heading: over everything.
    """
    n, columns = draws.shape[:2]
    side = max(SIDE, originals.shape[1] / DPI)
    drawn = figure(side * (columns + 1), (side + 0.2) * n + 0.4)
    axes = drawn.subplots(n, columns + 1, squeeze=False)
    for line, name, original, row in zip(axes, names, originals, draws, strict=True):
        line[0].set_title(label(name), fontsize=7)
        for axis, image in zip(line, [original / 255, *row], strict=True):
            axis.imshow(image, cmap="gray", vmin=0, vmax=1)
            axis.axis("off")
    drawn.suptitle(heading, fontsize=9)
    return drawn
