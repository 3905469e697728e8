"""ROC, precision against recall and calibration: one panel a finding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.report.blocks.text import count, number
from benchmark.report.drawing.grounds import finding_panels, ink, label, label_outer
from benchmark.scoring import curves
from benchmark.scoring.curves import GRID, Band, Reliability

_TICKS = (0, 0.5, 1)  # drawing more of them takes a good part of all the time


@dataclass(frozen=True)
class FindingCurves:
    """What is drawn of one finding on the test images.

    Attributes:
        finding: its name.
        auc: mean over the runs.
        colour: of the model.
        targets: (N,) bool.
        log_odds: (S, N), a row a run.
        roc, precision_recall: bands of the runs' mean.
        calibration: the images of all runs together.
        decided: for each run sensitivity, specificity and positive predictive value at the
            frozen threshold; None where undefined.
    """

    finding: str
    auc: float | None
    colour: str
    targets: np.ndarray
    log_odds: np.ndarray
    roc: Band
    precision_recall: Band
    calibration: Reliability
    decided: list[tuple[float | None, float | None, float | None]]


def roc(findings: list[FindingCurves]) -> Figure:
    """Sensitivity against false positive rate."""
    drawn, axes = _panels(findings)
    for axis, each in zip(axes, findings, strict=True):
        axis.plot([0, 1], [0, 1], ":", color=ink(), linewidth=1)
        _band(axis, each.roc, each.colour)
        for odds in each.log_odds:
            axis.plot(*curves.roc_points(each.targets, odds), color=each.colour, linewidth=0.9)
        for sensitivity, specificity, _ in each.decided:
            if sensitivity is not None and specificity is not None:
                _decision(axis, 1 - specificity, sensitivity)
        axis.set(xlabel="1 − specificity", ylabel="sensitivity")
    return _finished(drawn, axes)


def precision_recall(findings: list[FindingCurves]) -> Figure:
    """Precision against recall, with the prevalence, which is what guessing reaches."""
    drawn, axes = _panels(findings)
    for axis, each in zip(axes, findings, strict=True):
        axis.axhline(each.targets.mean(), linestyle=":", color=ink(), linewidth=1)
        _band(axis, each.precision_recall, each.colour)
        for odds in each.log_odds:
            recall, precision = curves.precision_recall_points(each.targets, odds)
            axis.step(recall, precision, where="pre", color=each.colour, linewidth=0.9)
        for sensitivity, _, ppv in each.decided:
            if sensitivity is not None and ppv is not None:
                _decision(axis, sensitivity, ppv)
        axis.set(xlabel="recall (sensitivity)", ylabel="precision (PPV)")
    return _finished(drawn, axes)


def reliability(findings: list[FindingCurves]) -> Figure:
    """Observed frequency against stated probability; below, how often each is stated."""
    drawn, axes = _panels(findings)
    for axis, each in zip(axes, findings, strict=True):
        found = each.calibration
        axis.plot([0, 1], [0, 1], ":", color=ink(), linewidth=1)
        share = found.images / found.images.sum()
        axis.bar(found.confidence, 0.3 * share / share.max(), 0.02, color=each.colour, alpha=0.3)
        axis.vlines(found.confidence, found.low, found.high, color=each.colour, linewidth=1.6)
        thin = np.isnan(found.low)  # a line through bins of a few images would show but chance
        axis.plot(found.confidence[~thin], found.frequency[~thin], color=each.colour, linewidth=0.9)
        for few, face in ((False, each.colour), (True, "none")):
            here = thin == few
            axis.plot(found.confidence[here], found.frequency[here], "o", color=each.colour,
                      markersize=4.5, markerfacecolor=face)  # fmt: skip
        axis.set(xlabel="stated probability", ylabel="share with the finding")
    return _finished(drawn, axes)


def _panels(findings: list[FindingCurves]) -> tuple[Figure, list[Axes]]:
    """A panel a finding, its AUC and its images above it."""
    drawn, axes = finding_panels([f.finding for f in findings])
    for axis, each in zip(axes, findings, strict=True):
        with_it, images = int(each.targets.sum()), len(each.targets)
        told = f"AUC {number(each.auc)}, {count(with_it)} of {count(images)} positive"
        axis.set_title(f"{label(each.finding)}\n{told}")
    return drawn, axes


def _band(axis: Axes, band: Band, colour: str) -> None:
    axis.fill_between(GRID, band.low, band.high, color=colour, alpha=0.22, linewidth=0)


def _decision(axis: Axes, x: float, y: float) -> None:
    axis.plot(x, y, "X", color=ink(), markersize=6, markeredgecolor=ink(), markeredgewidth=0.4)


def _finished(drawn: Figure, axes: list[Axes]) -> Figure:
    for axis in axes:
        axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        axis.set(xticks=_TICKS, yticks=_TICKS)
        axis.grid(visible=True)
    label_outer(axes)
    return drawn
