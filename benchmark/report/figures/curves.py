"""At which threshold, and can the probabilities be believed? ROC, precision-recall, calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

from matplotlib.figure import Figure

from benchmark.report.drawing import curve_panels
from benchmark.report.drawing.curve_panels import FindingCurves
from benchmark.report.drawing.predicted import finding_curves, read_test_runs
from benchmark.report.figures import Draft, Source
from benchmark.report.figures._panels import images_of, named, said, titled
from benchmark.report.gathering.choosing import on_validation
from benchmark.report.gathering.table import Table
from benchmark.report.leaderboard.first_screen import Line

CARD = {
    "question": "At which threshold, and can the probabilities be believed?",
    "shows": "ROC, precision against recall and calibration "
    "of what validation chose, for findings that ten test patients have and ten have not",
    "order": 6,
}
_BANDS = "Bands: 95 % over resampled patients; thin lines: single runs; cross: where it decides"
_KINDS: dict[str, tuple[str, Callable[[list[FindingCurves]], Figure], str]] = {
    "roc": ("ROC curves", curve_panels.roc, f"{_BANDS}. Dotted: guessing."),
    "precision_recall": (
        "precision against recall",
        curve_panels.precision_recall,
        f"{_BANDS}. Dotted: the prevalence, which is what guessing reaches.",
    ),
    "calibration": (
        "calibration",
        curve_panels.reliability,
        "Share of images with the finding among those of a stated probability, with 95 % intervals "
        "over patients; hollow: few patients, no interval. Below: how often each is stated.",
    ),
}


def drafts(of: Source) -> Iterator[Draft]:
    """Three figures a table, of what validation chose, for findings that patients are enough of."""
    for table, shown in of.tables:
        complete = [line for line in shown if line.chosen.complete]
        if complete:
            line = max(complete, key=lambda line: on_validation(line.chosen))
            yield from _of_line(of, table, line)


def _of_line(of: Source, table: Table, line: Line) -> Iterator[Draft]:
    @cache
    def curves() -> Sequence[FindingCurves]:
        return finding_curves(line.chosen, read_test_runs(of.results, line.chosen))

    if not line.chosen.runs[0].scores.macro_findings:
        return
    auc = said("test AUC", line.chosen.measurements["test_auc"])
    for part, (what, draw, caption) in _KINDS.items():
        title = f"{table.name}: {what} of {named(line)}, {images_of(table)}"
        yield Draft(
            about=table.name,
            protocol_id=table.protocol.id,
            part=part,
            title=title,
            alt=f"{what} of {named(line)}, {auc}.",
            caption=f"Of the configurations here the one that validation chooses. {caption}",
            draw=partial(_drawn, title, draw, curves),
        )


def _drawn(
    title: str,
    draw: Callable[[list[FindingCurves]], Figure],
    curves: Callable[[], Sequence[FindingCurves]],
) -> Figure:
    drawn = draw(list(curves()))
    titled(drawn, title)
    return drawn
