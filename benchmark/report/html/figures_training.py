"""Learning curves of the runs of a configuration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchmark.records.run_facts import History
from benchmark.report.drawing.grounds import ink, series
from benchmark.report.drawing.style import figure


@dataclass(frozen=True)
class Training:
    """What a row says about its training.

    Attributes:
        seed: of the run.
        history: by epoch.
        train_auc: AUC on the un-augmented training images with the weights of the best epoch.
    """

    seed: int
    history: History
    train_auc: float | None


def learning_curves(runs: list[Training]) -> Figure:
    """Loss and AUC by epoch, a colour a seed; shaded: what training is ahead of validation."""
    drawn = figure(9, 3.4)
    axes = drawn.subplots(1, 2)
    for k, run in enumerate(runs):
        _pair(axes[0], run.history.loss, run.history.val_loss, series(k))
        _pair(axes[1], None, run.history.val_auc, series(k))
        _best(axes[1], run, series(k))
    axes[0].set(ylabel="loss", title="Loss", ylim=(0, None))
    axes[1].set(ylabel="AUC", title="AUC")
    for axis in axes:
        axis.set_xlabel("epoch")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axis.grid(axis="y")
    _legend(drawn, axes[0], [run.seed for run in runs])
    return drawn


def _pair(axis: Axes, train: list | None, validation: list | None, colour: str) -> None:
    """Train solid, validation dashed, the space between them shaded where both are known."""
    for values, line in ((train, "-"), (validation, "--")):
        if values:
            axis.plot(*_by_epoch(values), line, color=colour, linewidth=1.6)
    if train and validation:
        (epochs, ahead), (_, behind) = _by_epoch(train), _by_epoch(validation)
        axis.fill_between(epochs, ahead, behind, color=colour, alpha=0.15, linewidth=0)


def _best(axis: Axes, run: Training, colour: str) -> None:
    best, reached = run.history.best_epoch, run.history.val_auc or []
    validation = reached[best] if best < len(reached) else None
    if validation is None:
        return
    axis.plot(best + 1, validation, "o", color=colour, markersize=6)
    if run.train_auc is not None:
        low, high = sorted((validation, run.train_auc))
        axis.vlines(best + 1, low, high, color=colour, alpha=0.3, linewidth=9)
        axis.plot(best + 1, run.train_auc, "^", color=colour, markersize=6)


def _by_epoch(values: list[float | None]) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(1, len(values) + 1), np.array(values, float)


def _legend(drawn: Figure, axis: Axes, seeds: list[int]) -> None:
    shown = [axis.plot([], [], color=series(k), label=f"seed {s}")[0] for k, s in enumerate(seeds)]
    lines = {"train": "-", "validation": "--"}
    points = {"best epoch, validation": "o", "best epoch, train": "^"}
    shown += [
        axis.plot([], [], color=ink(), label=name, linestyle=line)[0]
        for name, line in lines.items()
    ]
    shown += [
        axis.plot([], [], marker, color=ink(), label=name)[0] for name, marker in points.items()
    ]
    drawn.legend(handles=shown, loc="outside lower center", ncols=min(len(shown), 7))
