"""The figures of a configuration: drawn once for a state of its files, then kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

import benchmark.scoring
from benchmark.records.files import canonical_json, readable_json, sha256, write_atomic
from benchmark.records.predictions import Predictions
from benchmark.records.store import Results
from benchmark.report.configuration import Configuration
from benchmark.report.html import figures_curves, figures_decisions
from benchmark.report.html.figure_style import save_both
from benchmark.report.html.figures_training import Training, learning_curves
from benchmark.report.html.predicted import (
    confusion,
    finding_curves,
    read_test_runs,
    subgroups_of,
)

RECORD = "drawn.json"


def draw_row(results: Results, configuration: Configuration, folder: Path) -> dict[str, Any]:
    """Draw what is missing or older than the files it comes from.

    Args:
        results: where the predictions are.
        configuration: what to draw.
        folder: where the figures go, each as .svg, .png and -dark.svg.

    Returns:
        What was drawn: ``figures``, their names; ``findings``, those with curves; ``subgroups``,
        the numbers behind their chart, see :class:`benchmark.scoring.subgroups.Subgroup`.
    """
    made_from = _fingerprint(configuration)
    known = _read(folder / RECORD)
    if known.get("made_from") == made_from and _complete(folder, known):
        return known
    runs = read_test_runs(results, configuration)
    drawn = {"made_from": made_from, "figures": [], "findings": [], "subgroups": []}
    _training(configuration, folder, drawn)
    _curves(configuration, runs, folder, drawn)
    _confusion(configuration, folder, drawn)
    _subgroups(configuration, runs, folder, drawn)
    write_atomic(folder / RECORD, readable_json(drawn))
    return drawn


def trainings(configuration: Configuration) -> list[Training]:
    """What the rows say about their training; none of models that are not trained by epochs."""
    return [
        Training(run.row["cell"]["seed"], history, _train_auc(run.scores))
        for run in configuration.runs
        if (history := run.row["history"])
    ]


def _train_auc(scores: dict) -> float | None:
    return scores["splits"].get("train", {}).get("auc")


def _training(configuration: Configuration, folder: Path, drawn: dict) -> None:
    runs = trainings(configuration)
    if runs:
        _save(drawn, folder, "learning_curves", lambda: learning_curves(runs))


def _curves(configuration: Configuration, runs: list[Predictions], folder, drawn: dict) -> None:
    findings = finding_curves(configuration, runs)
    drawn["findings"] = [each.finding for each in findings]
    if findings:
        for draw in (
            figures_curves.roc,
            figures_curves.precision_recall,
            figures_curves.reliability,
        ):
            _save(drawn, folder, draw.__name__, lambda draw=draw: draw(findings))


def _confusion(configuration: Configuration, folder: Path, drawn: dict) -> None:
    counts = confusion(configuration)
    names = list(configuration.runs[0].scores["findings"])
    if isinstance(counts, np.ndarray):
        draw = lambda: figures_decisions.confusion_of_classes(counts, names)  # noqa: E731
    else:
        draw = lambda: figures_decisions.confusion_by_finding(counts)  # noqa: E731
    _save(drawn, folder, "confusion", draw)


def _subgroups(configuration: Configuration, runs: list[Predictions], folder, drawn: dict) -> None:
    probe = "probe" in configuration.runs[0].row["protocol"]
    groups = [] if probe else subgroups_of(configuration, runs)
    drawn["subgroups"] = [asdict(group) for group in groups]
    if groups:
        _save(drawn, folder, "subgroups", lambda: figures_decisions.subgroup_chart(groups))


def _save(drawn: dict, folder: Path, name: str, draw) -> None:
    save_both(draw, folder / name)
    drawn["figures"].append(name)


def _fingerprint(configuration: Configuration) -> str:
    """Changes with anything the figures show, and with how they are drawn."""
    runs = [
        [run.row["cell"]["seed"], run.row["history"], run.scores["predictions_sha256"]]
        for run in configuration.runs
    ]
    return sha256(canonical_json([runs, _sources(), mpl.__version__]))


@cache
def _sources() -> str:
    folders = (Path(__file__).parent, Path(benchmark.scoring.__file__).parent)
    files = [file for folder in folders for file in sorted(folder.glob("*.py"))]
    return sha256(b"".join(file.read_bytes() for file in files))


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}


def _complete(folder: Path, known: dict[str, Any]) -> bool:
    endings = (".svg", ".png", "-dark.svg")
    return all((folder / (name + end)).is_file() for name in known["figures"] for end in endings)
