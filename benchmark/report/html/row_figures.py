"""The figures of a configuration: drawn once for a state of its files, then kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import matplotlib as mpl
import msgspec
import numpy as np
from matplotlib.figure import Figure

import benchmark.scoring
from benchmark.hashing import canonical_json, sha256
from benchmark.protocols import of_row
from benchmark.records.door import read_derived, sealed
from benchmark.records.predictions import Predictions
from benchmark.records.store import Results
from benchmark.report.drawing import curve_panels
from benchmark.report.drawing.curve_panels import FindingCurves
from benchmark.report.drawing.grounds import save_both
from benchmark.report.drawing.predicted import (
    confusion,
    finding_curves,
    read_test_runs,
    subgroups_of,
)
from benchmark.report.files import write_asked
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.run import Run
from benchmark.report.html import figures_decisions
from benchmark.report.html.figures_training import Training, learning_curves
from benchmark.report.html.row_drawn import Drawn
from benchmark.scoring.subgroups import Subgroup

RECORD = "drawn.json"
_DRAWING = ("drawing", "figures", "html")
Figures = Iterator[tuple[str, Callable[[], Figure]]]
"""Names of figures, and what draws them."""


def draw_row(results: Results, configuration: Configuration, folder: Path) -> Drawn:
    """Draw what is missing or older than the files it comes from.

    Args:
        results: where the predictions are.
        configuration: what to draw.
        folder: where the figures go, each as .svg, .png and -dark.svg.
    """
    known = kept(configuration, folder)
    if known:
        return known
    runs = read_test_runs(results, configuration) if configuration.tested else []
    curves, groups = finding_curves(configuration, runs), _subgroups(configuration, runs)
    names = []
    for name, draw in _figures(configuration, curves, groups):
        save_both(draw, folder / name)
        names.append(name)
    drawn = Drawn(
        made_from=_fingerprint(configuration),
        figures=names,
        findings=[each.finding for each in curves],
        subgroups=groups,
    )
    write_asked(folder / RECORD, sealed(drawn))
    return drawn


def kept(configuration: Configuration, folder: Path) -> Drawn | None:
    """What was drawn earlier; None where files are missing or older than what they come from."""
    known = read_derived(folder / RECORD, Drawn)
    if known and known.made_from == _fingerprint(configuration) and complete(folder, known):
        return known
    return None


def trainings(configuration: Configuration) -> list[Training]:
    """What the rows say about their training; none of models that are not trained by epochs."""
    return [
        Training(run.row.spec.seed, history, _train_auc(run))
        for run in configuration.runs
        if (history := run.row.history)
    ]


def _train_auc(run: Run) -> float | None:
    train = run.scores.splits.get("train")
    return train.metrics["auc"] if train else None


def _subgroups(configuration: Configuration, runs: list[Predictions]) -> list[Subgroup]:
    attribute = of_row(configuration.runs[0].row).attribute
    return [] if attribute or not runs else subgroups_of(configuration, runs)


def _figures(
    configuration: Configuration, curves: list[FindingCurves], groups: list[Subgroup]
) -> Figures:
    runs = trainings(configuration)
    if runs:
        yield "learning_curves", lambda: learning_curves(runs)
    if curves:
        yield "roc", lambda: curve_panels.roc(curves)
        yield "precision_recall", lambda: curve_panels.precision_recall(curves)
        yield "reliability", lambda: curve_panels.reliability(curves)
        yield "confusion", lambda: _confusion(configuration, [each.finding for each in curves])
    if groups:
        yield "subgroups", lambda: figures_decisions.subgroup_chart(groups)


def _confusion(configuration: Configuration, findings: list[str]) -> Figure:
    counts = confusion(configuration)
    if isinstance(counts, np.ndarray):
        names = configuration.runs[0].scores.findings
        return figures_decisions.confusion_of_classes(counts, names)
    return figures_decisions.confusion_by_finding({f: counts[f] for f in findings})


def _fingerprint(configuration: Configuration) -> str:
    """Changes with anything the figures show, and with how they are drawn."""
    runs = [
        [run.row.spec.seed, msgspec.to_builtins(run.row.history), run.scores.predictions_sha256]
        for run in configuration.runs
    ]
    return sha256(canonical_json([runs, sources(), mpl.__version__]))


@cache
def sources() -> str:
    """Hash of the code that draws and of what it draws with."""
    report = Path(__file__).parents[1]
    folders = (*(report / name for name in _DRAWING), Path(benchmark.scoring.__file__).parent)
    files = [file for folder in folders for file in sorted(folder.glob("*.py"))]
    files.append(report / "leaderboard" / "first_screen.py")
    return sha256(b"".join(file.read_bytes() for file in files))


def complete(folder: Path, known: Drawn) -> bool:
    """Whether every figure of a record is there."""
    endings = (".svg", ".png", "-dark.svg")
    return all((folder / (name + end)).is_file() for name in known.figures for end in endings)
