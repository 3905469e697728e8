"""Examples with the heat of a network laid over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benchmark.report.drawing.style import figure

_HEAT, _BOX = "#E69F00", "#56B4E9"
_STRENGTH = 0.6


@dataclass(frozen=True)
class Example:
    """One test image.

    Attributes:
        pixels: uint8 (S, S).
        heat: (S, S) in [0, 1].
        probability: what the model states.
        boxes: x, y, w, h as fractions of the side.
        inside: share of the heat in the boxes; None without boxes or without heat.
    """

    pixels: np.ndarray
    heat: np.ndarray
    probability: float
    boxes: list[dict[str, float]]
    inside: float | None = None


def examples(kinds: dict[str, list[Example]]) -> Figure:
    """A row a kind of decision; each image bare and, to its right, with heat and boxes.

    Args:
        kinds: name of the kind -> one example or more.
    """
    across = max(len(shown) for shown in kinds.values())
    width, height = 1.1 + 2.5 * across, 0.2 + 1.42 * len(kinds)
    drawn = figure(width, height)
    drawn.set_layout_engine("none")  # all panels are alike, and there are too many to fit each
    places = {"left": 0.9 / width, "right": 0.99, "bottom": 0.02, "top": 1 - 0.2 / height}
    between = {"wspace": 0.06, "hspace": 0.16}
    axes = drawn.subplots(len(kinds), 2 * across, squeeze=False, gridspec_kw=places | between)
    for row, (kind, shown) in zip(axes, kinds.items(), strict=True):
        for axis in row:
            axis.set_axis_off()
        said = kind.replace(" ", "\n")
        row[0].text(-0.1, 0.5, said, transform=row[0].transAxes, ha="right", va="center")
        for k, example in enumerate(shown):
            _image(row[2 * k], example)
            _image(row[2 * k + 1], example)
            _heat(row[2 * k + 1], example)
            row[2 * k].set_title(f"p = {example.probability:.3f}", size=7)
            row[2 * k + 1].set_title(_said(example), size=7)
    return drawn


def _said(example: Example) -> str:
    if not example.heat.any():
        return "no heat"
    return "" if example.inside is None else f"{example.inside:.2f} in box"


def _image(axis: Axes, example: Example) -> None:
    axis.imshow(example.pixels, cmap="gray", vmin=0, vmax=255)


def _heat(axis: Axes, example: Example) -> None:
    coloured = np.empty((*example.heat.shape, 4))
    coloured[..., :3] = to_rgb(_HEAT)
    coloured[..., 3] = _STRENGTH * example.heat
    axis.imshow(coloured)
    side = len(example.heat)
    for box in example.boxes:
        corner = (box["x"] * side - 0.5, box["y"] * side - 0.5)
        size = (box["w"] * side, box["h"] * side)
        axis.add_patch(Rectangle(corner, *size, fill=False, edgecolor=_BOX, linewidth=1.5))
