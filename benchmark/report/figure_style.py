"""How the site's figures look, light and dark, and how they are saved."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.report.eda_style import figure, label, lay_out, place_as, save, styled

__all__ = ["MARKERS", "finding_panels", "ink", "label", "label_outer", "save_both", "series"]

#: Okabe and Ito's colours, told apart with any colour vision (doi:10.1038/nmeth.1618), those first
#: that stand out best against the ground.
_LIGHT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DARK = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#D55E00", "#FFFFFF")
MARKERS = "osD^vP*X"
_ACROSS = 4


def _ground(ground: str, ink: str, faint: str, colours: tuple[str, ...]) -> dict[str, object]:
    inked = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    grounds = ("figure.facecolor", "axes.facecolor")
    return {
        **dict.fromkeys(inked, ink),
        **dict.fromkeys(grounds, ground),
        "grid.color": faint,
        "axes.prop_cycle": cycler(color=colours),
    }


_GROUNDS = {
    "light": _ground("#FFFFFF", "#1B1F24", "#DDDDDD", _LIGHT),
    "dark": _ground("#14181D", "#E4E8EC", "#39414A", _DARK),
}


def ink() -> str:
    """The colour of text on the present ground."""
    return mpl.rcParams["text.color"]


def series(k: int) -> str:
    """The colour of the k-th thing shown, on the present ground; they repeat after seven."""
    colours = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    return colours[k % len(colours)]


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
    """Draw on both grounds: ``path`` with the suffixes .png, .svg and -dark.svg.

    Args:
        draw: draws it, on the present ground.
        path: without a suffix.
        forms: those of the light one; the dark one is made where there is to be an SVG.
    """
    with styled(**_GROUNDS["light"]):
        light = draw()
        lay_out(light)
        save(light, path, forms)
    if "svg" not in forms:
        return
    with styled(**_GROUNDS["dark"]):
        dark = draw()
        place_as(light, dark)
        save(dark, path.with_name(f"{path.name}-dark"), ["svg"])
