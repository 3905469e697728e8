"""Which model is better, and is the difference real? AUCs with intervals and letters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.report.blocks.people import of_patients
from benchmark.report.blocks.text import UNDEFINED, count
from benchmark.report.blocks.values import as_text
from benchmark.report.columns import COLUMNS, Entry
from benchmark.report.drawing.grounds import ink
from benchmark.report.drawing.marks import GREY, mark_of
from benchmark.report.drawing.style import figure
from benchmark.report.figures import Draft, Source
from benchmark.report.figures._panels import (
    AUC,
    bar,
    images_of,
    in_lines,
    named,
    point,
    said,
    titled,
)
from benchmark.report.gathering.configuration import MIN_SEEDS, Configuration
from benchmark.report.gathering.table import Table
from benchmark.report.leaderboard.first_screen import Line
from benchmark.scoring.metrics import GUESSING
from benchmark.suites.families import is_baseline

CARD = {
    "question": "Which model is better, and is the difference real?",
    "shows": "AUC with interval and letters, the internal split beside the published one",
    "order": 0,
}
_LETTERS = next(column for column in COLUMNS if column.name == "letters")
_EDGE = 0.06
Pairs = Mapping[str, Configuration]


def drafts(of: Source) -> Iterator[Draft]:
    """A figure a table of at least two models, with the internal split beside the published."""
    internal = {pair.published.key: pair.internal for pair in of.board.pairs}
    for table, shown in of.tables:
        if len(shown) > 1:
            pairs = {
                line.chosen.key: internal[line.chosen.key]
                for line in shown
                if line.chosen.key in internal
            }
            yield _draft(table, shown, pairs)


def _draft(table: Table, shown: list[Line], pairs: Pairs) -> Draft:
    title = f"{table.name}: {count(len(shown))} models on {images_of(table)}"
    best = [said(named(line), line.chosen.measurements["test_auc"]) for line in shown[:3]]
    grey = "Grey: what sees no image." if _baselines(table) else ""
    inside = "Hollow diamonds: the same on a split inside the training images. " if pairs else ""
    return Draft(
        about=table.name,
        protocol_id=table.protocol.id,
        title=title,
        alt=f"Test AUC of {len(shown)} models, family by family. Highest: {'; '.join(best)}.",
        caption=(
            "Size and way of training of each model as validation chose them. Bars: 95 % intervals "
            f"over patients. {_letters_told(table, shown)}{inside}{grey}".rstrip()
        ),
        draw=lambda: _drawn(title, table, shown, pairs),
    )


def _drawn(title: str, table: Table, shown: list[Line], pairs: Pairs) -> Figure:
    blocks = _blocks(table, shown)
    baselines = _baselines(table)
    rows = sum(map(len, blocks)) + len(baselines)
    drawn = figure(9.2, 1.0 + 0.32 * rows + (0.25 if pairs else 0))
    axis = drawn.subplots()
    place, names = 0, []
    for block in blocks:
        if len(block) > 1:  # a family; the ground between two of them tells them apart
            top, bottom = place - 0.5 + _EDGE, place + len(block) - 0.5 - _EDGE
            axis.axhspan(top, bottom, color=GREY, alpha=0.16, linewidth=0)
        for line in block:
            _row(axis, place, line, pairs.get(line.chosen.key))
            names.append(in_lines(named(line)))
            place += 1
    if _lettered(table, shown):
        axis.text(1.01, -0.8, "letters", transform=axis.get_yaxis_transform(), size=8)
    for c in baselines:
        bar(axis, c.measurements["test_auc"], place, GREY)
        axis.plot(_auc(c) or 0.0, place, "|", color=GREY, markersize=9, markeredgewidth=2)
        names.append(c.spec.model)
        place += 1
    axis.set_yticks(range(place), names)
    axis.set_ylim(place - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.set_xlabel(AUC)
    axis.grid(axis="x")
    titled(drawn, title)
    if pairs:
        _legend(drawn, axis, pairs)
    return drawn


def _baselines(table: Table) -> list[Configuration]:
    """What sees no image, but for what guesses."""
    return [c for c in table.ranked if is_baseline(c.spec) and _auc(c) != GUESSING]


def _row(axis: Axes, place: int, line: Line, inside: Configuration | None) -> None:
    c = line.chosen
    auc = c.measurements["test_auc"]
    if auc.mean is None:
        return
    colour = mark_of(c.spec).colour
    other = inside.measurements["test_auc"] if inside else None
    if other and other.mean is not None:
        bar(axis, other, place, GREY, alpha=0.6)
        axis.plot(other.mean, place, "d", color=GREY, markersize=5.5,
                  markerfacecolor=axis.get_facecolor(), zorder=2.5)  # fmt: skip
    bar(axis, auc, place, colour)
    point(axis, auc.mean, place, c.spec)
    axis.text(1.01, place, _letters(line), transform=axis.get_yaxis_transform(), va="center")


def _letters_told(table: Table, shown: Sequence[Line]) -> str:
    """What shades and letters mean, where there are any."""
    if not _lettered(table, shown):
        return ""
    shaded = any(len(block) > 1 for block in _blocks(table, shown))
    return (
        f"{'Each shade: models of one family. ' if shaded else ''}Within a family those that share "
        "a letter were not told apart, which does not mean that they are equal; letters in "
        "brackets want more seeds. "
    )


def _lettered(table: Table, shown: Sequence[Line]) -> bool:
    return any(line.chosen.key in table.letters for line in shown)


def _letters(line: Line) -> str:
    c = line.chosen
    if not c.complete:
        return f"{len(c.runs)} of {MIN_SEEDS} seeds"
    text = as_text(_LETTERS.value(Entry(line.table, c)))
    return text if text != UNDEFINED else ""


def _blocks(table: Table, shown: Sequence[Line]) -> list[list[Line]]:
    """Those of a family together, the family of the best first; the others each for itself."""
    together: dict[object, list[Line]] = {}
    for line in shown:
        own = table.letters.get(line.chosen.key)
        together.setdefault(own.family if own else line.chosen.key, []).append(line)
    return list(together.values())


def _legend(drawn: Figure, axis: Axes, pairs: Pairs) -> None:
    inside = next(iter(pairs.values())).runs[0].row
    test = inside.counts.get("test")
    who = of_patients(test.patients, unknown=inside.dataset.patients_unknown) if test else ""
    n = f", {count(test.images)} images{who}" if test else ""
    handles = [
        axis.plot([], [], "o-", color=ink(), label="published test images")[0],
        axis.plot([], [], "d-", color=GREY, markerfacecolor="none",
                  label=f"split inside the training images{n}")[0],
    ]  # fmt: skip
    drawn.legend(handles=handles, loc="outside lower center", ncols=2)


def _auc(c: Configuration) -> float | None:
    return c.measurements["test_auc"].mean
