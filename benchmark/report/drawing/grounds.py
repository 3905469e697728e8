"""How the site's figures look, light and dark, and how they are saved."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.typing import ColorType

from benchmark.report.drawing.marks import AMBER, BLUE, GREEN, GREY, INK, PURPLE, SKY, VERMILION
from benchmark.report.drawing.style import figure, label, save, styled
from benchmark.report.files import write_asked

__all__ = [
    "PALE",
    "finding_panels",
    "ink",
    "label",
    "label_outer",
    "luminance",
    "save_both",
    "series",
]

_LIGHT = {"ground": "#FFFFFF", "ink": INK, "faint": "#DDDDDD"}
_DARK = {"ground": "#14181D", "ink": "#E4E8EC", "faint": "#39414A"}
"""What differs between a light ground and a dark one. All other colours can be seen on both, and
must be none of these: a dark figure is the light one with these replaced."""
PALE = "#FEFEFE"
"""Of text on dark fields, on whatever ground: white but for what changes with the ground."""
_ACROSS = 4


_INKED = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
_SETTINGS = {
    **dict.fromkeys(_INKED, _LIGHT["ink"]),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor"), _LIGHT["ground"]),
    "grid.color": _LIGHT["faint"],
}


def ink() -> str:
    """The colour of text."""
    return mpl.rcParams["text.color"]


def series(k: int) -> str:
    """The colour of the k-th thing shown; they repeat after seven."""
    colours = (BLUE, VERMILION, GREEN, PURPLE, AMBER, SKY, GREY)
    return colours[k % len(colours)]


def luminance(colour: ColorType) -> float:
    """Relative luminance of a colour, 0 to 1 (Web Content Accessibility Guidelines 2.2)."""
    parts = np.array(to_rgb(colour))
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def finding_panels(names: list[str], size: float = 3.2) -> tuple[Figure, list[Axes]]:
    """A figure with a square panel a finding, its name above it."""
    across = min(len(names), _ACROSS)
    down = -(-len(names) // across)
    drawn = figure(0.4 + size * across, 0.5 + size * down)
    axes = drawn.subplots(down, across, squeeze=False).ravel()
    for axis in axes[len(names) :]:
        axis.remove()
    for axis, name in zip(axes, names, strict=False):
        axis.set_title(label(name))
    return drawn, list(axes[: len(names)])


def label_outer(axes: list[Axes]) -> None:
    """Leave axis labels only where no panel stands below, or to the left."""
    for k, axis in enumerate(axes):
        if k + _ACROSS < len(axes):
            axis.set_xlabel("")
            axis.tick_params(labelbottom=False)
        if k % _ACROSS:
            axis.set_ylabel("")
            axis.tick_params(labelleft=False)


def save_both(
    draw: Callable[[], Figure], path: Path, forms: Collection[str] = ("png", "svg")
) -> None:
    """Draw once, for both grounds: ``path`` with the suffixes .png, .svg and -dark.svg.

    Args:
        draw: draws it.
        path: without a suffix.
        forms: those of the light one; the dark one is made where there is to be an SVG.
    """
    with styled(**_SETTINGS):
        save(draw(), path, forms)
    if "svg" in forms:
        light = path.with_suffix(".svg").read_bytes()
        write_asked(path.with_name(f"{path.name}-dark.svg"), _darkened(light))


def _darkened(light: bytes) -> bytes:
    for name, colour in _LIGHT.items():
        light = light.replace(colour.lower().encode(), _DARK[name].lower().encode())
    return light
