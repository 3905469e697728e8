"""All configurations of a suite in one picture: overfitting against AUC, accuracy against cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmark.report.configuration import Configuration, Measurement
from benchmark.report.eda_style import figure
from benchmark.report.figure_style import MARKERS, ink, label, series

MOST = 24
"""Models that a legend has room for; of more than that all look the same."""

Protocols = dict[str, list[Configuration]]
"""Data set and protocol id, a line each -> configurations of models that see images."""


def gap_against_auc(protocols: Protocols) -> Figure:
    """Overfitting gap to the right, test AUC upwards; a panel a protocol."""
    drawn, axes = _panels(protocols)
    for axis, each in zip(axes, protocols.values(), strict=True):
        axis.axvline(0, linestyle=":", color=ink(), linewidth=1)
        for colour, marker, c in _styled(protocols, each):
            gap, auc = c.measurements["gap_auc"], c.measurements["test_auc"]
            if gap.mean is not None and auc.mean is not None:
                _cross(axis, gap, auc, colour, marker)
        axis.set(xlabel="gap: train AUC − test AUC", ylabel="test AUC")
    return _finished(drawn, axes, protocols, set(_named_models(protocols)))


def accuracy_against_cost(protocols: Protocols) -> Figure:
    """Training time of one run to the right, test accuracy upwards; a panel a protocol."""
    drawn, axes = _panels(protocols)
    shown = set()
    for axis, each in zip(axes, protocols.values(), strict=True):
        for colour, marker, c in _styled(protocols, each):
            accuracy = c.measurements["test_accuracy"].mean
            if c.train_seconds and accuracy is not None:
                shown.add(c.spec.model)
                axis.plot(c.train_seconds, accuracy, marker, color=colour, markersize=7)
        axis.set(xlabel="training time of one run (s)", ylabel="test accuracy", xscale="log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
    return _finished(drawn, axes, protocols, shown)


def _panels(protocols: Protocols) -> tuple[Figure, list[Axes]]:
    drawn = figure(max(5.0, 4.4 * len(protocols)), 4.4)
    return drawn, list(drawn.subplots(1, len(protocols), squeeze=False)[0])


def _styled(
    protocols: Protocols, each: list[Configuration]
) -> Iterator[tuple[str, str, Configuration]]:
    """Each configuration with the colour and the marker of its model."""
    places = {model: k for k, model in enumerate(_named_models(protocols))}
    for c in each:
        k = places.get(c.spec.model, 0)
        yield series(k), MARKERS[k % len(MARKERS)], c


def _named_models(protocols: Protocols) -> list[str]:
    models = sorted({c.spec.model for each in protocols.values() for c in each})
    return models if len(models) <= MOST else []


def _cross(axis: Axes, x: Measurement, y: Measurement, colour: str, marker: str) -> None:
    (left, middle, right), (low, centre, high) = (
        np.array((m.low, m.mean, m.high), float) for m in (x, y)
    )
    thin: dict[str, Any] = {"color": colour, "linewidth": 1, "alpha": 0.6}
    if x.low is not None:
        axis.plot([left, right], [centre] * 2, **thin)
    if y.low is not None:
        axis.plot([middle] * 2, [low, high], **thin)
    axis.plot(middle, centre, marker, color=colour, markersize=7)


def _finished(drawn: Figure, axes: list[Axes], protocols: Protocols, shown: set[str]) -> Figure:
    """With titles, and a legend of the models that are shown; a model looks alike everywhere."""
    for axis, name in zip(axes, protocols, strict=True):
        axis.set_title("\n".join(map(label, name.splitlines())))
        axis.grid(visible=True)
    handles = [
        axes[0].plot([], [], MARKERS[k % len(MARKERS)], color=series(k), label=label(model))[0]
        for k, model in enumerate(_named_models(protocols))
        if model in shown
    ]
    drawn.legend(handles=handles, loc="outside lower center", ncols=6)
    return drawn
