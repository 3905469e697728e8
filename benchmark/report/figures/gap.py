"""Is it overfitting, or are the test images different? The gap of each model in its two parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.figure import Figure

from benchmark.report.blocks.text import count
from benchmark.report.blocks.values import Measurement
from benchmark.report.drawing.grounds import ink
from benchmark.report.drawing.marks import mark_of
from benchmark.report.drawing.style import figure
from benchmark.report.figures import Draft, Source
from benchmark.report.figures._panels import bar, images_of, in_lines, named, point, said, titled
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.table import Table
from benchmark.report.leaderboard.first_screen import Line

CARD = {
    "question": "Is it overfitting, or are the test images different?",
    "shows": "both parts of the gap between train and test",
    "order": 2,
}
_PARTS = {
    "gap_auc_train_minus_validation": "train − validation AUC: overfitting",
    "gap_auc_validation_minus_test": "validation − test AUC: other images",
}


def drafts(of: Source) -> Iterator[Draft]:
    """A figure a table of at least two models whose gap has both parts."""
    for table, shown in of.tables:
        parted = [line for line in shown if _has_parts(line.chosen)]
        if len(parted) > 1:
            yield _draft(table, sorted(parted, key=lambda line: _of(line, "gap_auc").mean or 0.0))


def _has_parts(c: Configuration) -> bool:
    return all(c.measurements[name].mean is not None for name in ("gap_auc", *_PARTS))


def _of(line: Line, name: str) -> Measurement:
    return line.chosen.measurements[name]


def _draft(table: Table, shown: list[Line]) -> Draft:
    title = (
        f"{table.name}: the AUC gap of {count(len(shown))} models in two parts, {images_of(table)}"
    )
    ends = [said(named(line), _of(line, "gap_auc")) for line in (shown[0], shown[-1])]
    return Draft(
        about=table.name,
        protocol_id=table.protocol.id,
        title=title,
        alt=f"Smallest gap between train and test AUC: {ends[0]}; largest: {ends[1]}.",
        caption=(
            "Both parts add up to the gap between train and test AUC; the smallest gap stands at "
            "the top. Bars: 95 % intervals over patients. Where most of a gap lies to the right, "
            "the test images differ from those that were validated on."
        ),
        draw=lambda: _drawn(title, shown),
    )


def _drawn(title: str, shown: Sequence[Line]) -> Figure:
    drawn = figure(9.2, 1.2 + 0.27 * len(shown))
    axes = drawn.subplots(1, 2, sharey=True, sharex=True)
    for axis, (name, said_of) in zip(axes, _PARTS.items(), strict=True):
        axis.axvline(0, linestyle=":", color=ink(), linewidth=1)
        for place, line in enumerate(shown):
            part, spec = _of(line, name), line.chosen.spec
            bar(axis, part, place, mark_of(spec).colour)
            point(axis, part.mean or 0.0, place, spec)
        axis.set_xlabel(said_of)
        axis.grid(axis="x")
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
    axes[0].set_yticks(range(len(shown)), [in_lines(named(line)) for line in shown])
    axes[0].set_ylim(len(shown) - 0.5, -0.5)
    titled(drawn, title)
    return drawn
